"""Revoke: plan from a report, then execute exactly that plan, target by target."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lockdoctor.domain.model.actions import Action
from lockdoctor.domain.model.leases import NO_LEASE, FailedReading, LeaseId, LeaseReading, Reading
from lockdoctor.domain.report.report import Report
from lockdoctor.domain.report.unseen import Part
from lockdoctor.domain.treatment.approval import FreshReadings, approve
from lockdoctor.domain.treatment.plan import Refusal, RevokePlan, Selection, Target
from lockdoctor.domain.treatment.reasons import FailureReason, KeysUnseen
from lockdoctor.domain.treatment.results import ActionResult, TreatmentReport
from lockdoctor.domain.treatment.selection import Candidate, select
from lockdoctor.errors import AccessDeniedError, JournalError, WrongClusterError
from lockdoctor.ports import Cluster, StopRequest
from lockdoctor.workflows.pausing import pause
from lockdoctor.workflows.treatment.context import TreatmentContext, read_keys, require_cluster
from lockdoctor.workflows.treatment.treat_target import treat


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionOptions:
    """How fast a plan is executed, and what ends it early."""

    pause_s: float = 0.2
    """Seconds between two targets."""
    continue_on_error: bool = False
    """Continue after etcd has failed once."""


async def plan_revocation(
    context: TreatmentContext, report: Report, selection: Selection
) -> RevokePlan:
    """
    Plan what a report and a selection call for; write no key or lease.

    Raises:
        ClusterError: What the plan is to show could not be read.
    """
    selected = select(report, selection)
    leases = await _read_leases(context.cluster, selected.candidates)
    alarms = report.cluster.alarms or ()
    targets: list[Target] = []
    refused = list(selected.refused)
    for candidate in selected.candidates:
        lease = leases.get(candidate.lease_id)
        try:
            keys = await read_keys(context.key_writer, _shown(candidate, lease, selection))
        except AccessDeniedError as denied:
            refused.append(candidate.refused(KeysUnseen(str(denied))))
            continue
        found = FreshReadings(lease=lease, keys=keys, alarms=alarms)
        planned = approve(
            candidate, found, selection, report.prefixes, context.recipes, context.words.evidence
        )
        if isinstance(planned, Refusal):
            refused.append(planned)
        else:
            targets.append(planned)
    return RevokePlan(
        made_at=context.clock.now(),
        cluster_id=report.cluster.cluster_id,
        raft_term=report.cluster.raft_term,
        prefixes=report.prefixes,
        quarantine_s=selection.quarantine_s,
        targets=tuple(targets),
        refused=tuple(refused),
        too_young=selected.too_young,
        beyond_most=selected.beyond_most,
        unnamed=tuple(selected.unnamed.items()),
        unseen=tuple(
            unseen
            for unseen in report.unseen
            if unseen.what is not Part.KEYLESS_LEASES  # these are read only on request
        ),
        alarms=alarms,
    )


async def execute_plan(
    context: TreatmentContext,
    plan: RevokePlan,
    options: ExecutionOptions,
    stop: StopRequest,
    on_result: Callable[[ActionResult[Target]], None] = lambda _: None,
) -> TreatmentReport:
    """
    Execute a plan, one target at a time, each only if it is unchanged.

    A requested stop takes effect after the current target. A target that is cut off after a stop
    also has an outcome: unknown, where a write was sent without an answer.

    Args:
        on_result: Called with each target's outcome as soon as there is one.

    Raises:
        JournalError: The journal could not be written, so no action was done.
        ClusterError: etcd cannot be reached.
        WrongClusterError: The plan is of another cluster, or another one has answered before the
            first action. One that answers later ends the report.
    """
    await require_cluster(context.cluster, plan.cluster_id, "the plan")
    treated: list[ActionResult[Target]] = []
    stopped: FailureReason | None = None
    for number, target in enumerate(plan.targets):
        if number:
            await pause(context.clock, stop, options.pause_s)
        if stop.reason:
            stopped = stop.reason
            break
        try:
            outcome = await treat(context, plan, target)
        except (JournalError, WrongClusterError) as failed:
            if not treated:
                raise
            stopped = str(failed)
            break
        except asyncio.CancelledError:  # no write was sent for this target yet
            if stop.reason is None:
                raise
            stopped = stop.reason
            break
        treated.append(outcome)
        on_result(outcome)
        stopped = outcome.unrecorded or (None if options.continue_on_error else outcome.failure)
        if stopped:
            break
    if len(treated) == len(plan.targets) and not (treated and treated[-1].unrecorded):
        stopped = None  # it was completed in spite of the stop
    return TreatmentReport(plan=plan, treated=tuple(treated), stopped=stopped)


async def _read_leases(
    cluster: Cluster, candidates: list[Candidate]
) -> dict[LeaseId, Reading | FailedReading]:
    ids = {candidate.lease_id for candidate in candidates} - {NO_LEASE}
    readings = cluster.read_leases(ids, with_keys=True)
    return {reading.lease_id: reading async for reading in readings}


def _shown(
    candidate: Candidate, lease: Reading | FailedReading | None, selection: Selection
) -> Iterator[bytes]:
    """Yield the keys to read: the holds, and what else a revocation would delete."""
    yield from {each.key.key for each in candidate.contenders}
    attached = lease.attached_keys if isinstance(lease, LeaseReading) else None
    if selection.action is Action.REVOKE and len(attached or ()) <= selection.most_keys:
        yield from (key for key in attached or ())
