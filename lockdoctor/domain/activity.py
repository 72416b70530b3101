"""What came and went in the queue of one lock while it was watched."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from lockdoctor.domain.leases import LeaseId
from lockdoctor.domain.locks import Lock, LockKey
from lockdoctor.domain.recipes import Claim, claim, queue_of
from lockdoctor.domain.shapes import RECIPE_OF, LockRecipe


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPut:
    """A key was written."""

    seen_at: float
    key: LockKey

    @property
    def revision(self) -> int:
        """The revision of the write."""
        return self.key.mod_revision


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDeleted:
    """A key was deleted: by a client, or with its lease; etcd does not tell which."""

    seen_at: float
    key: bytes
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchGap:
    """The watch missed what happened before this moment."""

    seen_at: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchProgress:
    """Everything up to this revision has been delivered."""

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
    """Contenders that came."""
    gave_up: int = 0
    """Contenders that left without having held."""
    gave_up_leases: frozenset[LeaseId] = frozenset()
    """The leases of those."""
    has_gap: bool = False
    """The watch missed something, so the counts are lower bounds."""


NOTHING_SEEN = QueueActivity()


def replay(
    locks: Iterable[Lock], events: Iterable[WatchEvent], since: float
) -> dict[Claim, QueueActivity]:
    """
    Count what happened in each queue, from its state at one revision and all that came after.

    Args:
        locks: Every lock of a prefix at one revision.
        events: What a watch from the next revision on saw, in its order. What comes after a gap
            is not counted: who held by then is not known.
        since: When the locks were read.

    Returns:
        The activity of every queue that was there at the beginning or came up since.
    """
    table = _Queues(locks)
    until = since
    gap = False
    for event in events:
        if isinstance(event, WatchGap):
            gap = True
            break
        until = max(until, event.seen_at)
        if isinstance(event, KeyPut):
            table.put(event.key)
        elif isinstance(event, KeyDeleted):
            table.delete(event.key)
    return {queue: state.counts(until - since, gap) for queue, state in table.queues.items()}


@dataclass(slots=True)
class _Queue:
    """Who stands in one queue now, and what has happened in it."""

    rules: LockRecipe
    members: dict[bytes, LockKey] = field(default_factory=dict)
    has_freed: bool = False
    releases: int = 0
    hand_overs: int = 0
    arrivals: int = 0
    gave_up_leases: list[LeaseId] = field(default_factory=list)

    def join(self, key: LockKey) -> None:
        self.arrivals += 1
        if not self.members and self.has_freed:
            self.hand_overs += 1
        self.members[key.key] = key

    def leave(self, key: LockKey) -> None:
        held = {holder.key for holder in self.rules.holding(self.members.values())}
        del self.members[key.key]
        if key.key not in held:
            self.gave_up_leases.append(key.lease_id)
            return
        self.releases += 1
        self.has_freed = True
        if self.members:
            hold = self.rules.holding(self.members.values())
            self.hand_overs += any(holder.key not in held for holder in hold)

    def counts(self, watched_s: float, gap: bool) -> QueueActivity:  # noqa: FBT001
        return QueueActivity(
            watched_s=watched_s,
            releases=self.releases,
            hand_overs=self.hand_overs,
            arrivals=self.arrivals,
            gave_up=len(self.gave_up_leases),
            gave_up_leases=frozenset(self.gave_up_leases),
            has_gap=gap,
        )


class _Queues:
    """Every queue of a prefix, with the way from a key to the queues it stands in."""

    def __init__(self, locks: Iterable[Lock]) -> None:
        self.queues: dict[Claim, _Queue] = {}
        self._standing: dict[bytes, list[tuple[_Queue, LockKey]]] = {}
        for lock in locks:
            queue = self._queue(queue_of(lock))
            for key in lock.keys:  # a foreign holder blocks this queue as well as its own
                queue.members[key.key] = key
                self._standing.setdefault(key.key, []).append((queue, key))

    def put(self, key: LockKey) -> None:
        if key.version > 1:  # written again, by an owner that keeps its place
            return
        self.delete(key.key)
        queue = self._queue(claim(key))
        queue.join(key)
        self._standing[key.key] = [(queue, key)]

    def delete(self, key: bytes) -> None:
        for queue, member in self._standing.pop(key, ()):
            queue.leave(member)

    def _queue(self, queue: Claim) -> _Queue:
        return self.queues.setdefault(queue, _Queue(RECIPE_OF[queue.recipe]))
