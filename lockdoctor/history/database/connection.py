"""Open the history file, and turn SQLite's errors into lockdoctor's own."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from lockdoctor.errors import FileRefusedError, HistoryBusyError, HistoryError, HistoryTooNewError
from lockdoctor.history.database import migrations, paths
from lockdoctor.history.database.ownership import HISTORY, has_our_schema
from lockdoctor.history.database.queries import sql
from lockdoctor.own_files import behind_links, require_own

_ELSEWHERE = "use another file with --history"
_NEW_FILE = "The next run renames it and starts a new one."


class HistoryDamagedError(HistoryError):
    """The file is a lockdoctor history, but damaged."""


def connect(path: Path, wait_s: float) -> sqlite3.Connection:
    """
    Open a history file in the present layout; create a missing or empty one.

    Raises:
        HistoryDamagedError: It is a history, but damaged.
        HistoryTooNewError: A newer lockdoctor has written it; it is not changed.
        HistoryBusyError: Another run kept it locked for `wait_s` seconds.
        HistoryError: It cannot be opened, or it is not a history.
    """
    target = behind_links(path)

    def begin() -> None:
        _opened(target, wait_s, "rw", _set_up).close()

    with _refused(path):
        is_whole = None
        while is_whole is None:
            paths.prepare(target, begin)
            with contextlib.suppress(FileNotFoundError):  # another run has renamed it meanwhile
                is_whole = paths.looks_whole(target)
    if not is_whole:
        raise _not_whole(path)
    return _opened(target, wait_s, "rw", _set_up)


def connect_to_read(path: Path, wait_s: float) -> sqlite3.Connection:
    """
    Open a history file for reading, without changing it.

    A file of an earlier layout is read from a temporary copy, which is migrated.

    SQLite might leave its own two files beside it, which the next run removes. Where SQLite cannot
    create them, no other process can write to the history, so they are not needed.

    Raises:
        HistoryDamagedError: It is a history, but damaged.
        HistoryTooNewError: A newer lockdoctor has written it.
        HistoryBusyError: Another run kept it locked for `wait_s` seconds.
        HistoryError: It is empty, it cannot be read, or it is not a history.
    """
    require_stored(path)
    target = behind_links(path)
    try:
        connection = _opened(target, wait_s, "ro", _set_up_to_read)
    except HistoryError as error:
        if paths.is_in_use(target) or "readonly" not in str(error.__cause__):
            raise
        connection = _opened(target, wait_s, "ro&immutable=1", _set_up_to_read)
    if migrations.version(connection) == len(migrations.STEPS):
        return connection
    with contextlib.closing(connection), translating_errors(path):
        return _migrated_copy(connection)


def require_stored(path: Path) -> None:
    """
    Raise an error if the history file does not exist or has no content.

    Raises:
        HistoryDamagedError: It is a history, but damaged.
        HistoryError: There is no file, or it is empty, cannot be read, or is not a history.
    """
    with _refused(path):
        target = require_own(path, HISTORY)
        size = paths.size(target)
        is_whole = size is None or paths.looks_whole(target)
    if size is None:
        raise HistoryError(
            f"There is no history at {path}. `lockdoctor scan` or `check` creates it."
        )
    if not size:
        raise _empty(path)
    if not is_whole:
        raise _not_whole(path)


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection, *, writes: bool = True) -> Iterator[None]:
    """Run the block in one transaction: all of it takes effect, or no part."""
    connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN DEFERRED")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has ended it already
            connection.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def translating_errors(path: Path) -> Iterator[None]:
    """Turn errors of SQLite and of the file system into lockdoctor's own."""
    try:
        yield
    except sqlite3.Error as error:
        raise _translated(path, error) from error
    except UnicodeDecodeError as error:  # Python decodes SQLite's error messages as UTF-8, too
        raise _damaged(path, error) from error


@contextlib.contextmanager
def validating_rows(path: Path) -> Iterator[None]:
    """Do as `translating_errors`; also report changed values that SQLite accepts."""
    try:
        with translating_errors(path):
            yield
    except (ValueError, TypeError, LookupError) as error:
        raise HistoryError(
            f"The history {path} has data that lockdoctor does not write. Move it, or {_ELSEWHERE}."
        ) from error


