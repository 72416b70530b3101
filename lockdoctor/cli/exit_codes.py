"""The exit statuses of each command."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, cast

import typer

from lockdoctor.errors import ConfigError, FileRefusedError, LockdoctorError

if TYPE_CHECKING:
    from lockdoctor.domain.check.health import Health
    from lockdoctor.domain.report.report import Report

# typer has no name for the bad-usage error of its own click, or of a separate click.
_UsageError = cast("type[Any]", typer.BadParameter.__base__)


class ExitStatus(enum.IntEnum):
    """The exit statuses of all commands except `check`, which uses those of Health."""

    NOTHING_FOUND = 0
    FINDINGS = 1
    BAD_USAGE = 2
    """The command line, the environment or lockdoctor.toml is invalid."""
    NOT_EXAMINED = 3
    """etcd could not be examined, or an unforeseen error occurred."""
    INTERRUPTED = 130
    """Ctrl-C, SIGTERM or SIGHUP, as in shells: 128 + SIGINT."""
    BROKEN_PIPE = 141
    """The reader of the output is gone, as in shells: 128 + SIGPIPE."""


class HistoryStatus(enum.IntEnum):
    """The exit statuses of `history`; those of errors are those of `scan`."""

    DONE = 0
    NOTHING_STORED = 1
    """The history has no data on the subject of `history show`."""


class RestoreStatus(enum.IntEnum):
    """The exit statuses of `journal restore`; those of errors are those of `scan`."""

    DONE = 0
    """All keys were restored, or the run only planned."""
    NOT_ALL = 1
    """A key was not restored, or its restore was not written to the journal."""
    INTERRUPTED = 130


def scan_status(report: Report, *, by_signal: bool) -> ExitStatus:
    """
    Return the exit status of a scan.

    A scan that ended early, for any reason, never has the status of a scan without findings; its
    findings still count. by_signal: a signal ended it.
    """
    if by_signal:
        return ExitStatus.INTERRUPTED
    if report.findings or report.cluster.alarms:
        return ExitStatus.FINDINGS
    return ExitStatus.NOTHING_FOUND if report.interrupted is None else ExitStatus.NOT_EXAMINED


def check_status(health: Health, *, by_signal: bool) -> int:
    """Return the status of a check, by the rules of monitoring plugins."""
    return ExitStatus.INTERRUPTED if by_signal else health.value


def status_of(error: Exception) -> ExitStatus:
    """Return the status of a command after an error; for `check` it is UNKNOWN."""
    if isinstance(error, (_UsageError, ConfigError, FileRefusedError)):
        return ExitStatus.BAD_USAGE
    return ExitStatus.NOT_EXAMINED


def error_message(error: Exception) -> str:
    """Return an error in one sentence for the user at the terminal."""
    if isinstance(error, _UsageError):
        where = error.ctx.command_path if error.ctx else "lockdoctor"
        return f"{error.format_message().rstrip('.')}. See `{where} --help`."
    if isinstance(error, LockdoctorError):
        return str(error)
    return (
        f"Internal error: {type(error).__name__}: {error}. Please report it."
        " `--debug` shows the traceback."
    )


def is_foreseen(error: Exception) -> bool:
    """Return whether the sentence of an error is complete without a traceback."""
    return isinstance(error, (_UsageError, LockdoctorError))
