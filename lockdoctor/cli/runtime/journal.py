"""Opens the journal that the flags or the environment name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lockdoctor.cli.options.journal import JournalFlags
from lockdoctor.journal.file import FileJournal, default_path


def open_journal(flags: JournalFlags, environ: Mapping[str, str]) -> FileJournal:
    """Choose the journal: the flag's, the environment's, the one in the XDG state folder."""
    named = flags.journal or environ.get("LOCKDOCTOR_JOURNAL")
    return FileJournal(Path(named) if named else default_path(environ))
