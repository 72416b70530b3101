"""The interfaces between the workflows and the rest: cluster, clock, history."""

from __future__ import annotations

import asyncio
import enum
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
    from lockdoctor.domain.treatment.results import ActionResult, AnyTarget


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberStatus:
    """One answer of the connected member about itself."""

    asked_at: float
    answered_at: float
    endpoint: str
    cluster_id: int
    member_id: int
    leader_id: int | None
    """0 where the member has no leader, None where this user may not read it."""
    raft_term: int
    revision: int
    version: str
    """Empty where this user may not read it."""
    alarms: tuple[ClusterAlarm, ...] | None
    """The alarms of the cluster, the worst first; None if this user may not read them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseList:
    """All leases of the cluster as one member lists them; the list can lag behind."""

    asked_at: float
    answered_at: float
    raft_term: int
    lease_ids: frozenset[LeaseId]


class Cluster(Protocol):
    """
    The reads of an etcd cluster that lockdoctor needs; no method writes.

    Every method raises ClusterUnreachableError, ClusterTimeoutError or AccessDeniedError, each
    with a sentence for the person on call.
    """

    @property
    def notes(self) -> Sequence[str]:
        """Return notes for the user on how the cluster was read, one sentence each."""
        ...

    async def status(self) -> MemberStatus:
        """Read the status of the connected member: its ID and its leader's ID."""
        ...

    async def keys(self, prefix: bytes) -> KeySnapshot:
        """
        Read every key with this prefix, in pages at one revision.

        b"" reads all keys.
        """
        ...

    async def leases(self) -> LeaseList:
        """
        Return every lease of the cluster.

        Raises:
            AccessDeniedError: The role may not list leases.
        """
        ...

    async def members(self) -> frozenset[int]:
        """Return the IDs of all members of the cluster."""
        ...

    def watch(self, prefix: bytes, from_revision: int) -> AsyncIterator[WatchEvent]:
        """
        Yield the changes of a prefix's keys, ordered by revision, until closed.

        After a break, the watch resumes from the last revision seen. Where that is impossible
        (after a compaction), it yields a WatchGap and continues.
        """
        ...

    def read_leases(
        self, lease_ids: Iterable[LeaseId], *, with_keys: bool
    ) -> AsyncIterator[Reading | FailedReading]:
        """
        Look up many leases at a limited rate and yield each answer, in no order.

        Args:
            with_keys: Request the attached keys too. Where the role may not read them, the
                reading comes without (attached_keys is None).
        """
        ...

    async def close(self) -> None:
        """Close the connection."""
        ...


MAX_KEYS_PER_WRITE = 40
"""
Maximum keys in one guarded write: 128 comparisons in etcd, three per key.

Source: --max-txn-ops, and checkTxnRequest in etcd's server/etcdserver/api/v3rpc/key.go.
"""


class KeyWriter(Protocol):
    """
    The actions on an etcd cluster: the only interface that writes to it.

    Each write is sent once and never repeated; its WriteResult holds the outcome. A guarded write
    changes all of its keys or no key. It changes only keys with the create revision, modification
    revision and lease that were read. It takes MAX_KEYS_PER_WRITE keys at most.

    Every method raises ClusterUnreachableError, ClusterTimeoutError or AccessDeniedError, each
    with a sentence for the person on call. A write raises only where etcd has certainly not
    carried it out.
    """

    async def key(self, key: bytes) -> LockKey | None:
        """Read one key with its whole value, as the majority of the members has it."""
        ...

    async def delete(self, keys: Sequence[LockKey]) -> WriteResult:
        """Delete keys, guarded; their leases and the leases' other keys stay."""
        ...

    async def move(self, keys: Sequence[LockKey], to: LeaseId) -> WriteResult:
        """
        Move keys to another lease, guarded; NO_LEASE detaches them from theirs.

        The keys keep their values, their create revisions and their places in a queue.
        """
        ...

    async def create(self, keys: Sequence[LockKey], lease_id: LeaseId) -> WriteResult:
        """Write keys with their values to a lease, only if no such key exists."""
        ...

    async def grant(self, ttl_s: int) -> LeaseId:
        """
        Grant a lease that no client renews; etcd may raise its TTL.

        Without an answer, the ID is missing and the lease expires: this raises like any failure.
        """
        ...

    async def revoke(self, lease_id: LeaseId) -> WriteResult:
        """
        End a lease and delete every key that is then on it.

        etcd has no guard for this request.
        """
        ...


