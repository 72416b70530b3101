"""What the exit status of each command means."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lockdoctor.domain.report import Report


class ExitStatus(enum.IntEnum):
    """The exit statuses of `scan`."""

    NOTHING_FOUND = 0
    FINDINGS = 1
    BAD_USAGE = 2
    """The command line, the environment or lockdoctor.toml does not make sense."""
    NOT_EXAMINED = 3
    """etcd could not be examined, or an error that nobody foresaw."""
    INTERRUPTED = 130
    """Ctrl-C or SIGTERM, as shells number it: 128 + SIGINT."""
    BROKEN_PIPE = 141
    """Whoever read the output has gone, as shells number it: 128 + SIGPIPE."""


class HistoryStatus(enum.IntEnum):
    """The exit statuses of `history`, besides those of errors, which are those of `scan`."""

    DONE = 0
    NOTHING_STORED = 1
    """Of what `history show` was asked for."""


def scan_status(report: Report, *, by_signal: bool) -> ExitStatus:
    """
    Sum a scan up for the shell.

    A scan that ended early, whatever the reason, is never read as `nothing found`; what it did
    find stands. by_signal: it was ended by Ctrl-C or SIGTERM.
    """
    if by_signal:
        return ExitStatus.INTERRUPTED
    if report.findings:
        return ExitStatus.FINDINGS
    return ExitStatus.NOTHING_FOUND if report.interrupted is None else ExitStatus.NOT_EXAMINED
