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
            help="What is done to etcd is written down here, before and after. Default:"
            " LOCKDOCTOR_JOURNAL, then lockdoctor/journal.jsonl in the XDG state folder.",
            rich_help_panel="Journal",
        ),
    ] = None
