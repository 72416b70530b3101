"""Opens the history file, and tells what goes wrong with it in sentences."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from lockdoctor.errors import HistoryBusy, HistoryError, HistoryTooNew
from lockdoctor.history import files, migrations
from lockdoctor.history.queries import sql

_ELSEWHERE = "give this run another file with --history"


class HistoryDamaged(HistoryError):
    """The file is no database, or not a whole one."""


def connect(path: Path, wait_s: float) -> sqlite3.Connection:
    """
    Open a history file in the present layout; a missing or empty one is begun.

    Raises:
        HistoryDamaged: It is no database, or not a whole one.
        HistoryTooNew: A newer lockdoctor has written it; it is left as it is.
        HistoryBusy: Another run kept it locked for as long as we waited.
        HistoryError: It cannot be opened, or it is another program's database.
    """
    try:
        files.prepare(path)
        is_whole = files.looks_whole(path)
    except OSError as error:
        raise _unusable(path, error) from error
    if not is_whole:
        raise HistoryDamaged(f"the history {path} is no database")
    with explained(path):
        connection = sqlite3.connect(
            os.fspath(path.absolute()), timeout=wait_s, isolation_level=None
        )
    try:
        with explained(path):
            _set_up(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection, *, writes: bool = True) -> Iterator[None]:
    """Do everything or nothing."""
    connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN DEFERRED")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has ended it already
            connection.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system complain of into our errors."""
    try:
        yield
    except sqlite3.Error as error:
        raise _translated(path, error) from error


def moved_aside(path: Path, at: float) -> Path:
    """
    Move a damaged history out of the way.

    Raises:
        HistoryError: It cannot be moved.
    """
    try:
        return files.set_aside(path, at)
    except OSError as error:
        raise _unusable(path, error) from error


def _set_up(connection: sqlite3.Connection, path: Path) -> None:
    connection.row_factory = sqlite3.Row
    is_new = _is_new(connection, path)
    if is_new:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    if is_new or migrations.version(connection) < len(migrations.STEPS):
        connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    migrations.migrate(connection)
    connection.execute(sql("make_asked_holds"))
    connection.execute(sql("make_asked_leases"))


def _is_new(connection: sqlite3.Connection, path: Path) -> bool:
    """
    Look at the file before anything is written to it: is it ours, and is it ours to write?

    All at one moment: another run may begin it between two looks.
    """
    with transaction(connection, writes=False):
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        written, known = migrations.version(connection), len(migrations.STEPS)
        is_empty = not connection.execute(sql("count_tables")).fetchone()[0]
    if application != migrations.APPLICATION_ID and not is_empty:
        raise HistoryError(f"{path} is a database of another program; {_ELSEWHERE}")
    if written > known:
        raise HistoryTooNew(
            f"the history {path} was written by a newer lockdoctor (layout {written}, this one"
            f" knows {known}); update lockdoctor, or {_ELSEWHERE}"
        )
    return is_empty


def _translated(path: Path, error: sqlite3.Error) -> HistoryError:
    # By words, since sqlite_errorcode came only with Python 3.11. Source: sqlite3ErrStr in
    # SQLite's main.c; Python raises the bare DatabaseError for a damaged file alone.
    if "locked" in str(error):
        return HistoryBusy(
            f"the history {path} is in use by another run; try again, or {_ELSEWHERE}"
        )
    if type(error) is sqlite3.DatabaseError:
        return HistoryDamaged(f"the history {path} is damaged ({error})")
    return _unusable(path, error)


def _unusable(path: Path, error: Exception) -> HistoryError:
    why = error.strerror if isinstance(error, OSError) else str(error)
    return HistoryError(f"the history {path} cannot be used ({why}); mend that, or {_ELSEWHERE}")
