"""Writes a treatment as one JSON document: the plan and its outcome."""

from __future__ import annotations

from typing import TextIO

from lockdoctor.domain.treatment.journal_entry import Entry
from lockdoctor.domain.treatment.plan import RevokePlan, Target
from lockdoctor.domain.treatment.results import (
    ActionResult,
    AnyTarget,
    QueueState,
    Reacquired,
    TreatmentReport,
)
from lockdoctor.outputs.json.plan import plan_document, reason_document
from lockdoctor.outputs.json.values import (
    SCHEMA_VERSION,
    Json,
    lease,
    moment,
    picked,
    plain,
    text_and_base64,
    texts,
    write_indented,
)
from lockdoctor.outputs.text.refusals import failure_text
from lockdoctor.outputs.text.treatment import outcome
from lockdoctor.outputs.text.values import safe


def write_plan_file(plan: RevokePlan, out: TextIO) -> None:
    """Write a plan alone, in its saved form."""
    write_indented(plan_document(plan), out)


def write_treatment(plan: RevokePlan, report: TreatmentReport | None, out: TextIO) -> None:
    """Write a plan and its outcome; None if it was not executed."""
    write_indented(
        {
            "schema_version": SCHEMA_VERSION,
            "plan": plan_document(plan),
            "treatment": _report(report) if report else None,
        },
        out,
    )


def write_undone(undone: ActionResult[Entry], out: TextIO) -> None:
    """Write the outcome of an undone quarantine."""
    intent = undone.target.intent
    document = {
        "schema_version": SCHEMA_VERSION,
        "undone": safe(intent.entry_id),
        "lease": lease(intent.lease_id),
        "locks": texts("lock", intent.locks),
        **_result(undone),
    }
    write_indented(document, out)


def _report(report: TreatmentReport) -> Json:
    return {
        "all_done": report.is_fine,
        "stopped": None if report.stopped is None else failure_text(report.stopped),
        "untouched": len(report.plan.targets) - len(report.treated),
        "targets": list(map(_treated, report.treated)),
        "watched_s": report.watched_s,
        "relapses": list(map(_relapse, report.relapses)),
    }


def _treated(treated: ActionResult[Target]) -> Json:
    until = treated.undo_until
    return {
        "action": treated.target.action.value,
        "lease": lease(treated.target.lease_id),
        "locks": texts("lock", (hold.lock.name for hold in treated.target.approved_holds)),
        **_result(treated),
        "queues": list(map(_queue, treated.queues)),
        "undo_until": None if until is None else moment(until),
    }


def _result(treated: ActionResult[AnyTarget]) -> Json:
    return {
        "result": treated.result.value,
        "text": outcome(treated),
        "entry": plain(treated.entry_id),
        "changed": list(map(reason_document, treated.changed)),
        "failure": None if treated.failure is None else failure_text(treated.failure),
        "looked_up": treated.was_looked_up,
        "took_s": round(treated.took_s, 6),
        "unrecorded": plain(treated.unrecorded),
    }


def _queue(queue: QueueState) -> Json:
    return {
        **text_and_base64("lock", queue.lock),
        **text_and_base64("holder", queue.holder),
        "lease": lease(queue.lease_id),
        "was_next": queue.was_waiting,
    }


def _relapse(relapse: Reacquired) -> Json:
    return {
        **text_and_base64("lock", relapse.lock),
        **text_and_base64("key", relapse.key),
        "lease": lease(relapse.lease_id),
        **picked(relapse, "was_waiting", "renewals", "held_s"),
    }
