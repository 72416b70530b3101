"""A clock that moves when somebody sleeps, a cluster that lives by it, a journal in memory."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, field

from lockdoctor.domain.inference.queue_activity import (
    KeyDeleted,
    KeyPut,
    WatchEvent,
    WatchGap,
    WatchProgress,
)
from lockdoctor.domain.model.alarms import ClusterAlarm
from lockdoctor.domain.model.leases import (
    NO_LEASE,
    FailedReading,
    LeaseId,
    LeaseNotFound,
    LeaseReading,
    Reading,
)
from lockdoctor.domain.model.locks import KeySnapshot, LockKey
from lockdoctor.domain.treatment.journal_entry import Entry, EntryId, Line, cut, entries
from lockdoctor.errors import AccessDeniedError, ClusterError, JournalError, WrongClusterError
from lockdoctor.ports import LeaseList, MemberStatus

START = 1_790_000_000.0
IDLE_TURNS = 25
"""After so many turns of the event loop in which only the clock ran, all others wait."""
ELECTION_TIMEOUT_S = 1.0
REVOKED_AFTER_S = 0.3
"""etcd looks for expired leases twice a second."""
MIN_TTL_S = 2
LOOK_UP_S = 1e-6
"""No look-up sees a renewal in the very instant in which it happens."""
TOGETHER = 32
POLL_S = 0.05
PROGRESS_S = 1.0


class FakeClock:
    """A clock whose sleep takes no time: when all tasks wait, it jumps to the next waking."""

    def __init__(self, now: float = START) -> None:
        """Start at a moment."""
        self._now = now
        self._numbers = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._driver: asyncio.Task[None] | None = None

    def now(self) -> float:
        """Seconds since the Unix epoch."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has moved on, which it does while nobody else has anything to do."""
        loop = asyncio.get_running_loop()
        waking: asyncio.Future[None] = loop.create_future()
        until = self._now + max(0.0, seconds)
        heapq.heappush(self._sleepers, (until, next(self._numbers), waking))
        if self._driver is None or self._driver.done():
            self._driver = loop.create_task(self._drive())
        await waking

    def advance(self, seconds: float) -> None:
        """Let time pass without anybody sleeping."""
        self._now += seconds

    async def _drive(self) -> None:
        while self._sleepers:
            for _ in range(IDLE_TURNS):
                await asyncio.sleep(0)
            until, _, waking = heapq.heappop(self._sleepers)
            if not waking.done():  # the sleeper may have been cancelled
                self._now = max(self._now, until)
                waking.set_result(None)


@dataclass
class FakeLease:
    """A lease as etcd's lessor keeps it."""

    granted_ttl_s: int
    deadline: float
    renewal_period_s: float | None = None
    """None where nobody renews it."""
    keys: set[bytes] = field(default_factory=set)


