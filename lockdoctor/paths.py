"""The folder in which lockdoctor keeps what outlives a run; for nobody else's eyes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path


def state_folder(environ: Mapping[str, str]) -> Path:
    """
    Say where it is: `lockdoctor` in the XDG state folder.

    Source: the XDG base directory specification, by which a relative path does not count.
    """
    named = Path(environ.get("XDG_STATE_HOME", ""))
    home = Path(environ.get("HOME") or "~").expanduser()
    state = named if named.is_absolute() else home / ".local" / "state"
    return state / "lockdoctor"


def make_state_folder(path: Path, environ: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """
    Make the state folder and those above it, if a file is to lie in it.

    No other folder is ever made: its name may be a typo.

    Returns:
        Those that were made, the outermost first.

    Raises:
        OSError: One cannot be made.
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
