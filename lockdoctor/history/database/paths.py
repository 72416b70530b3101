"""Find, create, check and rename the history file."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path

from lockdoctor.history.database.ownership import HISTORY, MAGIC
from lockdoctor.own_files import require_own_content, require_writable
from lockdoctor.paths import make_state_folder, state_folder

BESIDE = ("-wal", "-shm", "-journal")
"""The suffixes of SQLite's own files beside an open database. Source: sqlite.org/tempfiles.html."""

_LOCK_TRIES, _LOCK_PAUSE_S = 100, 0.05
"""
The maximum time to wait for the file's lock, in seconds. A run holds it for milliseconds, while it
creates or renames the file.
"""

_SMALLEST_PAGE, _MAX_PAGE = 512, 65536
"""
Source: sqlite.org/fileformat2.html, as for the line above; the header has 1 for the largest page
size.
"""


def default_path(environ: Mapping[str, str]) -> Path:
    """Return the default path of the history."""
    return state_folder(environ) / "history.sqlite3"


def named_path(named: Path | None, environ: Mapping[str, str]) -> Path:
    """
    Return the path of the history: the one named, or that of the environment.

    The order is: the path named, LOCKDOCTOR_HISTORY, the XDG state folder.
    """
    chosen = named or environ.get("LOCKDOCTOR_HISTORY")
    return Path(chosen) if chosen else default_path(environ)


def prepare(path: Path, begin: Callable[[], None]) -> None:
    """
    Make sure that the file exists, is a history and is writable.

    Only its user may read a new file. SQLite gives its own files beside it the same mode. One run
    creates the history in an empty file, and all others wait for it: SQLite itself sometimes fails
    where several processes do so at once.

    Args:
        path: The history, links resolved.
        begin: Makes a history of an empty file, and closes it before it returns.

    Raises:
        FileRefusedError: It is not a history, or its folder is missing.
        OSError: It cannot be created or opened.
    """
    require_writable(path, HISTORY)
    make_state_folder(path)
    while not _prepared(path, begin):
        pass  # another run has renamed it meanwhile


def _prepared(path: Path, begin: Callable[[], None]) -> bool:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        with contextlib.suppress(OSError):  # where the file system has no such locks, and
            # where a wrapper such as flock(1) holds it while it runs lockdoctor
            _lock(file, fcntl.LOCK_SH if os.fstat(file).st_size else fcntl.LOCK_EX)
        found = os.fstat(file)
        if identity(path) != (found.st_dev, found.st_ino):
            return False
        require_own_content(path, HISTORY, file)
        if not found.st_size:
            begin()
        return True
    finally:
        os.close(file)


def looks_whole(path: Path) -> bool:
    """
    Return whether a file is empty, or begins like a database and has whole pages.

    SQLite takes a cut-off database for an empty one and deletes its files beside it. It reads the
    missing part of a last page as zeros. While a run writes, the end of the file might be
    incomplete.

    Raises:
        OSError: It cannot be read.
    """
    is_written = is_in_use(path)
    with path.open("rb") as file:
        beginning = file.read(_SMALLEST_PAGE)
        length = file.seek(0, os.SEEK_END)
    if not length:
        return True
    if len(beginning) < _SMALLEST_PAGE or not beginning.startswith(MAGIC):
        return False
    page_size = int.from_bytes(beginning[16:18], "big")
    return is_written or not length % (_MAX_PAGE if page_size == 1 else page_size or 1)


def size(path: Path) -> int | None:
    """
    Return the size of a file in bytes; None where there is no file.

    Raises:
        OSError: The size cannot be read.
    """
    try:
        return path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return None


def is_in_use(path: Path) -> bool:
    """Return whether one of SQLite's own files exists beside a file."""
    return any(Path(f"{path}{beside}").exists() for beside in BESIDE)


def identity(path: Path) -> tuple[int, int] | None:
    """Return which file a path leads to at present; None if it leads to no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def quarantine_file(path: Path, damaged: tuple[int, int], at: float) -> Path | None:
    """
    Rename a damaged history, together with SQLite's files beside it.

    Runs that find the same damage take turns, so that no run renames the fresh file of another.

    Args:
        path: The history, links resolved.
        damaged: The identity of the damaged file.
        at: POSIX seconds, for the new name.

    Returns:
        The new path; None where another run has renamed it already.

    Raises:
        OSError: It cannot be renamed.
    """
    try:
        file = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        found = os.fstat(file)
        if (found.st_dev, found.st_ino) != damaged:
            return None
        _lock(file, fcntl.LOCK_EX)
        return _moved(path, at) if identity(path) == damaged else None
    finally:
        os.close(file)


def _lock(file: int, kind: int) -> None:
    """
    Lock a file, only while SQLite does not have it open in this process.

    Closing a file ends SQLite's own locks on it.
    """
    for _ in range(_LOCK_TRIES):
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(file, kind | fcntl.LOCK_NB)
            return
        time.sleep(_LOCK_PAUSE_S)
    raise BlockingIOError(errno.EWOULDBLOCK, "another run has locked it")


def _moved(path: Path, at: float) -> Path:
    moment = datetime.fromtimestamp(at, timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    aside = _free(path.with_name(f"{path.name}.corrupt-{moment}"))
    # The database last: SQLite would apply an old -wal to a fresh database.
    for beside in (*BESIDE, ""):
        source = Path(f"{path}{beside}")
        if source.exists():
            source.rename(f"{aside}{beside}")
    return aside


def _free(wanted: Path) -> Path:
    number, free = 1, wanted
    while free.exists():
        number += 1
        free = wanted.with_name(f"{wanted.name}-{number}")
    return free
