"""The options of one run: time limit, rate, format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from lockdoctor.cli.options.completion import words
from lockdoctor.cli.options.output import OutputFormat
from lockdoctor.cli.options.types import count, duration, one_of


@dataclass(frozen=True, kw_only=True)
class RunFlags:
    """The time limit and the format."""

    window_s: Annotated[
        float,
        typer.Option(
            "--window",
            parser=duration,
            metavar="DURATION",
            show_default=False,
            help="Maximum time to watch (default 60s). Stops early when every lease is decided."
            " 0 takes one reading, which cannot prove a renewal.",
            rich_help_panel=RUN,
        ),
    ] = 60.0
    timeout_s: Annotated[
        float | None,
        typer.Option(
            "--timeout",
            parser=duration,
            metavar="DURATION",
            help="Maximum time for the whole run (default: the window and 2m). The report has"
            " the results so far.",
            rich_help_panel=RUN,
        ),
    ] = None
    format: Annotated[
        str,  # a Format; typer before 0.29 would convert an enumeration after its parser did
        typer.Option(
            "--format",
            parser=one_of(*OutputFormat),
            autocompletion=words(*OutputFormat),
            metavar="table|json",
            show_default=False,
            help="Format of the report on standard output (default table).",
            rich_help_panel=RUN,
        ),
    ] = OutputFormat.TABLE


RUN = "This run"


@dataclass(frozen=True, kw_only=True)
class LookupFlags:
    """The scope and the rate of reading the cluster."""

    max_rate: Annotated[
        int,
        typer.Option(
            "--max-rate",
            parser=count,
            metavar="N",
            show_default=False,
            help="Maximum lease look-ups per second (default 5000). The first tenth of N is sent"
            " at once.",
            rich_help_panel=RUN,
        ),
    ] = 5000
    no_sessions: Annotated[
        bool,
        typer.Option(
            "--no-sessions",
            help="Do not look for leaked sessions (leases without keys, in the whole cluster).",
            rich_help_panel=RUN,
        ),
    ] = False