class FakeCluster:
    """
    A Cluster (see ports) on a simulated lessor and store of keys.

    The upper methods are what lockdoctor reads; those from grant() on are what others do to the
    cluster, at the moment of the clock. Public attributes are its faults.

    Source: lessor.go in etcd's server/lease; what it does was compared in etcd/test_contract.py.
    """

    def __init__(self, clock: FakeClock) -> None:
        """Start empty, at revision 1 and raft term 2, as etcd does."""
        self.latency_s = 0.001
        """How long each answer takes, on the clock."""
        self.unreachable: ClusterError | WrongClusterError | None = None
        """What every reading raises."""
        self.cluster_id = 0xC1
        self.notes: list[str] = []
        self.lease_list_denied = False
        self.member_list_denied = False
        self.status_denied = False
        self.alarms: tuple[ClusterAlarm, ...] | None = ()
        self.attached_keys_denied = False
        """Look-ups with keys are refused, as to a role that may not read all of them."""
        self.denied_prefixes: set[bytes] = set()
        self.denied_leases: set[LeaseId] = set()
        self.is_unable_to_revoke = False
        """Leases whose time is over stay, as where etcd's own revokes are refused."""
        self.ghosts: set[LeaseId] = set()
        """The list has these, too."""
        self.lookups = 0
        """Leases looked up so far ..."""
        self.lookups_with_keys = 0
        """... and those of them whose keys were asked for, too."""
        self.is_closed = False
        self._clock = clock
        self._moment = clock.now()
        self._is_settling = False
        self._revision = 1
        self._compacted = 0
        self._term = 2
        self._term_before = 2
        self._term_shown_at = -math.inf
        self._leader_id = 1
        self._leases: dict[LeaseId, FakeLease] = {}
        self._keys: dict[bytes, LockKey] = {}
        self._log: list[tuple[int, bytes, LockKey | None]] = []
        self._agenda: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()
        self._new_ids = itertools.count(0x1000)

    async def status(self) -> MemberStatus:
        """Say who answers, and whom it follows."""
        asked_at, answered_at = await self._answer()
        return MemberStatus(
            asked_at=asked_at,
            answered_at=answered_at,
            endpoint="fake:2379",
            cluster_id=self.cluster_id,
            member_id=1,
            leader_id=None if self.status_denied else self._leader_id,
            raft_term=self._shown_term,
            revision=self._revision,
            version="" if self.status_denied else "3.5.1",
            alarms=self.alarms,
        )

    async def keys(self, prefix: bytes) -> KeySnapshot:
        """Give every key with this prefix."""
        asked_at, answered_at = await self._answer()
        self._refuse_denied(prefix)
        return KeySnapshot(
            asked_at=asked_at,
            answered_at=answered_at,
            revision=self._revision,
            raft_term=self._shown_term,
            keys=tuple(key for name, key in sorted(self._keys.items()) if name.startswith(prefix)),
        )

    async def leases(self) -> LeaseList:
        """List every lease."""
        asked_at, answered_at = await self._answer()
        if self.lease_list_denied:
            raise AccessDeniedError("etcd does not permit this user to list the leases")
        return LeaseList(
            asked_at=asked_at,
            answered_at=answered_at,
            raft_term=self._shown_term,
            lease_ids=frozenset(self._leases.keys() | self.ghosts),
        )

    async def members(self) -> frozenset[int]:
        """Tell the IDs of all members."""
        await self._answer()
        if self.member_list_denied:
            raise AccessDeniedError("etcd does not permit this user to list the members")
        return frozenset({1, 2, 3})

    async def watch(self, prefix: bytes, from_revision: int) -> AsyncIterator[WatchEvent]:
        """Tell what happens to the keys of a prefix."""
        await self._answer()
        self._refuse_denied(prefix)
        position, progress_at = from_revision, self._clock.now() + PROGRESS_S
        while True:
            self._settle()
            if position <= self._compacted:
                yield WatchGap(seen_at=self._clock.now(), why="etcd was compacted")
                position = self._compacted + 1
            for event in self._events(prefix, position):
                progress_at = self._clock.now() + PROGRESS_S
                yield event
            position = max(position, self._revision + 1)
            if self._clock.now() >= progress_at:
                progress_at = self._clock.now() + PROGRESS_S
                yield WatchProgress(seen_at=self._clock.now(), revision=position - 1)
            await self._clock.sleep(POLL_S)
            self._fail_if_unreachable()

    async def read_leases(
        self, lease_ids: Iterable[LeaseId], *, with_keys: bool
    ) -> AsyncIterator[Reading | FailedReading]:
        """Look up leases, some at a time."""
        ids = iter(lease_ids)
        while batch := list(itertools.islice(ids, TOGETHER)):
            asked_at, answered_at = await self._answer()
            for lease_id in batch:
                self.lookups += 1
                self.lookups_with_keys += with_keys
                yield self._read(lease_id, asked_at, answered_at, with_keys=with_keys)

    async def close(self) -> None:
        """Remember that it was closed."""
        self.is_closed = True

    @property
    def revision(self) -> int:
        """The revision of the last write."""
        self._settle()
        return self._revision

    @property
    def now(self) -> float:
        """The moment of what happens now."""
        return self._moment

    def grant(self, ttl_s: int, lease_id: int | None = None) -> LeaseId:
        """Grant a lease; etcd raises short ones to two seconds."""
        self._settle()
        new_id = LeaseId(next(self._new_ids) if lease_id is None else lease_id)
        granted = max(ttl_s, MIN_TTL_S)
        self._leases[new_id] = FakeLease(granted, self._moment + granted)
        self._plan_expiry(new_id)
        return new_id

    def session(self, ttl_s: int, *, renewed_every_s: float | None = None) -> LeaseId:
        """Grant a lease that a client renews, every third of its TTL unless told otherwise."""
        lease_id = self.grant(ttl_s)
        self.renew_every(lease_id, renewed_every_s or ttl_s / 3)
        return lease_id

    def renew_every(self, lease_id: LeaseId, seconds: float) -> None:
        """Keep a lease alive from now on, the first renewal one period ahead."""
        self._settle()
        self._leases[lease_id].renewal_period_s = seconds
        self._plan(self._moment + seconds, lambda: self._renew_and_go_on(lease_id))

    def stop_renewing(self, lease_id: LeaseId) -> None:
        """Let a lease run out, as a client that crashed does."""
        self._settle()
        self._leases[lease_id].renewal_period_s = None

    def keep_alive(self, lease_id: LeaseId) -> None:
        """Renew a lease once."""
        self._settle()
        lease = self._leases.get(lease_id)
        if lease is not None and lease.deadline > self._moment:
            lease.deadline = self._moment + lease.granted_ttl_s
            self._plan_expiry(lease_id)

    def revoke(self, lease_id: LeaseId) -> None:
        """End a lease and delete its keys, in one revision."""
        self._settle()
        lease = self._leases.pop(lease_id)
        if lease.keys:
            self._revision += 1
        for key in sorted(lease.keys):
            self._keys.pop(key)
            self._log.append((self._revision, key, None))

    def lose(self, lease_id: LeaseId) -> None:
        """Forget a lease but not its keys, as damaged data do."""
        self._settle()
        del self._leases[lease_id]

    def put(self, key: bytes, value: bytes = b"", lease_id: LeaseId = NO_LEASE) -> LockKey:
        """Write a key."""
        self._settle()
        self._detach(key)
        self._revision += 1
        before = self._keys.get(key)
        written = LockKey(
            key=key,
            create_revision=before.create_revision if before else self._revision,
            mod_revision=self._revision,
            version=before.version + 1 if before else 1,
            lease_id=lease_id,
            value=value[:4096],
            value_size=len(value),
        )
        self._keys[key] = written
        self._log.append((self._revision, key, written))
        if lease_id != NO_LEASE:
            self._leases[lease_id].keys.add(key)
        return written

    def delete(self, key: bytes) -> None:
        """Delete a key; its lease stays."""
        self._settle()
        if key in self._keys:
            self._detach(key)
            self._revision += 1
            del self._keys[key]
            self._log.append((self._revision, key, None))

    def compact(self) -> None:
        """Forget the history up to now."""
        self._settle()
        self._compacted = self._revision

    def change_leader(self, *, term_lag_s: float = 0.0) -> None:
        """
        Let a new leader take office: every lease gets its full TTL and a second.

        Args:
            term_lag_s: How long headers go on carrying the old term.
        """
        self._settle()
        self._term_before, self._term = self._shown_term, self._term + 1
        self._term_shown_at = self._moment + term_lag_s
        self._leader_id += 1
        for lease_id, lease in self._leases.items():
            lease.deadline = self._moment + lease.granted_ttl_s + ELECTION_TIMEOUT_S
            self._plan_expiry(lease_id)

    def at(self, moment: float, action: Callable[[], object]) -> None:
        """Plan something that others do, at a moment of the clock."""
        self._plan(moment, action)

    @property
    def _shown_term(self) -> int:
        return self._term if self._moment >= self._term_shown_at else self._term_before

    async def _answer(self) -> tuple[float, float]:
        """Take the time that an answer takes; the state is that of its end."""
        self._fail_if_unreachable()
        asked_at = self._clock.now()
        await self._clock.sleep(self.latency_s)
        self._settle()
        return asked_at, self._clock.now()

    def _fail_if_unreachable(self) -> None:
        if self.unreachable is not None:
            raise self.unreachable

    def _refuse_denied(self, prefix: bytes) -> None:
        if prefix in self.denied_prefixes:
            raise AccessDeniedError("etcd does not permit this user to read the keys")

    def _read(
        self, lease_id: LeaseId, asked_at: float, answered_at: float, *, with_keys: bool
    ) -> Reading | FailedReading:
        if lease_id in self.denied_leases:
            return FailedReading(lease_id=lease_id, asked_at=asked_at, reason="denied")
        lease = self._leases.get(lease_id)
        if lease is None:
            return LeaseNotFound(
                lease_id=lease_id,
                asked_at=asked_at,
                answered_at=answered_at,
                raft_term=self._shown_term,
            )
        sees_keys = with_keys and not self.attached_keys_denied
        return LeaseReading(
            lease_id=lease_id,
            asked_at=asked_at,
            answered_at=answered_at,
            granted_ttl_s=lease.granted_ttl_s,
            remaining_ttl_s=math.trunc(lease.deadline - answered_at - LOOK_UP_S),
            raft_term=self._shown_term,
            attached_keys=tuple(sorted(lease.keys)) if sees_keys else None,
        )

    def _events(self, prefix: bytes, from_revision: int) -> Iterator[WatchEvent]:
        seen_at = self._clock.now()
        start = bisect_left(self._log, from_revision, key=lambda entry: entry[0])
        for revision, key, written in self._log[start:]:
            if not key.startswith(prefix):
                continue
            if written is None:
                yield KeyDeleted(seen_at=seen_at, key=key, revision=revision)
            else:
                yield KeyPut(seen_at=seen_at, key=written)

    def _detach(self, key: bytes) -> None:
        before = self._keys.get(key)
        if before is not None and before.lease_id in self._leases:
            self._leases[before.lease_id].keys.discard(key)

    def _renew_and_go_on(self, lease_id: LeaseId) -> None:
        lease = self._leases.get(lease_id)
        if lease is not None and lease.renewal_period_s is not None:
            self.keep_alive(lease_id)
            self._plan(
                self._moment + lease.renewal_period_s, lambda: self._renew_and_go_on(lease_id)
            )

    def _plan_expiry(self, lease_id: LeaseId) -> None:
        due = self._leases[lease_id].deadline + REVOKED_AFTER_S
        self._plan(due, lambda: self._expire(lease_id))

    def _expire(self, lease_id: LeaseId) -> None:
        lease = self._leases.get(lease_id)
        is_over = lease is not None and lease.deadline + REVOKED_AFTER_S <= self._moment
        if is_over and not self.is_unable_to_revoke:
            self.revoke(lease_id)

    def _plan(self, moment: float, action: Callable[[], object]) -> None:
        heapq.heappush(self._agenda, (moment, next(self._numbers), action))

    def _settle(self) -> None:
        """Let happen what was due up to now, each at its own moment."""
        if self._is_settling:
            return  # what is due happens one after the other
        self._is_settling = True
        now = self._clock.now()
        while self._agenda and self._agenda[0][0] <= now:
            moment, _, action = heapq.heappop(self._agenda)
            self._moment = max(self._moment, moment)
            action()
        self._moment = max(self._moment, now)
        self._is_settling = False


class FakeJournal:
    """A Journal (see ports) in memory; it may run out of room."""

    def __init__(self, room: float = math.inf) -> None:
        """Take so many lines; the next one fails, as on a full disk."""
        self.notes: list[str] = []
        self.newer = 0
        self.lines: list[Line] = []
        self.room = room
        self._numbers = itertools.count(1)

    def new_entry_id(self) -> EntryId:
        """Number the entries."""
        return EntryId(f"e{next(self._numbers)}")

    def write(self, line: Line) -> None:
        """Keep a line."""
        if len(self.lines) >= self.room:
            raise JournalError("the journal cannot be written (No space left on device)")
        self.lines.append(cut(line))

    def entries(self) -> tuple[Entry, ...]:
        """Give all entries."""
        return entries(self.lines)

    def find(self, entry_id: EntryId) -> Entry | None:
        """Give one entry."""
        return next((e for e in self.entries() if e.intent.entry_id == entry_id), None)
