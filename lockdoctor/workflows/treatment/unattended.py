"""Treat what the policy allows, unattended: choose, plan and execute one by one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from itertools import chain

from lockdoctor.domain.inference.leadership import Leadership
from lockdoctor.domain.inference.renewals import trace
from lockdoctor.domain.model.leases import FailedReading, LeaseId, Reading
from lockdoctor.domain.policy.policy import Policy
from lockdoctor.domain.report.report import Report
from lockdoctor.domain.treatment.plan import Refusal, Selection, Target
from lockdoctor.domain.treatment.reasons import Failure, FailureKind, FailureReason
from lockdoctor.domain.treatment.results import ActionResult
from lockdoctor.domain.treatment.unattended import (
    MAX_WATCH_S,
    AllowedLock,
    UnattendedResult,
    choose,
    to_watch,
)
from lockdoctor.errors import ClusterError, JournalError, WrongClusterError
from lockdoctor.ports import Clock, Cluster, StopRequest
from lockdoctor.workflows.pausing import pause
from lockdoctor.workflows.treatment.context import TreatmentContext
from lockdoctor.workflows.treatment.plan import ExecutionOptions, execute_plan, plan_revocation

LOOK_INTERVAL_S = 1.25
"""
Extra seconds before a look-up: more than the second by which a reading is rounded down, and than a
raft term takes to settle.
"""


async def treat_unattended(
    context: TreatmentContext, report: Report, policy: Policy, stop: StopRequest
) -> UnattendedResult:
    """
    Treat only what the policy allows; plan and reread each lock.

    A check reads each lease once. So the leases to be treated are watched first, until each is seen
    to be renewed.

    Any failure ends the treatment and is reported. It does not change the health of the locks.
    Where the journal cannot be read or written, no action is done.
    """
    treated: list[ActionResult[Target]] = []
    refused: list[Refusal] = []
    failure: FailureReason | None = None
    try:
        journal = context.journal.entries()
        choice = choose(report, policy, journal)
    except JournalError as failed:
        return UnattendedResult(failure=str(failed))
    if context.journal.newer and choice.chosen:
        return UnattendedResult(skipped=choice.skipped, failure=Failure(FailureKind.JOURNAL_NEWER))
    try:
        if leases := to_watch(choice):
            renewed = await renewed_leases(context.cluster, context.clock, leases, stop)
            choice = choose(report, policy, journal, renewed)
        for chosen in choice.chosen:
            if stop.reason or failure:
                break
            failure = await _treat(context, report, chosen, stop, treated, refused)
    except (ClusterError, WrongClusterError, JournalError) as failed:
        failure = str(failed)
    return UnattendedResult(
        treated=tuple(treated), refused=tuple(refused), skipped=choice.skipped, failure=failure
    )


async def renewed_leases(
    cluster: Cluster, clock: Clock, leases: Collection[LeaseId], stop: StopRequest
) -> frozenset[LeaseId]:
    """
    Watch leases until each is renewed, or for MAX_WATCH_S; return those renewed.

    Raises:
        ClusterError: They could not be read.
    """
    readings: dict[LeaseId, list[Reading]] = {lease_id: [] for lease_id in leases}
    renewed: set[LeaseId] = set()
    until = clock.now() + MAX_WATCH_S
    while (left := readings.keys() - renewed) and clock.now() < until and not stop.reason:
        async for each in cluster.read_leases(sorted(left), with_keys=False):
            if not isinstance(each, FailedReading):
                readings[each.lease_id].append(each)
        leadership = Leadership.of(chain.from_iterable(readings.values()))
        for lease_id in left:
            found = trace(lease_id, readings[lease_id], leadership)
            if found.is_gone:
                del readings[lease_id]
            elif found.closely_renewed_at is not None:
                renewed.add(lease_id)
        await pause(clock, stop, LOOK_INTERVAL_S)
    return frozenset(renewed)


async def _treat(
    context: TreatmentContext,
    report: Report,
    chosen: AllowedLock,
    stop: StopRequest,
    treated: list[ActionResult[Target]],
    refused: list[Refusal],
) -> FailureReason | None:
    """Treat one lock; return the reason not to treat the next, or None."""
    selection = Selection(
        action=chosen.treatment.how,
        keys=(chosen.key,),
        min_held_s=chosen.treatment.min_held_s,
        most=1,
    )
    plan = await plan_revocation(context, report, selection)
    refused += plan.refused
    targets = tuple(replace(each, treated_under=chosen.prefix) for each in plan.targets)
    done = await execute_plan(context, replace(plan, targets=targets), ExecutionOptions(), stop)
    treated += done.treated
    return done.stopped or next((each.failure for each in done.treated if each.failure), None)