class TreatmentText(Protocol):
    """Sentences for plans and journals, so that people can read them later."""

    def evidence(self, evidence: Evidence) -> str:
        """Return the sentence for one piece of evidence for an action."""
        ...

    def outcome(self, result: ActionResult[AnyTarget]) -> str:
        """Return the sentence for the outcome of one target."""
        ...


class History(Protocol):
    """
    The history of earlier runs.

    Every method raises HistoryError, with a sentence for the person on call.
    """

    notes: list[str]
    """Notes for the user on how the history was used, one sentence each."""

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
        Return the stored facts on these holds and leases, in this run's time.

        Args:
            revision: The cluster's revision now. One lower than the last stored means a restored
                snapshot, whose past is another one.
            raft_term: The cluster's raft term now. The same applies to it.
            lease_ids: All leases of the cluster among them, where the run has a list.
            judged_by: The inputs of the verdicts besides etcd; see RunRecord.
        """
        ...

    def record(self, run: RunRecord) -> None:
        """Store the facts of one run."""
        ...

    def prune(self) -> None:
        """Delete runs that are too old or exceed the size limit."""
        ...


class Journal(Protocol):
    """
    The record of lockdoctor's actions on clusters; it only grows.

    Every method raises JournalError, with a sentence for the person on call.
    """

    notes: list[str]
    """One sentence for each unreadable part; entries() and find() fill it."""
    newer: int
    """Number of lines of a newer, unreadable format; entries() and find() count them."""

    def new_entry_id(self) -> EntryId:
        """Return a new ID that is unique in this journal and in all others."""
        ...

    def write(self, line: Line) -> None:
        """
        Write an intent or an outcome, durable against a crash of the machine.

        Write the intent before the action on etcd. Values are cut to the length that
        domain.journal.kept allows.
        """
        ...

    def entries(self) -> tuple[Entry, ...]:
        """Return all entries, the oldest first."""
        ...

    def find(self, entry_id: EntryId) -> Entry | None:
        """Return one entry; None if it does not exist."""
        ...


class ProcessSource(Protocol):
    """An additional data source: goroutines of a process, or etcd's metrics."""

    @property
    def name(self) -> str:
        """Return the name of the source for the list of what could not be read."""
        ...

    async def poll(self, *, is_last: bool) -> ProcessData:
        """
        Read the source once; a failed read is part of the result, never raised.

        Args:
            is_last: The window ends, so a more detailed read is worth its cost.
        """
        ...


class Stage(enum.Enum):
    """The current step of a run; outputs/text/stages has the words."""

    CONNECT = enum.auto()
    READ_KEYS = enum.auto()
    CHOOSE_LEASES = enum.auto()
    LIST_LEASES = enum.auto()
    READ_HISTORY = enum.auto()
    READ_LEASES = enum.auto()
    CONFIRM_TERM = enum.auto()
    WAIT_FOR_LIMIT = enum.auto()
    """A renewed hold will exceed its stated limit within the window."""
    READ_KEYS_AGAIN = enum.auto()


class StopRequest:
    """A request to end a running workflow early with the results it has."""

    def __init__(self) -> None:
        """Start without a request."""
        self.reason: str | None = None
        self.stage = Stage.CONNECT
        """The current step of the run, for a report on where it ended."""
        self._asked = asyncio.Event()

    def request(self, reason: str) -> None:
        """Request the end; the first reason is kept."""
        self.reason = self.reason or reason
        self._asked.set()

    async def wait_requested(self) -> None:
        """Wait until the end is requested."""
        await self._asked.wait()


class Clock(Protocol):
    """The only source of the time."""

    def now(self) -> float:
        """
        Return seconds since the Unix epoch; the clock never steps back.

        It counts while the machine is suspended.
        """
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait without blocking other tasks."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanProgress:
    """The progress of a scan."""

    locks: int
    leases: int
    """Leases to be decided."""
    decided: int
    lookups: int
    elapsed_s: float
    left_s: float
    """Seconds until the last planned look-up."""


class Progress(Protocol):
    """A receiver of progress reports."""

    def update(self, progress: ScanProgress) -> None:
        """Take one report; the workflow calls this a few times per second."""
        ...
