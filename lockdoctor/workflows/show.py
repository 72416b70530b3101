"""Show: find what a word names in etcd, and examine only that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lockdoctor.domain.model.leases import FailedReading, LeaseId, LeaseReading
from lockdoctor.domain.model.locks import LockKey, outermost
from lockdoctor.domain.policy.policy import Policy
from lockdoctor.domain.recipes.grouping import QueueId, claim, queue_of
from lockdoctor.domain.recipes.registry import RecipeBook
from lockdoctor.domain.report.notes import KeysLeftOut
from lockdoctor.domain.report.report import Report
from lockdoctor.errors import AccessDeniedError, NotFoundError
from lockdoctor.ports import Clock, Cluster, History, ProcessSource, Progress, StopRequest
from lockdoctor.workflows.scan.request import ScanRequest
from lockdoctor.workflows.scan.scan import scan

MAX_QUEUES = 20
"""The maximum number of queues shown for one lease, which can have thousands of keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowTarget:
    """What to show: the name of a lock, a key, or a lease."""

    name: bytes
    lease_id: LeaseId | None
    """The lease that the same word can mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowRequest:
    """What to show, and for how long to watch it."""

    subject: ShowTarget
    policy: Policy
    window_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What the word names."""

    queues: frozenset[QueueId] = frozenset()
    leases: tuple[LeaseId, ...] = ()
    """A lease without keys."""
    left_out: int = 0
    """The number of keys of the lease that are not examined."""


async def show(
    cluster: Cluster,
    clock: Clock,
    request: ShowRequest,
    progress: Progress,
    stop: StopRequest,
    history: History | None = None,
    witnesses: Sequence[ProcessSource] = (),
) -> Report:
    """Examine one lock, or all locks of one lease, or one lease without keys."""
    book = request.policy.recipes
    found = await _find(cluster, request.subject, book)
    examine = ScanRequest(
        prefixes=outermost(sorted(book.of(q.recipe).queue_prefix(q.name) for q in found.queues)),
        policy=request.policy,
        window_s=request.window_s,
        command="show",
        sessions=False,
        leases=found.leases,
        whole_queue=True,
    )
    report = await scan(cluster, clock, examine, progress, stop, history, witnesses)
    return _restricted(report, found)


def _restricted(report: Report, found: _Found) -> Report:
    """Return the report on what was found only: its locks, failures and notes."""
    notes = report.notes
    if found.left_out:
        notes = (*notes, KeysLeftOut(found.left_out))
    return replace(
        report,
        locks=tuple(lock for lock in report.locks if queue_of(lock.lock) in found.queues),
        unseen=tuple(unseen for unseen in report.unseen if unseen.is_failure),
        gone=(),
        notes=notes,
    )


async def _find(cluster: Cluster, subject: ShowTarget, book: RecipeBook) -> _Found:
    """
    Find what a word names: a lease first, then a key, then a lock.

    A lease comes first, since 16 hexadecimal digits are hardly the name of a lock.
    """
    if subject.lease_id is not None:
        found = await _find_lease(cluster, subject.lease_id, book)
        if found is not None:
            return found
    keys = (await cluster.keys(subject.name)).keys
    exact = [key for key in keys if key.key == subject.name]
    queues = {claim(key, book) for key in exact or keys}
    if not exact:
        queues = {queue for queue in queues if queue.name == subject.name}
    if not queues:
        raise NotFoundError("No lease, key or lock of this name exists now.")
    return _Found(queues=frozenset(queues))


async def _find_lease(cluster: Cluster, lease_id: LeaseId, book: RecipeBook) -> _Found | None:
    (reading,) = [each async for each in cluster.read_leases([lease_id], with_keys=True)]
    if isinstance(reading, FailedReading):
        raise AccessDeniedError(f"The lease could not be read: {reading.reason}")
    if not isinstance(reading, LeaseReading):
        return None
    if reading.attached_keys is None:
        raise AccessDeniedError(
            "This etcd user may not read the keys of the lease. Use the name of its key instead."
        )
    shown = reading.attached_keys[:MAX_QUEUES]
    keys = [key for name in shown for key in await _key(cluster, name)]
    return _Found(
        queues=frozenset(claim(key, book) for key in keys),
        leases=() if keys else (lease_id,),
        left_out=len(reading.attached_keys) - len(shown),
    )


async def _key(cluster: Cluster, name: bytes) -> Sequence[LockKey]:
    """Read one key; return no key where it was deleted meanwhile."""
    return [key for key in (await cluster.keys(name)).keys if key.key == name]
