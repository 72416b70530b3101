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

_STATUS = "What alarms, beside the verdicts"


_TELLING = "Where the result goes"


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
            help="WARNING where a metric leaves its range, waiters=5 for example; repeatable.",
            rich_help_panel=_STATUS,
        ),
    ] = field(default_factory=list)
    critical: Annotated[
        list[str],
        typer.Option(
            "--critical",
            "-c",
            metavar="METRIC=RANGE",
            help="The same for CRITICAL.",
            rich_help_panel=_STATUS,
        ),
    ] = field(default_factory=list)
    first_run_unknown: Annotated[
        bool,
        typer.Option(
            "--first-run-unknown",
            help="UNKNOWN where no earlier run can be built on, instead of OK.",
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
            help="The longest that the whole check may take (30s).",
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
            help="The form on standard output (nagios: one status line, then details).",
            rich_help_panel=_TELLING,
        ),
    ] = CheckFormat.NAGIOS
    output: Annotated[
        list[str],
        typer.Option(
            "--output",
            metavar="FORMAT=FILE",
            help="Another form of the same result into a file, whole or not at all; repeatable.",
            rich_help_panel=_TELLING,
        ),
    ] = field(default_factory=list)
    textfile: Annotated[
        Path | None,
        typer.Option(
            "--textfile",
            metavar="FILE",
            help="The same as --output prometheus=FILE, for node_exporter. Always written:"
            " lockdoctor_up is 0 where the check failed.",
            rich_help_panel=_TELLING,
        ),
    ] = None
    ping_url: Annotated[
        str | None,
        typer.Option(
            "--ping-url",
            metavar="URL",
            help="Tell a monitoring service of the kind of healthchecks.io: URL/start, then"
            " URL/<exit status> with the status line. Its failure changes no status. Goes through"
            " http_proxy or https_proxy, where they are set; nothing else does.",
            rich_help_panel=_TELLING,
        ),
    ] = field(default=None, repr=False)
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet",
            help="Print nothing where all is OK, so that cron sends no mail.",
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
            help="Free leaked locks as far as lockdoctor.toml allows it below their prefix, after"
            " the examination and after up to 2 min of watching these locks' leases. The status"
            " tells how it was before; --timeout does not cut it off.",
            rich_help_panel=RUN,
        ),
    ] = False
