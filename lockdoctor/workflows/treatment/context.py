"""What every treatment works with, and how it reads its targets."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lockdoctor.domain.model.leases import (
    NO_LEASE,
    FailedReading,
    LeaseId,
    LeaseNotFound,
    LeaseReading,
    Reading,
)
from lockdoctor.domain.model.locks import KeySnapshot, Lock, LockId, LockKey
from lockdoctor.domain.recipes.grouping import OnlyRecipes, locks
from lockdoctor.domain.recipes.registry import RecipeBook
from lockdoctor.domain.treatment.journal_entry import Actor, Entry
from lockdoctor.domain.treatment.plan import Target
from lockdoctor.domain.treatment.preconditions import CurrentState
from lockdoctor.errors import WrongClusterError
from lockdoctor.ports import Clock, Cluster, Journal, KeyWriter, TreatmentText

LOOK_UP_S = 15.0
"""
The maximum time, in seconds, to look up a write without an answer. etcd gives up after seven
seconds, and an election might come in between. Source: ReqTimeout in etcd's
server/config/config.go.
"""

BATCH_SIZE = 32
"""The maximum number of keys read at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TreatmentContext:
    """The cluster, clock, journal, recipes and options that a treatment needs."""

    cluster: Cluster
    key_writer: KeyWriter
    journal: Journal
    clock: Clock
    words: TreatmentText
    who: Actor
    recipes: RecipeBook
    """Those by which the locks were found: they tell where a queue is, and who holds."""
    look_up_s: float = LOOK_UP_S
    """The maximum time to look up a write without an answer, in seconds."""


async def require_cluster(cluster: Cluster, wanted: int, whose: str) -> None:
    """
    Raise an error unless this is the cluster that a treatment is planned for.

    Args:
        wanted: The ID of that cluster.
        whose: What is for that cluster, such as "the plan".

    Raises:
        ClusterError: etcd could not be read.
        WrongClusterError: It is another cluster.
    """
    status = await cluster.status()
    if status.cluster_id != wanted:
        raise WrongClusterError.between(status.endpoint, status.cluster_id, wanted, whose)


async def require_cluster_of(cluster: Cluster, entry: Entry) -> None:
    """Raise an error, as require_cluster does, unless it is the entry's cluster."""
    intent = entry.intent
    await require_cluster(cluster, intent.cluster_id, f"entry {intent.entry_id} of the journal")


async def reread(context: TreatmentContext, target: Target) -> CurrentState:
    """
    Read a target again: its lease, its keys, and last the queues of its holds.

    Raises:
        ClusterError: It could not be read.
        WrongClusterError: Another cluster has answered.
    """
    lease = await read_lease(context.cluster, target.lease_id)
    keys = await read_keys(context.key_writer, (key.key for key in target.affected_keys))
    snapshots = [
        await queue_snapshot(context, approved_hold.lock) for approved_hold in target.approved_holds
    ]
    terms = [snapshot.raft_term for snapshot in snapshots]
    if isinstance(lease, LeaseReading | LeaseNotFound):
        terms.append(lease.raft_term)
    approved_holds = zip(target.approved_holds, snapshots, strict=True)
    return CurrentState(
        raft_term=max(terms, default=None),
        lease=lease,
        keys=keys,
        locks=[
            lock
            for approved_hold, found in approved_holds
            for lock in queues_of(context, approved_hold.lock, found)
        ],
    )


async def read_lease(cluster: Cluster, lease_id: LeaseId) -> Reading | FailedReading | None:
    """Look up one lease with its keys; return None for NO_LEASE."""
    if lease_id == NO_LEASE:
        return None
    answers = [each async for each in cluster.read_leases([lease_id], with_keys=True)]
    return answers[0]


async def read_keys(key_writer: KeyWriter, names: Iterable[bytes]) -> dict[bytes, LockKey]:
    """Read keys with their whole values; those that do not exist are left out."""
    found: list[LockKey | None] = []
    left = list(dict.fromkeys(names))
    for start in range(0, len(left), BATCH_SIZE):
        batch = left[start : start + BATCH_SIZE]
        found += await asyncio.gather(*(key_writer.key(name) for name in batch))
    return {key.key: key for key in found if key is not None}


async def queue_snapshot(context: TreatmentContext, lock: LockId) -> KeySnapshot:
    """Read the keys among which the waiters and the holder of a lock are."""
    return await context.cluster.keys(_range(context, lock))


def queues_of(context: TreatmentContext, lock: LockId, snapshot: KeySnapshot) -> Sequence[Lock]:
    """Return the locks that those keys form."""
    return locks(snapshot.keys, _range(context, lock), OnlyRecipes(context.recipes))


def _range(context: TreatmentContext, lock: LockId) -> bytes:
    return context.recipes.of(lock.recipe).queue_prefix(lock.name)
