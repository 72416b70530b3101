"""Recognize a history by its bytes, before the file is opened as a database."""

from __future__ import annotations

import contextlib
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from lockdoctor.history.database import migrations
from lockdoctor.history.database.queries import sql
from lockdoctor.own_files import FileKind

MAGIC = b"SQLite format 3\0"
_ID = slice(68, 72)
"""
The offset of the application_id in the header. Source: sqlite.org/fileformat2.html, as for all
offsets here.
"""

_MARK_BYTES = 4
_BESIDE = {
    "-wal": (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83"),
    "-shm": ((3_007_000).to_bytes(_MARK_BYTES, sys.byteorder),),
    "-journal": (b"\xd9\xd5\x05\xf9",),
}
"""
The suffixes of SQLite's own files beside a database, and the first bytes of each file.

Source: sqlite.org/walformat.html, sqlite.org/fileformat2.html.
"""

_WAL_HEADER_BYTES, _FRAME_HEADER_BYTES = 32, 24


def is_history(path: Path, beginning: bytes) -> bool:
    """
    Return whether a file is a history, by SQLite's header and lockdoctor's ID.

    A run that is killed can leave the ID (the application_id) in the -wal file alone. A file
    without any ID is a history if its tables are lockdoctor's, exactly; the next run gives it the
    ID.
    """
    number = beginning[_ID]
    if not beginning.startswith(MAGIC) or len(number) < _ID.stop - _ID.start:
        return False
    if any(number):
        return _is_our_id(number)
    return _is_our_id(_number_in_wal(path)) or _has_our_tables(path)


def in_the_way(path: Path) -> Path | None:
    """
    Return a file with the name of one of SQLite's own files that is not SQLite's.

    SQLite deletes or overwrites it when it creates the database. A run that was killed leaves files
    of these names, too; they begin with SQLite's marks, or with zeros.

    Raises:
        OSError: A file of such a name cannot be read.
    """
    for ending, marks in _BESIDE.items():
        beside = Path(f"{path}{ending}")
        if not beside.exists():
            continue
        if not beside.is_file():
            return beside
        with beside.open("rb") as file:
            beginning = file.read(_MARK_BYTES)
        if beginning and beginning not in {*marks, bytes(len(beginning))}:
            return beside
    return None


HISTORY = FileKind(name="history", option="--history", is_ours=is_history, in_the_way=in_the_way)


def has_our_schema(connection: sqlite3.Connection) -> bool:
    """Return whether a database has exactly the tables of a lockdoctor history."""
    taken = migrations.version(connection)
    if not 1 <= taken <= len(migrations.STEPS):
        return False
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as ours:
        migrations.migrate(ours, migrations.STEPS[:taken])
        return set(_schema(connection)) == set(_schema(ours))


def _schema(connection: sqlite3.Connection) -> Iterator[tuple[str, ...]]:
    return map(tuple, connection.execute(sql("schema")))


def _is_our_id(number: bytes) -> bool:
    return number == migrations.APPLICATION_ID.to_bytes(4, "big")


def _number_in_wal(path: Path) -> bytes:
    """Read the application_id of the first page in the -wal file beside a database."""
    with contextlib.suppress(OSError), Path(f"{path}-wal").open("rb") as wal:
        page_bytes = int.from_bytes(wal.read(_WAL_HEADER_BYTES)[8:12], "big")
        while len(header := wal.read(_FRAME_HEADER_BYTES)) == _FRAME_HEADER_BYTES:
            if header[:4] == b"\0\0\0\1":
                return wal.read(_ID.stop)[_ID]
            wal.seek(page_bytes, 1)
    return b""


def _has_our_tables(path: Path) -> bool:
    """Return whether a file has a history's tables; create and lock no file."""
    address = f"{path.as_uri()}?mode=ro&immutable=1"
    with (
        contextlib.suppress(sqlite3.Error, UnicodeDecodeError),
        closing(sqlite3.connect(address, uri=True)) as connection,
    ):
        return has_our_schema(connection)
    return False
