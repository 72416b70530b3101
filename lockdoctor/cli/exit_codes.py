"""What the exit status of each command means."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, cast

import typer

from lockdoctor.errors import ConfigError, FileRefusedError, LockdoctorError

if TYPE_CHECKING:
    from lockdoctor.domain.check.health import Health
    from lockdoctor.domain.report.report import Report

# typer gives no name to the error of its own click, or of the click beside it, for bad usage.
_UsageError = cast("type[Any]", typer.BadParameter.__base__)


class ExitStatus(enum.IntEnum):
    """The exit statuses of all commands but `check`, whose statuses are those of Health."""

    NOTHING_FOUND = 0
    FINDINGS = 1
    BAD_USAGE = 2
    """The command line, the environment or lockdoctor.toml does not make sense."""
    NOT_EXAMINED = 3
    """etcd could not be examined, or an error that nobody foresaw."""
    INTERRUPTED = 130
    """Ctrl-C, SIGTERM or SIGHUP, as shells number the first: 128 + SIGINT."""
    BROKEN_PIPE = 141
    """Whoever read the output has gone, as shells number it: 128 + SIGPIPE."""


class HistoryStatus(enum.IntEnum):
    """The exit statuses of `history`, besides those of errors, which are those of `scan`."""

    DONE = 0
    NOTHING_STORED = 1
    """Of what `history show` was asked for."""


class RestoreStatus(enum.IntEnum):
    """The exit statuses of `journal restore`; those of errors are those of `scan`."""

    DONE = 0
    """Put back, or only planned."""
    NOT_ALL = 1
    """A key was not put back, or not written down as such."""
    INTERRUPTED = 130


def scan_status(report: Report, *, by_signal: bool) -> ExitStatus:
    """
    Sum a scan up for the shell.

    A scan that ended early, whatever the reason, is never read as `nothing found`; what it did
    find stands. by_signal: it was ended by a signal.
    """
    if by_signal:
        return ExitStatus.INTERRUPTED
    if report.findings or report.cluster.alarms:
        return ExitStatus.FINDINGS
    return ExitStatus.NOTHING_FOUND if report.interrupted is None else ExitStatus.NOT_EXAMINED


def check_status(health: Health, *, by_signal: bool) -> int:
    """Give the status of a check, which monitoring systems know."""
    return ExitStatus.INTERRUPTED if by_signal else health.value


def status_of(error: Exception) -> ExitStatus:
    """Give the status of a command that ended in an error; of `check` it is always UNKNOWN."""
    if isinstance(error, (_UsageError, ConfigError, FileRefusedError)):
        return ExitStatus.BAD_USAGE
    return ExitStatus.NOT_EXAMINED


def error_message(error: Exception) -> str:
    """Word an error in one sentence for the person at the terminal."""
    if isinstance(error, _UsageError):
        where = error.ctx.command_path if error.ctx else "lockdoctor"
        return f"{error.format_message().rstrip('.')} (see {where} --help)"
    if isinstance(error, LockdoctorError):
        return str(error)
    return (
        f"this should not have happened: {type(error).__name__}: {error}"
        " (add --debug for the traceback, and report it, please)"
    )


def is_foreseen(error: Exception) -> bool:
    """Tell whether the sentence for an error says everything that helps."""
    return isinstance(error, (_UsageError, LockdoctorError))
