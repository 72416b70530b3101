"""The options of `check`."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from lockdoctor.cli.options.completion import words
from lockdoctor.cli.options.run import RUN
from lockdoctor.cli.options.types import duration, one_of

_STATUS = "Thresholds, in addition to the verdicts"


_TELLING = "Output"


class CheckFormat(str, enum.Enum):
    """The formats that `check` can write."""

    NAGIOS = "nagios"
    JSON = "json"
    PROMETHEUS = "prometheus"
    TABLE = "table"


@dataclass(frozen=True, kw_only=True)
class StatusFlags:
    """The limits for the status, and the time limit of the check."""

    warning: Annotated[
        list[str],
        typer.Option(
            "--warning",
            "-w",
            metavar="METRIC=RANGE",
            help="WARNING if a metric leaves its range, like waiters=5; repeatable.",
            rich_help_panel=_STATUS,
        ),
    ] = field(default_factory=list)
    critical: Annotated[
        list[str],
        typer.Option(
            "--critical",
            "-c",
            metavar="METRIC=RANGE",
            help="Same as --warning, for CRITICAL.",
            rich_help_panel=_STATUS,
        ),
    ] = field(default_factory=list)
    first_run_unknown: Annotated[
        bool,
        typer.Option(
            "--first-run-unknown",
            help="Report UNKNOWN, not OK, if the history has no earlier run.",
            rich_help_panel=_STATUS,
        ),
    ] = False
    timeout_s: Annotated[
        float,
        typer.Option(
            "--timeout",
            parser=duration,
            metavar="DURATION",
            show_default=False,
            help="Maximum time for the whole check (default 30s).",
            rich_help_panel=RUN,
        ),
    ] = 30.0


@dataclass(frozen=True, kw_only=True)
class ReportFlags:
    """The formats and destinations of the result."""

    format: Annotated[
        str,  # a Format; typer before 0.29 would convert an enumeration after its parser did
        typer.Option(
            "--format",
            parser=one_of(*CheckFormat),
            autocompletion=words(*CheckFormat),
            metavar="nagios|json|prometheus|table",
            show_default=False,
            help="Format on standard output (default nagios: one status line, then details).",
            rich_help_panel=_TELLING,
        ),
    ] = CheckFormat.NAGIOS
    output: Annotated[
        list[str],
        typer.Option(
            "--output",
            metavar="FORMAT=FILE",
            help="Write the result in another format to a file, atomically; repeatable.",
            rich_help_panel=_TELLING,
        ),
    ] = field(default_factory=list)
    textfile: Annotated[
        Path | None,
        typer.Option(
            "--textfile",
            metavar="FILE",
            help="Same as --output prometheus=FILE, for node_exporter. Also written if the check"
            " fails (lockdoctor_up is 0).",
            rich_help_panel=_TELLING,
        ),
    ] = None
    ping_url: Annotated[
        str | None,
        typer.Option(
            "--ping-url",
            metavar="URL",
            help="Ping a service like healthchecks.io: URL/start, then URL/<exit status> with"
            " the status line. A failed ping does not change the status. Only this request"
            " uses http_proxy and https_proxy.",
            rich_help_panel=_TELLING,
        ),
    ] = field(default=None, repr=False)
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet",
            help="Print no output if the status is OK (cron sends no mail).",
            rich_help_panel=_TELLING,
        ),
    ] = False


@dataclass(frozen=True, kw_only=True)
class TreatFlags:
    """Whether leaked locks are freed."""

    treat: Annotated[
        bool,
        typer.Option(
            "--treat",
            help="Free leaked locks as lockdoctor.toml allows, after watching their leases for"
            " up to 2 min. The status is that before the treatment. --timeout does not apply"
            " to it.",
            rich_help_panel=RUN,
        ),
    ] = False
