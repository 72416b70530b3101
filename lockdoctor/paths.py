"""The state folder, which keeps files between runs, readable only by the user."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path


def state_folder(environ: Mapping[str, str]) -> Path:
    """
    Return the path of `lockdoctor` in the XDG state folder.

    Source: the XDG base directory specification, which ignores a relative path.
    """
    named = Path(environ.get("XDG_STATE_HOME", ""))
    home = Path(environ.get("HOME") or "~").expanduser()
    state = named if named.is_absolute() else home / ".local" / "state"
    return state / "lockdoctor"


def make_state_folder(path: Path, environ: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """
    Create the state folder and its parents if a file is written to it.

    No other folder is created: its name might be a typo.

    Returns:
        The created folders, the outermost first.

    Raises:
        OSError: A folder cannot be created.
    """
    folder = Path(os.path.realpath(path)).parent
    if folder != Path(os.path.realpath(state_folder(environ))):
        return ()
    made = tuple(reversed(list(_missing(folder))))
    for each in made:
        each.mkdir(mode=0o700, exist_ok=True)
    return made


def _missing(folder: Path) -> Iterator[Path]:
    while not folder.exists():
        yield folder
        folder = folder.parent
