"""What the workflows ask of the world: a cluster, a clock, someone to tell how far we are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from lockdoctor.domain.evidence import Evidence
    from lockdoctor.domain.inference.queue_activity import WatchEvent
    from lockdoctor.domain.model.alarms import ClusterAlarm
    from lockdoctor.domain.model.leases import FailedReading, LeaseId, Reading
    from lockdoctor.domain.model.locks import Hold, KeySnapshot, LockKey
    from lockdoctor.domain.model.write_result import WriteResult
    from lockdoctor.domain.past.past import Past
    from lockdoctor.domain.past.run_record import RunRecord
    from lockdoctor.domain.processes.comparison import ProcessData
    from lockdoctor.domain.treatment.journal_entry import Entry, EntryId, Line
    from lockdoctor.domain.treatment.results import TargetResult, UndoResult


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberStatus:
    """One answer of the member that we read from, about itself."""

    asked_at: float
    answered_at: float
    endpoint: str
    cluster_id: int
    member_id: int
    leader_id: int | None
    """0 where the member knows no leader, None where this user may not see it."""
    raft_term: int
    revision: int
    version: str
    """Empty where this user may not see it."""
    alarms: tuple[ClusterAlarm, ...] | None
    """The alarms of the cluster, the worst first; None where this user may not see them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseList:
    """All leases of the cluster as one member knows them; it may lag behind the others."""

    asked_at: float
    answered_at: float
    raft_term: int
    lease_ids: frozenset[LeaseId]


class Cluster(Protocol):
    """
    What lockdoctor reads of an etcd cluster. Nothing here writes.

    Every method raises ClusterUnreachable, ClusterTimeout or AccessDenied, in a sentence for
    the person on call.
    """

    @property
    def notes(self) -> Sequence[str]:
        """What its user should know of how it was read, a sentence each."""
        ...

    async def status(self) -> MemberStatus:
        """Ask the member that we read from who it is and whom it follows."""
        ...

    async def keys(self, prefix: bytes) -> KeySnapshot:
        """Read every key with this prefix, in pages at one revision; b"" reads all keys."""
        ...

    async def leases(self) -> LeaseList:
        """List every lease of the cluster; AccessDenied where the role may not see it."""
        ...

    async def members(self) -> frozenset[int]:
        """Tell the IDs of all members of the cluster."""
        ...

    def watch(self, prefix: bytes, from_revision: int) -> AsyncIterator[WatchEvent]:
        """
        Follow what happens to the keys of a prefix, in the order of revisions, until closed.

        A break is mended by resuming from the last revision seen; what that cannot mend
        (a compaction) is told as a WatchGap, and the watch goes on after it.
        """
        ...

    def read_leases(
        self, lease_ids: Iterable[LeaseId], *, with_keys: bool
    ) -> AsyncIterator[Reading | FailedReading]:
        """
        Look up leases, many at a time, paced; each answer as it comes, in no order.

        Args:
            with_keys: Ask for the attached keys too. Where the role may not see them, the
                reading comes without (attached_keys is None).
        """
        ...

    async def close(self) -> None:
        """Let go of the connection."""
        ...


MAX_TOGETHER = 40
"""
Keys in one guarded write: etcd takes 128 comparisons, and each key is compared in three ways.

Source: --max-txn-ops, and checkTxnRequest in etcd's server/etcdserver/api/v3rpc/key.go.
"""


class KeyWriter(Protocol):
    """
    What a treatment does to an etcd cluster: the only door through which anything is written.

    A write is sent once and never repeated: what became of it, its Written tells. Guarded ones
    touch all of their keys or none, and only keys that are still the very ones that were read:
    same create revision, modification revision and lease. They take MAX_TOGETHER keys at most.

    Every method raises ClusterUnreachable, ClusterTimeout or AccessDenied, in a sentence for the
    person on call; a write raises only where etcd has certainly not carried it out.
    """

    async def key(self, key: bytes) -> LockKey | None:
        """Read one key with its whole value, as the majority of the members has it."""
        ...

    async def delete(self, keys: Sequence[LockKey]) -> WriteResult:
        """Delete keys, guarded; their leases stay, and whatever else is on those."""
        ...

    async def move(self, keys: Sequence[LockKey], to: LeaseId) -> WriteResult:
        """
        Put keys onto another lease, guarded; NO_LEASE takes them off theirs.

        Their values and create revisions stay, and so do their places in a queue.
        """
        ...

    async def create(self, keys: Sequence[LockKey], lease_id: LeaseId) -> WriteResult:
        """Write keys with their values onto a lease, only where none of them exists."""
        ...

    async def grant(self, ttl_s: int) -> LeaseId:
        """
        Grant a lease that nobody renews; etcd may raise its TTL.

        Where no answer tells its ID, it ends by itself: that is raised like any failure.
        """
        ...

    async def revoke(self, lease_id: LeaseId) -> WriteResult:
        """End a lease and delete every key that is on it by then: etcd knows no guard for it."""
        ...


