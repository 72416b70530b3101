"""The options of `show`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from lockdoctor.cli.options.completion import words
from lockdoctor.cli.options.output import OutputFormat
from lockdoctor.cli.options.run import RUN
from lockdoctor.cli.options.types import duration, one_of


@dataclass(frozen=True, kw_only=True)
class ShowFlags:
    """The subject, the time limit and the format."""

    subject: Annotated[
        str,
        typer.Argument(
            metavar="KEY-OR-LEASE",
            help="Name of a lock, a key, or a lease as etcdctl prints it.",
        ),
    ]
    window_s: Annotated[
        float,
        typer.Option(
            "--window",
            parser=duration,
            metavar="DURATION",
            show_default=False,
            help="Maximum time to watch (default 60s). 0 takes one reading.",
            rich_help_panel=RUN,
        ),
    ] = 60.0
    format: Annotated[
        str,  # a Format; typer before 0.29 would convert an enumeration after its parser did
        typer.Option(
            "--format",
            parser=one_of(*OutputFormat),
            autocompletion=words(*OutputFormat),
            metavar="table|json",
            show_default=False,
            help="Format on standard output (default table). json is the document of scan.",
            rich_help_panel=RUN,
        ),
    ] = OutputFormat.TABLE
    svg: Annotated[
        Path | None,
        typer.Option("--svg", metavar="FILE", help="Write the page as SVG.", rich_help_panel=RUN),
    ] = None
    html: Annotated[
        Path | None,
        typer.Option(
            "--html",
            metavar="FILE",
            help="Write the page as HTML, for a ticket. It loads no other file.",
            rich_help_panel=RUN,
        ),
    ] = None
