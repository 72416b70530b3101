"""Runs the self-check: settings, inspection, files, output."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from lockdoctor import __version__
from lockdoctor.cli.config.file import find_config, read_config
from lockdoctor.cli.exit_codes import ExitStatus
from lockdoctor.cli.options.connection import ConfigFlags, ConnectionFlags
from lockdoctor.cli.options.prefixes import PrefixFlags, prefixes
from lockdoctor.cli.options.run import FormatFlags, HistoryFlags, JournalFlags, OutputFormat
from lockdoctor.cli.runtime.run import settings_of
from lockdoctor.cli.runtime.signals import Signals
from lockdoctor.cli.runtime.terminal import write_page, write_to
from lockdoctor.clock import SystemClock
from lockdoctor.domain.selfcheck.rules import Permission, judge
from lockdoctor.errors import FileRefusedError, HistoryError, JournalError
from lockdoctor.etcd.selfcheck import inspect
from lockdoctor.history.database.ownership import HISTORY
from lockdoctor.history.database.paths import named_path
from lockdoctor.history.reader import open_reader
from lockdoctor.journal.file import JOURNAL, FileJournal, default_path
from lockdoctor.outputs.json.selfcheck import write_json
from lockdoctor.outputs.table.selfcheck import selfcheck_parts
from lockdoctor.own_files import FileKind, may_write_in, require_writable
from lockdoctor.ports import StopRequest

LIBRARIES = ("etcd3", "grpcio", "protobuf", "typer", "rich", "humanize", "prometheus-client")


def run_selfcheck(
    form: FormatFlags,
    targets: PrefixFlags,
    history: HistoryFlags,
    journal: JournalFlags,
    connection: ConnectionFlags,
    config: ConfigFlags,
) -> ExitStatus:
    """
    Check everything that a scan needs, and print the results.

    Raises:
        ConfigError: A flag, a variable or the configuration is invalid.
        WrongClusterError: Another cluster has answered.
        OutputError: The result could not be written.
    """
    file = read_config(find_config(config.config, os.environ))
    asked = prefixes(targets, file.rules)
    settings = settings_of(connection, config.cluster, file, os.environ)
    clock = SystemClock()
    stop = StopRequest()
    signals = Signals(stop)
    facts = signals.run(inspect(settings, clock, asked, stop))
    local = (
        *_history(history, clock, os.environ),
        _journal(journal.journal, os.environ),
        Permission(what="versions", note=_versions()),
    )
    found = judge(replace(facts, local=local))
    if form.format == OutputFormat.JSON:
        write_to(sys.stdout, "the result", lambda out: write_json(found, asked, out))
    else:
        write_page(selfcheck_parts(found, asked), "the result")
    if signals.received:
        return ExitStatus.INTERRUPTED
    if found.is_blind:
        return ExitStatus.NOT_EXAMINED
    return ExitStatus.FINDINGS if found.has_problem else ExitStatus.NOTHING_FOUND


def _history(
    flags: HistoryFlags, clock: SystemClock, environ: Mapping[str, str]
) -> Iterator[Permission]:
    if flags.no_history:
        return
    path = named_path(flags.history, environ)
    what = f"history {path}"
    if not _is_there(path):
        yield _to_be_begun(what, path, HISTORY)
        return
    try:
        with open_reader(path, clock.mark()) as reader:
            yield Permission(what=what, note=f"{len(reader.runs()):,} runs stored")
    except HistoryError as failed:
        yield Permission(what=what, refusal=str(failed))


def _journal(named: Path | None, environ: Mapping[str, str]) -> Permission:
    path = named or Path(environ.get("LOCKDOCTOR_JOURNAL") or default_path(environ))
    what = f"journal {path}"
    if not _is_there(path):
        return _to_be_begun(what, path, JOURNAL)
    journal = FileJournal(path)
    try:
        stored = sum(1 for _ in journal.entries())
    except JournalError as failed:
        return Permission(what=what, refusal=str(failed))
    return Permission(what=what, note="; ".join([f"{stored:,} entries", *journal.notes]))


def _is_there(path: Path) -> bool:
    """Return whether a file exists; if that is unreadable, opening gives the reason."""
    try:
        return path.exists()
    except OSError:
        return True


def _to_be_begun(what: str, path: Path, kind: FileKind) -> Permission:
    """Return whether a missing file can be created."""
    try:
        require_writable(path, kind)
    except (FileRefusedError, OSError) as refused:
        return Permission(what=what, refusal=str(refused))
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not may_write_in(folder):
        return Permission(what=what, refusal=f"cannot be made: {folder} may not be written to")
    return Permission(what=what, note="not there yet; it is made when it is needed")


def _versions() -> str:
    ours = [f"lockdoctor {__version__}", f"Python {platform.python_version()}"]
    return ", ".join([*ours, *(f"{library} {version(library)}" for library in LIBRARIES)])
