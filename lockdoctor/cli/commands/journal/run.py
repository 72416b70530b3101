"""Runs the commands of `journal`: opens the file, reads it, writes the answer."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from lockdoctor.cli.commands.journal.options import EntryFlags, ListFlags
from lockdoctor.cli.exit_codes import ExitStatus
from lockdoctor.cli.options.run import FormatFlags, JournalFlags, OutputFormat
from lockdoctor.cli.runtime.journal import open_journal
from lockdoctor.cli.runtime.terminal import write_page, write_to
from lockdoctor.domain.treatment.journal_entry import Entry
from lockdoctor.errors import ConfigError
from lockdoctor.journal.file import FileJournal
from lockdoctor.outputs.json.journal import write_entries
from lockdoctor.outputs.table.journal import entry_parts, list_parts


def list_entries(flags: ListFlags, form: FormatFlags, journal: JournalFlags) -> ExitStatus:
    """
    Write the latest entries.

    Raises:
        LockdoctorError: The journal cannot be read, or the list cannot be written.
    """
    file = open_journal(journal, os.environ)
    found = file.entries()
    shown = found[: -flags.limit - 1 : -1]
    if form.format == OutputFormat.JSON:
        _write_json(shown, file, "the list", with_values=False)
    else:
        write_page(list_parts(shown, len(found), file.notes), "the list")
    return ExitStatus.NOTHING_FOUND


def show(entry: EntryFlags, form: FormatFlags, journal: JournalFlags) -> ExitStatus:
    """
    Write one entry.

    Raises:
        LockdoctorError: There is no such entry, or the journal cannot be read.
    """
    file = open_journal(journal, os.environ)
    found = find_entry(file, entry.entry)
    if form.format == OutputFormat.JSON:
        _write_json([found], file, "the entry", with_values=True)
    else:
        write_page(entry_parts(found, file.notes), "the entry")
    return ExitStatus.NOTHING_FOUND


def find_entry(file: FileJournal, beginning: str) -> Entry:
    """
    Return the entry whose ID begins with a text.

    Raises:
        ConfigError: No entry has such an ID, or several have.
        JournalError: The journal cannot be read.
    """
    found = [each for each in file.entries() if each.intent.entry_id.startswith(beginning)]
    whole = [each for each in found if each.intent.entry_id == beginning]
    if not found:
        raise ConfigError(f"{file.path} has no entry {beginning!r}. See `lockdoctor journal list`")
    if len(found) > 1 and not whole:
        raise ConfigError(f"{len(found)} entries begin with {beginning!r}. Give more of the ID.")
    return (whole or found)[0]


def _write_json(shown: Sequence[Entry], file: FileJournal, what: str, *, with_values: bool) -> None:
    write_to(
        sys.stdout,
        what,
        lambda out: write_entries(shown, file.notes, out, with_values=with_values),
    )
