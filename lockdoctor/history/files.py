"""Where the history lies: its path, its mode, and where a damaged one goes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path

from lockdoctor.state import make_folder, state_folder

BESIDE = ("-wal", "-shm")
"""What SQLite puts beside a database in use. Source: sqlite.org/tempfiles.html."""

_MAGIC = b"SQLite format 3\0"
_SMALLEST_PAGE = 512
"""Source: sqlite.org/fileformat2.html, as the line above."""


def default_path(environ: Mapping[str, str]) -> Path:
    """Say where the history lies unless told otherwise."""
    return state_folder(environ) / "history.sqlite3"


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
    Tell whether a file is empty or begins like a database.

    SQLite takes the stump of one for an empty one, and deletes what lies beside it.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        beginning = file.read(_SMALLEST_PAGE)
    return not beginning or (len(beginning) == _SMALLEST_PAGE and beginning.startswith(_MAGIC))


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
