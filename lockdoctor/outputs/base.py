"""What every output must do."""

from __future__ import annotations

from typing import Protocol, TextIO

from lockdoctor.domain.report import Report


class Output(Protocol):
    """One word of --format. Outputs word things; they decide nothing."""

    def render(self, report: Report, out: TextIO) -> None:
        """Write the whole report."""
        ...
