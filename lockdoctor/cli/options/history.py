"""The options of the history."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from lockdoctor.cli.options.run import RUN


@dataclass(frozen=True, kw_only=True)
class HistoryFlags:
    """The history file, and whether to use it."""

    history: Annotated[
        Path | None,
        typer.Option(
            "--history",
            metavar="FILE",
            help="File with what earlier runs saw; this run adds to it. It proves how long a"
            " lock is held. (default LOCKDOCTOR_HISTORY, then lockdoctor/history.sqlite3 in"
            " the XDG state folder)",
            rich_help_panel=RUN,
        ),
    ] = None
    no_history: Annotated[
        bool,
        typer.Option(
            "--no-history",
            help="Do not read or write the history.",
            rich_help_panel=RUN,
        ),
    ] = False
