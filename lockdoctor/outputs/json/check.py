"""Writes the JSON documents of a health check."""

from __future__ import annotations

from typing import TextIO

from lockdoctor.domain.check.health import AnyCheckResult, CheckResult, FailedCheck
from lockdoctor.domain.check.metrics import ExceededLimit
from lockdoctor.domain.treatment.plan import Refusal, Target
from lockdoctor.domain.treatment.results import ActionResult
from lockdoctor.domain.treatment.unattended import SkippedLock, UnattendedResult
from lockdoctor.outputs.json.report import write_document
from lockdoctor.outputs.json.values import Json, lease, plain, rounded, text_and_base64, texts
from lockdoctor.outputs.nagios import status_line
from lockdoctor.outputs.text.refusals import NOT_TREATED, failure_text, refusal_texts
from lockdoctor.outputs.text.treatment import lock_of, outcome
from lockdoctor.outputs.text.values import safe


class CheckJson:
    """`--format json`: a scan's document with an object `check`, or only that object."""

    def render(self, checked: AnyCheckResult, out: TextIO) -> None:
        """Write the document."""
        report = None if isinstance(checked, FailedCheck) else checked.report
        write_document(report, out, check=_check(checked))


def _check(checked: AnyCheckResult) -> Json:
    common = {
        "status": checked.health.name.lower(),
        "summary": status_line(checked),
        "took_s": round(checked.took_s, 3),
    }
    if isinstance(checked, FailedCheck):
        nothing: Json = {"is_first": None, "metrics": None, "alarms": []}
        return {**common, **nothing, "problems": [safe(checked.why)], "treatment": None}
    return {**common, **_of_checkup(checked)}


def _of_checkup(checkup: CheckResult) -> Json:
    return {
        "is_first": checkup.is_first,
        "metrics": {name: rounded(value) for name, value in checkup.metrics.by_name.items()},
        "alarms": [_alarm(alarm) for alarm in checkup.alarms],
        "problems": [safe(problem) for problem in checkup.problems],
        "treatment": document(checkup.unattended) if checkup.unattended else None,
    }


def _alarm(alarm: ExceededLimit) -> Json:
    return {
        "metric": alarm.metric,
        "severity": alarm.severity.name.lower(),
        "value": round(alarm.value, 3),
        "range": alarm.limit.text,
    }


def document(done: UnattendedResult) -> Json:
    """Return the JSON object for the treatment of a check."""
    return {
        "count": done.done,
        "treated": list(map(_treated, done.treated)),
        "spared": [*map(_refused, done.refused), *map(_skipped, done.skipped)],
        "failure": None if done.failure is None else failure_text(done.failure),
    }


def _treated(treated: ActionResult[Target]) -> Json:
    return {
        "locks": texts("lock", (hold.lock.name for hold in treated.target.approved_holds)),
        "lease": lease(treated.target.lease_id),
        "action": treated.target.action.value,
        "result": treated.result.value,
        "text": outcome(treated),
        "entry": plain(treated.entry_id),
    }


def _refused(refusal: Refusal) -> Json:
    lock = refusal.lock or refusal.key or b""
    return {**text_and_base64("lock", lock), "why": refusal_texts(refusal.reasons)}


def _skipped(skipped: SkippedLock) -> Json:
    return {**text_and_base64("lock", lock_of(skipped)), "why": NOT_TREATED[skipped.why]}
