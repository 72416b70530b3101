"""Treat what the policy allows while nobody looks: choose, plan and carry out, one by one."""

from __future__ import annotations

from dataclasses import replace

from lockdoctor.domain.policy import Policy
from lockdoctor.domain.report import Report
from lockdoctor.domain.revocation import Refusal, Selection
from lockdoctor.domain.treatment import Treated
from lockdoctor.domain.unattended import Chosen, Unattended, choose
from lockdoctor.errors import ClusterError, JournalError
from lockdoctor.ports import Stop
from lockdoctor.workflows.revoke import Conduct, carry_out, plan_revocation
from lockdoctor.workflows.ward import Ward


async def treat_unattended(ward: Ward, report: Report, policy: Policy, stop: Stop) -> Unattended:
    """
    Treat what the policy allows, and nothing else: each lock is planned and looked at anew.

    Whatever goes wrong ends it and is told, for it says nothing of the locks' health. Where the
    journal cannot be read or written, nothing is done.
    """
    treated: list[Treated] = []
    refused: list[Refusal] = []
    failure: str | None = None
    try:
        choice = choose(report, policy, ward.journal.entries())
    except JournalError as failed:
        return Unattended(failure=str(failed))
    if ward.journal.newer and choice.chosen:
        return Unattended(
            spared=choice.spared,
            failure="the journal has lines of a newer lockdoctor, so that nobody can count what was"
            " treated today; update lockdoctor",
        )
    try:
        for chosen in choice.chosen:
            if stop.reason or failure:
                break
            failure = await _treat(ward, report, chosen, stop, treated, refused)
    except (ClusterError, JournalError) as failed:
        failure = str(failed)
    return Unattended(
        treated=tuple(treated), refused=tuple(refused), spared=choice.spared, failure=failure
    )


async def _treat(
    ward: Ward,
    report: Report,
    chosen: Chosen,
    stop: Stop,
    treated: list[Treated],
    refused: list[Refusal],
) -> str | None:
    """Treat one lock; say what should keep us from the next."""
    selection = Selection(
        action=chosen.treatment.how,
        keys=(chosen.key,),
        min_held_s=chosen.treatment.min_held_s,
        most=1,
    )
    plan = await plan_revocation(
        ward.cluster, ward.surgeon, ward.clock, report, selection, ward.words.evidence
    )
    refused += plan.refused
    targets = tuple(replace(each, treated_under=chosen.prefix) for each in plan.targets)
    done = await carry_out(ward, replace(plan, targets=targets), Conduct(), stop)
    treated += done.treated
    return done.stopped or next((each.failure for each in done.treated if each.failure), None)
