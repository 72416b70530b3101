"""Watch the locks that were freed, to find whether the leak comes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from lockdoctor.domain.inference.leadership import Leadership
from lockdoctor.domain.inference.renewals import trace
from lockdoctor.domain.model.actions import Action
from lockdoctor.domain.model.leases import FailedReading, LeadershipProbe, Reading
from lockdoctor.domain.model.locks import Hold, LockKey
from lockdoctor.domain.treatment.plan import ApprovedHold, Target
from lockdoctor.domain.treatment.preconditions import find_lock
from lockdoctor.domain.treatment.results import ActionResult, Reacquired
from lockdoctor.errors import ClusterError
from lockdoctor.ports import StopRequest
from lockdoctor.workflows.pausing import pause
from lockdoctor.workflows.treatment.context import TreatmentContext, queue_snapshot, queues_of

LOOK_INTERVAL_S = 0.5


@dataclass(slots=True)
class _Watched:
    """One lock that was freed, and its holders since."""

    approved_hold: ApprovedHold
    holder: LockKey | None = None
    since: float = 0.0
    last_seen_at: float = 0.0
    waited: bool = False
    waiting: frozenset[Hold] = frozenset()
    """The keys in the queue at the first reading."""
    has_begun: bool = False
    readings: list[Reading] = field(default_factory=list)


async def watch_for_relapse(
    context: TreatmentContext,
    treated: Sequence[ActionResult[Target]],
    watch_s: float,
    stop: StopRequest,
) -> tuple[Reacquired, ...]:
    """
    Watch the locks that were freed; return those held and renewed by a new lease.

    A renewal must be seen, for example every 20 s with a TTL of 60 s. A cluster that fails
    meanwhile ends the watch with what was seen.
    """
    freed = {
        approved_hold.lock: _Watched(approved_hold)
        for each in treated
        if each.is_fine and each.target.action is not Action.QUARANTINE
        for approved_hold in each.target.approved_holds
        if approved_hold.is_holder
    }
    probes: list[LeadershipProbe] = []
    clock = context.clock
    until = clock.now() + watch_s
    try:
        while clock.now() < until and not stop.reason and freed:
            for watched in freed.values():
                await _look(context, watched, probes)
            await pause(clock, stop, min(LOOK_INTERVAL_S, until - clock.now()))
        status = await context.cluster.status()
        probes.append(LeadershipProbe(status.asked_at, status.raft_term, status.leader_id))
    except ClusterError as failed:
        stop.request(str(failed))
    readings = [reading for watched in freed.values() for reading in watched.readings]
    leadership = Leadership.of(readings, probes)
    found = (_relapse(watched, leadership) for watched in freed.values())
    return tuple(relapse for relapse in found if relapse)


async def _look(
    context: TreatmentContext, watched: _Watched, probes: list[LeadershipProbe]
) -> None:
    snapshot = await queue_snapshot(context, watched.approved_hold.lock)
    probes.append(LeadershipProbe(snapshot.asked_at, snapshot.raft_term))
    lock = find_lock(
        queues_of(context, watched.approved_hold.lock, snapshot), watched.approved_hold
    )
    holder = lock.holder if lock else None
    if not watched.has_begun:
        watched.has_begun = True
        watched.waiting = frozenset(key.hold for key in lock.keys) if lock else frozenset()
    if holder is None or watched.holder is None or holder.hold != watched.holder.hold:
        watched.holder, watched.since, watched.readings = holder, snapshot.answered_at, []
    if holder is None:
        return
    watched.last_seen_at = snapshot.asked_at
    watched.waited = holder.hold in watched.waiting
    if holder.has_lease:
        async for reading in context.cluster.read_leases([holder.lease_id], with_keys=False):
            if not isinstance(reading, FailedReading):
                watched.readings.append(reading)


def _relapse(watched: _Watched, leadership: Leadership) -> Reacquired | None:
    holder = watched.holder
    if holder is None or not watched.readings:
        return None
    found = trace(holder.lease_id, watched.readings, leadership)
    if not found.renewals or found.is_gone:
        return None
    return Reacquired(
        lock=watched.approved_hold.lock.name,
        key=holder.key,
        lease_id=holder.lease_id,
        was_waiting=watched.waited,
        renewals=found.renewals,
        held_s=max(0.0, watched.last_seen_at - watched.since),
    )
