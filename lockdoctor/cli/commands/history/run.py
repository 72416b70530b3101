"""Runs the commands of `history`: opens the file, reads it, writes the answer."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TextIO

from lockdoctor.cli.commands.history.options import PruneFlags, StoredFlags, SubjectFlags
from lockdoctor.cli.exit_codes import HistoryStatus
from lockdoctor.cli.options.run import FormatFlags, OutputFormat
from lockdoctor.cli.runtime.terminal import write_page, write_to
from lockdoctor.clock import SystemClock
from lockdoctor.domain.model.leases import lease_id_of
from lockdoctor.history.database.paths import named_path
from lockdoctor.history.pruning import KEEP_S, MAX_BYTES, prune_whole
from lockdoctor.history.reader import HistoryReader, open_reader
from lockdoctor.history.store import WAIT_S
from lockdoctor.outputs.json.history import write_lines, write_runs
from lockdoctor.outputs.table.history import runs_parts, stored_parts
from lockdoctor.outputs.text.values import count, printable, size

WHAT = "what is stored"
"""The name of the output in an error."""


def list_runs(file: StoredFlags, form: FormatFlags) -> HistoryStatus:
    """
    Write the stored runs.

    Raises:
        LockdoctorError: The history cannot be read, or the list cannot be written.
    """
    with _reader(file) as reader:
        runs = reader.runs()
    if form.format == OutputFormat.JSON:
        _print(lambda out: write_runs(runs, out))
    elif not runs:
        _print(lambda out: out.write("No run is stored\n"))
    else:
        write_page(runs_parts(runs, SystemClock().now()), WHAT)
    return HistoryStatus.DONE


def show_stored(subject: SubjectFlags, file: StoredFlags) -> HistoryStatus:
    """
    Write the stored facts on one lock or lease.

    Raises:
        LockdoctorError: The history cannot be read, or the answer cannot be written.
    """
    name = os.fsencode(subject.subject)  # the exact bytes of the command line
    with _reader(file) as reader:
        stored = reader.about(name, lease_id_of(subject.subject))
    if not (stored.holds or stored.leases or stored.findings):
        _print(lambda out: out.write(f"No run has stored {printable(name)}\n"))
        return HistoryStatus.NOTHING_STORED
    write_page(stored_parts(name, stored, SystemClock().now()), WHAT)
    return HistoryStatus.DONE


def prune(limits: PruneFlags, file: StoredFlags) -> HistoryStatus:
    """
    Delete old runs, and print their number.

    Raises:
        LockdoctorError: The history cannot be used.
    """
    pruned = prune_whole(
        named_path(file.history, os.environ),
        SystemClock().mark(),
        keep_s=KEEP_S if limits.older_than_s is None else limits.older_than_s,
        max_bytes=MAX_BYTES if limits.max_size is None else limits.max_size,
        wait_s=WAIT_S,
    )
    forgotten = count(pruned.forgotten, "run") if pruned.forgotten else "nothing"
    before, after = size(pruned.bytes_before), size(pruned.bytes_after)
    takes = after if before == after else f"{after}, before it was {before}"
    _print(
        lambda out: out.write(
            f"Forgot {forgotten}; {count(pruned.left, 'run')} stored in {takes}\n"
        )
    )
    return HistoryStatus.DONE


def export(file: StoredFlags) -> HistoryStatus:
    """
    Write everything that is stored, while it is read.

    Raises:
        LockdoctorError: The history cannot be read, or the lines cannot be written.
    """
    with _reader(file) as reader:
        _print(lambda out: write_lines(reader.export(), out))
    return HistoryStatus.DONE


def _reader(file: StoredFlags) -> HistoryReader:
    return open_reader(named_path(file.history, os.environ), SystemClock().mark())


def _print(render: Callable[[TextIO], object]) -> None:
    write_to(sys.stdout, WHAT, render)
