"""The options of the journal."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer


@dataclass(frozen=True, kw_only=True)
class JournalFlags:
    """The journal file for actions on etcd."""

    journal: Annotated[
        Path | None,
        typer.Option(
            "--journal",
            metavar="FILE",
            help="File that records each write to etcd, before and after it (default"
            " LOCKDOCTOR_JOURNAL, then lockdoctor/journal.jsonl in the XDG state folder).",
            rich_help_panel="Journal",
        ),
    ] = None
