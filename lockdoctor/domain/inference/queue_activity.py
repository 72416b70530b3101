"""Count what came and went in the queue of one lock while it was watched."""

from __future__ import annotations

import enum
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.model.locks import Lock, LockKey
from lockdoctor.domain.recipes.grouping import BUILT_IN, QueueId, claim, queue_of
from lockdoctor.domain.recipes.lock_recipe import LockRecipe
from lockdoctor.domain.recipes.registry import RecipeBook

PATIENCE_S = 0.5
"""The minimum time in a queue, in seconds, that counts as waiting: Go's TryLock leaves at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPut:
    """A key was written."""

    seen_at: float
    key: LockKey

    @property
    def revision(self) -> int:
        """Return the revision of the write."""
        return self.key.mod_revision


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDeleted:
    """A key was deleted: by a client or with its lease, which etcd does not separate."""

    seen_at: float
    key: bytes
    revision: int


class GapReason(enum.Enum):
    """Why a watch missed events, where no error says it."""

    COMPACTED = enum.auto()
    """etcd has deleted the revisions that the watch had not delivered yet."""
    FELL_BEHIND = enum.auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchGap:
    """The watch missed the events before this moment."""

    seen_at: float
    why: GapReason | str
    """Text is an error's message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchProgress:
    """All events up to this revision have been delivered."""

    seen_at: float
    revision: int


WatchEvent: TypeAlias = KeyPut | KeyDeleted | WatchGap | WatchProgress


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueActivity:
    """Counts over the time in which the queue was watched without a gap."""

    watched_s: float = 0.0
    """0 where the queue was not watched at all."""
    releases: int = 0
    """Holds that ended."""
    hand_overs: int = 0
    """Holds that began after another had ended."""
    arrivals: int = 0
    """Keys that joined the queue."""
    gave_up: int = 0
    """Keys that left without having held."""
    gave_up_patiently: int = 0
    """Those of them that were seen to wait for a while; the others only tried."""
    gave_up_at: Mapping[LeaseId, float] = field(default_factory=dict)
    """When the leases of those were seen to leave, the last time of each."""
    has_gap: bool = False
    """The watch missed events, so the counts are lower bounds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueActivityIndex:
    """The activity of the queues of a prefix."""

    still: QueueActivity
    """In each queue that no event touched."""
    moved: Mapping[QueueId, QueueActivity]
    """In each of the others."""

    def of(self, queue: QueueId) -> QueueActivity:
        """Return the activity of one queue."""
        return self.moved.get(queue, self.still)


def replay(
    locks: Iterable[Lock],
    events: Sequence[WatchEvent],
    since: float,
    book: RecipeBook = BUILT_IN,
) -> QueueActivityIndex:
    """
    Count what happened in each queue, from one state and all later events.

    Args:
        locks: Every lock of a prefix at one revision.
        events: What a watch from the next revision on saw, in its order. Events after a gap are not
            counted, since the holder by then is uncertain.
        since: When the locks were read.
        book: The recipes, by which the locks were found.

    Returns:
        The activity of every queue; of a queue without events, only how long it was watched.
    """
    anything_moved = any(isinstance(event, KeyPut | KeyDeleted) for event in events)
    table = _Queues(locks if anything_moved else (), since, book)
    until = since
    has_gap = False
    for event in events:
        if isinstance(event, WatchGap):
            has_gap = True
            break
        until = max(until, event.seen_at)
        if isinstance(event, KeyPut):
            table.put(event.key, event.seen_at)
        elif isinstance(event, KeyDeleted):
            table.delete(event.key, event.seen_at)
    watched_s = until - since
    return QueueActivityIndex(
        still=QueueActivity(watched_s=watched_s, has_gap=has_gap),
        moved={
            queue: state.counts(watched_s, has_gap=has_gap) for queue, state in table.moved.items()
        },
    )


@dataclass(slots=True)
class _Queue:
    """The keys in one queue now, and its counts."""

    rules: LockRecipe
    since: float
    """When it was seen first."""
    members: OrderedDict[bytes, LockKey] = field(default_factory=OrderedDict)
    """In the order of the queue: a new key is last. The first is found at once."""
    releases: int = 0
    hand_overs: int = 0
    arrivals: int = 0
    gave_up: int = 0
    gave_up_patiently: int = 0
    gave_up_at: dict[LeaseId, float] = field(default_factory=dict)
    joined_at: dict[bytes, float] = field(default_factory=dict)

    def join(self, key: LockKey, seen_at: float) -> None:
        self.arrivals += 1
        self.joined_at[key.key] = seen_at
        if not self.members and self.releases:
            self.hand_overs += 1
        self.members[key.key] = key

    def leave(self, key: LockKey, seen_at: float) -> None:
        held = {holder.key for holder in self.rules.holding(self.members.values())}
        del self.members[key.key]
        if key.key not in held:
            self.gave_up += 1
            self.gave_up_patiently += (
                seen_at - self.joined_at.pop(key.key, self.since) >= PATIENCE_S
            )
            self.gave_up_at[key.lease_id] = seen_at
            return
        self.releases += 1
        if self.members:
            holding = self.rules.holding(self.members.values())
            self.hand_overs += any(holder.key not in held for holder in holding)

    def counts(self, watched_s: float, *, has_gap: bool) -> QueueActivity:
        return QueueActivity(
            watched_s=watched_s,
            releases=self.releases,
            hand_overs=self.hand_overs,
            arrivals=self.arrivals,
            gave_up=self.gave_up,
            gave_up_patiently=self.gave_up_patiently,
            gave_up_at=self.gave_up_at,
            has_gap=has_gap,
        )


class _Queues:
    """The queues of a prefix with events, built from their first state."""

    def __init__(self, locks: Iterable[Lock], since: float, book: RecipeBook) -> None:
        self._since = since
        self._book = book
        self.moved: dict[QueueId, _Queue] = {}
        self._locks = {queue_of(lock): lock for lock in locks}
        self._queue_of: dict[bytes, QueueId] = {}
        self._blocked_by: dict[bytes, list[QueueId]] = {}
        for queue, lock in self._locks.items():
            contenders = list(lock.keys)
            if lock.foreign_holder:  # its key blocks this queue besides its own
                foreign = contenders.pop(0)
                self._blocked_by.setdefault(foreign.key, []).append(queue)
            self._queue_of.update((key.key, queue) for key in contenders)

    def put(self, key: LockKey, seen_at: float) -> None:
        if key.version > 1:  # written again, by an owner that keeps its place
            return
        self.delete(key.key, seen_at)
        queue = claim(key, self._book)
        self._state(queue).join(key, seen_at)
        self._queue_of[key.key] = queue

    def delete(self, key: bytes, seen_at: float) -> None:
        left = self._blocked_by.pop(key, [])
        if key in self._queue_of:
            left.append(self._queue_of.pop(key))
        for queue in left:
            state = self._state(queue)
            state.leave(state.members[key], seen_at)

    def _state(self, queue: QueueId) -> _Queue:
        if queue not in self.moved:
            lock = self._locks.get(queue)
            members = OrderedDict((key.key, key) for key in lock.keys) if lock else OrderedDict()
            self.moved[queue] = _Queue(self._book.of(queue.recipe), self._since, members)
        return self.moved[queue]
