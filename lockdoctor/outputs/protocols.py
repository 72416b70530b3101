"""What every output must do."""

from __future__ import annotations

from typing import Protocol, TextIO

from lockdoctor.domain.check.health import AnyCheckResult
from lockdoctor.domain.report.report import Report


class Output(Protocol):
    """One word of --format. Outputs word things; they decide nothing."""

    def render(self, report: Report, out: TextIO) -> None:
        """Write the whole report."""
        ...


class CheckOutput(Protocol):
    """One word of --format of a health check, which may have failed."""

    def render(self, checked: AnyCheckResult, out: TextIO) -> None:
        """Write everything."""
        ...
