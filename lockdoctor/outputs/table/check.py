"""Writes a health check for people: the status line, then a scan's report."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TextIO

from lockdoctor.domain.check.health import AnyCheckResult, CheckResult, FailedCheck
from lockdoctor.domain.report.report import Report
from lockdoctor.outputs.nagios import status_line
from lockdoctor.outputs.table.report import TableOutput
from lockdoctor.outputs.text.treatment import unattended_details


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckTable:
    """`--format table`: the report of a scan below the status line."""

    table: TableOutput

    def render(self, checked: AnyCheckResult, out: TextIO) -> None:
        """Write the report, or only the status line if etcd was not examined."""
        report = None if isinstance(checked, FailedCheck) else _with_treatment(checked)
        self.table.render_below(status_line(checked), report, out)


def _with_treatment(checkup: CheckResult) -> Report:
    """Return the report with the treatment of each leaked lock among its notes."""
    told = tuple(unattended_details(checkup.unattended)) if checkup.unattended else ()
    return replace(checkup.report, notes=(*told, *checkup.report.notes))
