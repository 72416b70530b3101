"""A health check in the forms of a scan's report: the table for people, JSON for programs."""

from __future__ import annotations

from dataclasses import replace
from typing import TextIO

from lockdoctor.domain.check.health import Checked, Checkup, FailedCheck
from lockdoctor.domain.check.metrics import Alarm
from lockdoctor.domain.report.report import Report
from lockdoctor.outputs.json.report import Json, write_document
from lockdoctor.outputs.nagios import status_line
from lockdoctor.outputs.table.report import TableOutput
from lockdoctor.outputs.text.unattended import details, document
from lockdoctor.outputs.text.values import safe
from lockdoctor.values import dataclass


class CheckJson:
    """`--format json`: the document of a scan with an object `check`, or that object alone."""

    def render(self, checked: Checked, out: TextIO) -> None:
        """Write the document."""
        report = None if isinstance(checked, FailedCheck) else checked.report
        write_document(report, out, check=_check(checked))


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckTable:
    """`--format table`: the report of a scan below the status line."""

    table: TableOutput

    def render(self, checked: Checked, out: TextIO) -> None:
        """Write the report, or the status line alone where nothing was examined."""
        report = None if isinstance(checked, FailedCheck) else _with_treatment(checked)
        self.table.render_below(status_line(checked), report, out)


def _with_treatment(checkup: Checkup) -> Report:
    """Tell what was treated, and what not, among the notes."""
    told = tuple(details(checkup.unattended)) if checkup.unattended else ()
    return replace(checkup.report, notes=(*told, *checkup.report.notes))


def _check(checked: Checked) -> Json:
    common = {
        "status": checked.health.name.lower(),
        "summary": status_line(checked),
        "took_s": round(checked.took_s, 3),
    }
    if isinstance(checked, FailedCheck):
        nothing: Json = {"is_first": None, "metrics": None, "alarms": []}
        return {**common, **nothing, "problems": [safe(checked.why)], "treatment": None}
    return {**common, **_of_checkup(checked)}


def _of_checkup(checkup: Checkup) -> Json:
    return {
        "is_first": checkup.is_first,
        "metrics": {
            name: None if value is None else round(value, 3)
            for name, value in checkup.metrics.by_name.items()
        },
        "alarms": [_alarm(alarm) for alarm in checkup.alarms],
        "problems": [safe(problem) for problem in checkup.problems],
        "treatment": document(checkup.unattended) if checkup.unattended else None,
    }


def _alarm(alarm: Alarm) -> Json:
    return {
        "metric": alarm.metric,
        "severity": alarm.severity.name.lower(),
        "value": round(alarm.value, 3),
        "range": alarm.limit.text,
    }
