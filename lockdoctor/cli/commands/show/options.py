"""The options of `show`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from lockdoctor.cli.options.run import RUN, OutputFormat
from lockdoctor.cli.options.types import choices, duration, option


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
    explain_kind: Annotated[
        bool,
        typer.Option(
            "--explain-kind",
            help="Show which recipe takes the key, and why the others do not.",
            rich_help_panel=RUN,
        ),
    ] = False
    window_s: Annotated[
        float,
        option(
            "--window TIME",
            "Maximum time to watch, 0 for one reading (default 60s).",
            RUN,
            parser=duration,
        ),
    ] = 60.0
    format: Annotated[
        str,
        option(
            "--format table|json",
            "Output format (default table).",
            RUN,
            **choices(*OutputFormat),
        ),
    ] = OutputFormat.TABLE
    svg: Annotated[Path | None, option("--svg FILE", "Write the page as SVG.", RUN)] = None
    html: Annotated[
        Path | None, option("--html FILE", "Write the page as HTML, for a ticket.", RUN)
    ] = None
