"""Where the history lies: its path, its mode, and where a damaged one goes."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path

from lockdoctor.state import make_folder, state_folder

BESIDE = ("-wal", "-shm")
"""What SQLite puts beside a database in use. Source: sqlite.org/tempfiles.html."""

_MAGIC = b"SQLite format 3\0"
_SMALLEST_PAGE, _LARGEST_PAGE = 512, 65536
"""Source: sqlite.org/fileformat2.html, as the line above; the header has 1 for the largest."""


def default_path(environ: Mapping[str, str]) -> Path:
    """Say where the history lies unless told otherwise."""
    return state_folder(environ) / "history.sqlite3"


def named_path(named: Path | None, environ: Mapping[str, str]) -> Path:
    """Say where the history lies: the place named, LOCKDOCTOR_HISTORY, the XDG state folder."""
    chosen = named or environ.get("LOCKDOCTOR_HISTORY")
    return Path(chosen) if chosen else default_path(environ)


def prepare(path: Path) -> None:
    """
    Make sure that the file is there and may be written, for nobody else's eyes when it is new.

    SQLite gives what it puts beside the file the same mode.

    Raises:
        OSError: It cannot be made or opened.
    """
    make_folder(path.absolute().parent)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def looks_whole(path: Path) -> bool:
    """
    Tell whether a file is empty, or begins like a database and has whole pages only.

    SQLite takes the stump of one for an empty one, and deletes what lies beside it; and what is
    missing of the last page, for zeros. While a run writes, the end of the file is nobody's yet.

    Raises:
        OSError: It cannot be read.
    """
    is_written = is_in_use(path)
    with path.open("rb") as file:
        beginning = file.read(_SMALLEST_PAGE)
        length = file.seek(0, os.SEEK_END)
    if not length:
        return True
    if len(beginning) < _SMALLEST_PAGE or not beginning.startswith(_MAGIC):
        return False
    page_size = int.from_bytes(beginning[16:18], "big")
    return is_written or not length % (_LARGEST_PAGE if page_size == 1 else page_size or 1)


def size(path: Path) -> int | None:
    """
    Tell how many bytes a file has; None where there is none.

    Raises:
        OSError: It cannot be told, or it is something else than a file.
    """
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is no file")
    return found.st_size


def is_in_use(path: Path) -> bool:
    """Tell whether something lies beside a file that SQLite keeps there."""
    return any(Path(f"{path}{beside}").exists() for beside in BESIDE)


def identity(path: Path) -> tuple[int, int] | None:
    """Say which file a path leads to at present; None where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def set_aside(path: Path, at: float) -> Path:
    """
    Move a damaged history out of the way, together with what lies beside it.

    Args:
        path: The history.
        at: POSIX seconds, to name it by.

    Returns:
        Where it is now.

    Raises:
        OSError: It cannot be moved.
    """
    moment = datetime.fromtimestamp(at, timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    aside = _free(path.with_name(f"{path.name}.corrupt-{moment}"))
    # The database last: beside a fresh one, SQLite would play an old -wal into it.
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
