"""The interfaces of every output."""

from __future__ import annotations

from typing import Protocol, TextIO

from lockdoctor.domain.check.health import AnyCheckResult
from lockdoctor.domain.report.report import Report


class Output(Protocol):
    """One value of --format for reports; outputs write text and decide no verdict."""

    def render(self, report: Report, out: TextIO) -> None:
        """Write the whole report."""
        ...


class CheckOutput(Protocol):
    """One value of --format for a health check, which might have failed."""

    def render(self, checked: AnyCheckResult, out: TextIO) -> None:
        """Write the whole result."""
        ...