def quarantine_file(path: Path, damaged: tuple[int, int], at: float) -> Path | None:
    """
    Rename a damaged history; return the new path.

    Returns:
        None where another run has renamed it already.

    Raises:
        HistoryError: It cannot be renamed.
    """
    with _refused(path):
        return paths.quarantine_file(path, damaged, at)


@contextlib.contextmanager
def _refused(path: Path) -> Iterator[None]:
    """Turn a refused file, and a file that is not a history, into lockdoctor's errors."""
    try:
        yield
    except FileRefusedError as refused:
        raise HistoryError(str(refused)) from refused
    except OSError as error:
        raise _unusable(path, error) from error


def _opened(
    path: Path, wait_s: float, mode: str, set_up: Callable[[sqlite3.Connection, Path], None]
) -> sqlite3.Connection:
    address = f"{path.absolute().as_uri()}?mode={mode}"
    with translating_errors(path):
        connection = sqlite3.connect(address, uri=True, timeout=wait_s, isolation_level=None)
    connection.row_factory = sqlite3.Row
    try:
        with translating_errors(path):
            set_up(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _set_up(connection: sqlite3.Connection, path: Path) -> None:
    is_new = _is_new(connection, path)
    if migrations.application(connection) != migrations.APPLICATION_ID:
        # Before a -wal takes it up: the file is recognized by it, wherever this run is killed.
        # SQLite takes the other one only before a transaction has read or written anything.
        with transaction(connection, writes=False):
            if is_new:
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            connection.execute(f"PRAGMA application_id = {migrations.APPLICATION_ID}")
    if is_new or migrations.version(connection) < len(migrations.STEPS):
        connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    migrations.migrate(connection)


def _set_up_to_read(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("PRAGMA cell_size_check = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    if _is_new(connection, path):
        raise _empty(path)


def _migrated_copy(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Return a copy in the present layout; SQLite deletes its file when it is closed."""
    copy = sqlite3.connect("", isolation_level=None)
    copy.row_factory = sqlite3.Row
    try:
        connection.backup(copy)
        migrations.migrate(copy)
    except BaseException:
        copy.close()
        raise
    return copy


def _empty(path: Path) -> HistoryError:
    return HistoryError(f"The history {path} is empty. `lockdoctor scan` or `check` adds a run.")


def _is_new(connection: sqlite3.Connection, path: Path) -> bool:
    """
    Return whether the file is empty; raise an error if it is not to be written.

    Both are checked in one transaction, since another run can create the history between two reads.
    """
    with transaction(connection, writes=False):
        written, known = migrations.version(connection), len(migrations.STEPS)
        is_empty = not connection.execute(sql("count_tables")).fetchone()[0]
        application = migrations.application(connection)
        is_ours = application == migrations.APPLICATION_ID or (
            not application and (is_empty or has_our_schema(connection))
        )
    if not is_ours:
        raise HistoryError(
            f"{path} is a database of another program. It was not changed."
            f" {_ELSEWHERE.capitalize()}."
        )
    if written > known:
        raise HistoryTooNewError(
            f"The history {path} has format {written} of a newer lockdoctor; this one reads up to"
            f" {known}. Update lockdoctor, or {_ELSEWHERE}."
        )
    return is_empty


def _translated(path: Path, error: sqlite3.Error) -> HistoryError:
    # By words, since sqlite_errorcode came only with Python 3.11. Source: sqlite3ErrStr in SQLite's
    # main.c; Python raises the bare DatabaseError for a damaged file alone.
    if "locked" in str(error):
        return HistoryBusyError(
            f"The history {path} is in use by another run. Try again, or {_ELSEWHERE}."
        )
    if type(error) is sqlite3.DatabaseError or "decode to UTF-8" in str(error):
        return _damaged(path, error)
    return _unusable(path, error)


def _not_whole(path: Path) -> HistoryDamagedError:
    return HistoryDamagedError(f"The history {path} is damaged: a part is missing. {_NEW_FILE}")


def _damaged(path: Path, error: Exception) -> HistoryDamagedError:
    return HistoryDamagedError(f"The history {path} is damaged: {error}. {_NEW_FILE}")


def _unusable(path: Path, error: Exception) -> HistoryError:
    why = error.strerror or str(error) if isinstance(error, OSError) else str(error)
    return HistoryError(f"The history {path} cannot be used: {why}. Correct that, or {_ELSEWHERE}.")
