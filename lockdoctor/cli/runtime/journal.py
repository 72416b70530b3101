"""Opens the journal that the flags or the environment name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lockdoctor.cli.options.run import JournalFlags
from lockdoctor.journal.file import FileJournal, default_path


def open_journal(flags: JournalFlags, environ: Mapping[str, str]) -> FileJournal:
    """Return the flag's journal, the environment's, or the one in the state folder."""
    named = flags.journal or environ.get("LOCKDOCTOR_JOURNAL")
    return FileJournal(Path(named) if named else default_path(environ))