class TreatmentText(Protocol):
    """Words for what a plan and a journal keep as sentences, so that they stay readable."""

    def evidence(self, evidence: Evidence) -> str:
        """Word what speaks for a treatment."""
        ...

    def outcome(self, treated: TargetResult | UndoResult) -> str:
        """Word what became of a target."""
        ...


class History(Protocol):
    """
    What earlier runs have seen.

    Every method raises HistoryError, in a sentence for the person on call.
    """

    notes: list[str]
    """What its user should know of how it fared, a sentence each."""

    def recall(
        self,
        *,
        cluster_id: int,
        revision: int,
        raft_term: int,
        prefixes: Sequence[bytes],
        holds: Sequence[Hold],
        lease_ids: Collection[LeaseId],
        judged_by: str,
    ) -> Past:
        """
        Tell what is known of these holds and leases, in the present run's time.

        Args:
            revision: The cluster's revision now; one that is lower than the last stored tells
                of a restored snapshot, whose past is another one.
            raft_term: The cluster's raft term now, of which the same holds.
            lease_ids: All leases of the cluster among them, where the run has a list.
            judged_by: What the verdicts depend on besides etcd; see RunRecord.
        """
        ...

    def record(self, run: RunRecord) -> None:
        """Keep what one run has seen."""
        ...

    def prune(self) -> None:
        """Forget what is too old or too much."""
        ...


class Journal(Protocol):
    """
    What lockdoctor did to clusters. It only ever grows.

    Every method raises JournalError, in a sentence for the person on call.
    """

    notes: list[str]
    """What could not be read of it, a sentence each; entries() and find() fill it."""
    newer: int
    """How many lines only a newer lockdoctor can read; entries() and find() count them."""

    def new_entry_id(self) -> EntryId:
        """Make an ID that no other entry has, in this journal or another."""
        ...

    def write(self, line: Line) -> None:
        """
        Write an intent or an outcome; once this returns, it survives a crash of the machine.

        Nothing may be done to etcd before its intent is written. Values are cut to what
        domain.journal.kept leaves of them.
        """
        ...

    def entries(self) -> tuple[Entry, ...]:
        """Give all entries, the oldest first."""
        ...

    def find(self, entry_id: EntryId) -> Entry | None:
        """Give one entry; None where there is none."""
        ...


class ProcessSource(Protocol):
    """Somebody besides etcd's leases who can tell of them: processes, a member's counters."""

    @property
    def name(self) -> str:
        """What Unseen calls all of it."""
        ...

    async def poll(self, *, is_last: bool) -> ProcessData:
        """
        Listen once; never raises, what could not be heard is among what it returns.

        Args:
            is_last: The window ends: worth a closer look.
        """
        ...


class StopRequest:
    """Lets somebody ask a running workflow to end early with what it has."""

    def __init__(self) -> None:
        """Nobody has asked yet."""
        self.reason: str | None = None
        self.stage = "connecting to etcd"
        """What the run is at, for whoever asks to tell where it was."""
        self._asked = asyncio.Event()

    def request(self, reason: str) -> None:
        """Ask; the first reason stands."""
        self.reason = self.reason or reason
        self._asked.set()

    async def wait_requested(self) -> None:
        """Wait until somebody has asked."""
        await self._asked.wait()


class Clock(Protocol):
    """The only source of the time."""

    def now(self) -> float:
        """Seconds since the Unix epoch; never steps back, counts while the machine is suspended."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait, without keeping others from running."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanProgress:
    """How far a scan has come."""

    locks: int
    leases: int
    """Leases to be decided."""
    decided: int
    lookups: int
    elapsed_s: float
    left_s: float
    """Seconds until the last planned look."""


class Progress(Protocol):
    """Someone who wants to know how far a run has come."""

    def update(self, progress: ScanProgress) -> None:
        """Take notice; called a few times a second."""
        ...
