"""Reports a check's result: standard output, files, a monitoring service."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from lockdoctor.cli.commands.check.options import CheckFormat, ReportFlags
from lockdoctor.cli.exit_codes import check_status, error_message, is_foreseen
from lockdoctor.cli.runtime.terminal import discard_stdout, in_colour, print_message, write_to
from lockdoctor.clock import SystemClock
from lockdoctor.domain.check.health import AnyCheckResult, FailedCheck, Health
from lockdoctor.errors import ConfigError, FileRefusedError, OutputError
from lockdoctor.outputs import file_kinds
from lockdoctor.outputs.files import require_place, write_file
from lockdoctor.outputs.nagios import NagiosOutput, status_line
from lockdoctor.outputs.protocols import CheckOutput

if TYPE_CHECKING:
    from lockdoctor.cli.commands.check.ping import Ping

WIDTH = 120
"""Columns of a table that is not written to a terminal."""

_KINDS = {
    CheckFormat.NAGIOS: file_kinds.STATUS,
    CheckFormat.TABLE: file_kinds.STATUS,  # it begins with the status line
    CheckFormat.JSON: file_kinds.DOCUMENT,
    CheckFormat.PROMETHEUS: file_kinds.TEXTFILE,
}


@dataclass(frozen=True, kw_only=True)
class CheckReporter:
    """All destinations of a check's result."""

    form: str
    """The format on standard output."""
    files: tuple[tuple[str, Path], ...] = ()
    """The files, each with its format."""
    ping: Ping | None = None
    is_quiet: bool = False

    def begin(self) -> None:
        """Report that the check begins."""
        if self.ping:
            self.ping.start()

    def tell(self, checked: AnyCheckResult, *, by_signal: bool = False) -> int:
        """
        Write the result to all destinations, and return the exit status.

        A failed destination is a problem of its own and stops no other one. Standard output and
        ping come last, with all problems.
        """
        for form, path in self.files:
            checked = _written(form, path, checked)
        if not (self.is_quiet and checked.health is Health.OK):
            checked = self._print(checked)
        status = check_status(checked.health, by_signal=by_signal)
        complaint = self.ping.end(status, status_line(checked)) if self.ping else None
        if complaint and not (self.is_quiet and checked.health is Health.OK):
            print_message(complaint)
        return status

    def _print(self, checked: AnyCheckResult) -> AnyCheckResult:
        try:
            write_to(sys.stdout, "the result", _Rendering(self.form, checked))
        except BrokenPipeError:  # the reader is gone, which does not concern the locks
            discard_stdout()
        except OutputError as failed:
            discard_stdout()
            print_message(str(failed))
            return checked.with_problem(str(failed))
        return checked


def teller_of(flags: ReportFlags) -> CheckReporter:
    """
    Return the destinations that the flags name.

    Raises:
        ConfigError: A flag is invalid.
        FileRefusedError: A file exists that is not lockdoctor's. It was not changed.
    """
    files = [_file(text) for text in flags.output]
    if flags.textfile:
        files.append(_own(CheckFormat.PROMETHEUS, flags.textfile))
    return CheckReporter(
        form=flags.format,
        files=tuple(files),
        ping=_ping(flags.ping_url) if flags.ping_url is not None else None,
        is_quiet=flags.quiet,
    )


def guessed_teller(argv: Sequence[str]) -> CheckReporter:
    """Return the destinations that an invalid command line still shows."""
    ping = None
    files: list[tuple[str, Path]] = []
    form: str = CheckFormat.NAGIOS
    for flag, value in _pairs(argv):
        # Each of them might be what is invalid.
        with contextlib.suppress(ValueError, ConfigError, FileRefusedError):
            if flag == "--format":
                form = CheckFormat(value)
            elif flag == "--output":
                files.append(_file(value))
            elif flag == "--textfile":
                files.append(_own(CheckFormat.PROMETHEUS, Path(value)))
            elif flag == "--ping-url":
                ping = _ping(value)
    return CheckReporter(form=form, files=tuple(files), ping=ping)


def tell_failure(argv: Sequence[str], error: Exception) -> int:
    """Report a check that failed before it began, and return the exit status."""
    failed = FailedCheck(at=SystemClock().now(), took_s=0.0, why=error_text(error))
    return guessed_teller(argv).tell(failed)


def error_text(error: Exception) -> str:
    """Return the status line's text for an error; print details of an unknown one."""
    if os.environ.get("LOCKDOCTOR_DEBUG") or not is_foreseen(error):
        traceback.print_exception(type(error), error, error.__traceback__)
    return error_message(error)


def _written(form: str, path: Path, checked: AnyCheckResult) -> AnyCheckResult:
    """Write a file, and return the result with any failure to write it."""
    try:
        write_file(path, _KINDS[CheckFormat(form)], _Rendering(form, checked))
    except Exception as failed:  # noqa: BLE001  # no failure may stop the other formats
        return checked.with_problem(error_text(failed))
    return checked


@dataclass(frozen=True, slots=True)
class _Rendering:
    """A check in one format, to be written to any destination."""

    form: str
    checked: AnyCheckResult

    def __call__(self, out: TextIO) -> None:
        _output(self.form, out).render(self.checked, out)


def _output(form: str, out: TextIO) -> CheckOutput:
    if form == CheckFormat.NAGIOS:
        return NagiosOutput()
    if form == CheckFormat.PROMETHEUS:
        from lockdoctor.outputs.prometheus import PrometheusOutput  # noqa: PLC0415  # loads an HTTP server

        return PrometheusOutput()
    from lockdoctor.outputs.json.check import CheckJson  # noqa: PLC0415  # loads rich
    from lockdoctor.outputs.table.check import CheckTable  # noqa: PLC0415  # loads rich
    from lockdoctor.outputs.table.report import TableOutput  # noqa: PLC0415  # as above

    if form == CheckFormat.JSON:
        return CheckJson()
    width = shutil.get_terminal_size((WIDTH, 24)).columns if out is sys.stdout else WIDTH
    return CheckTable(table=TableOutput(width=width, colour=in_colour(out, os.environ)))


def _file(text: str) -> tuple[str, Path]:
    form, is_said, path = text.partition("=")
    if not is_said or not path or form not in {each.value for each in CheckFormat}:
        forms = ", ".join(each.value for each in CheckFormat)
        raise ConfigError(
            f"--output {text} has another form. Write FORMAT=FILE, with one of {forms}."
        )
    return _own(form, Path(path))


def _own(form: str, path: Path) -> tuple[str, Path]:
    """Refuse a file that is not lockdoctor's; other faults do not stop the check."""
    with contextlib.suppress(OutputError, OSError):
        if path.exists():
            require_place(path, _KINDS[CheckFormat(form)])
    return form, path


def _ping(url: str) -> Ping:
    from lockdoctor.cli.commands.check.ping import Ping  # noqa: PLC0415  # loads an HTTP client

    try:
        return Ping(url)
    except ValueError as error:
        raise ConfigError(f"--ping-url {error}. Use the URL that the service shows.") from error


def _pairs(argv: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each option with its value: --format json, --format=json."""
    for word, following in zip(argv, [*argv[1:], ""], strict=True):
        flag, is_joined, value = word.partition("=")
        yield (flag, value) if is_joined else (word, following)
