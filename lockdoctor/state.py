"""The folder in which lockdoctor keeps what outlives a run; for nobody else's eyes."""

from __future__ import annotations

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


def make_folder(folder: Path) -> tuple[Path, ...]:
    """
    Make a folder and those above it, as far as they are missing.

    Returns:
        Those that were made, the outermost first.

    Raises:
        OSError: One cannot be made.
    """
    made = tuple(reversed(list(_missing(folder.absolute()))))
    for each in made:
        each.mkdir(mode=0o700, exist_ok=True)
    return made


def _missing(folder: Path) -> Iterator[Path]:
    while not folder.exists():
        yield folder
        folder = folder.parent
