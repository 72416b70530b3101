"""The options of the history's commands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from lockdoctor.cli.options.types import duration, option

_UNITS = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9}


_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kMG]?B)", re.ASCII | re.IGNORECASE)


def size(given: str) -> int:
    """Return a size in bytes from text: 50MB, 1.5 GB."""
    found = _SIZE.fullmatch(given)
    if not found:
        raise typer.BadParameter(f"{given!r} is not a size; write 500kB, 50MB or 1.5GB")
    number, unit = found.groups()
    by_unit = {name.lower(): factor for name, factor in _UNITS.items()}
    return int(float(number) * by_unit[unit.lower()])


@dataclass(frozen=True, kw_only=True)
class StoredFlags:
    """The history file."""

    history: Annotated[
        Path | None,
        option(
            "--history FILE",
            "History (default lockdoctor/history.sqlite3 in the XDG state folder,"
            " ~/.local/state). [LOCKDOCTOR_HISTORY]",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class SubjectFlags:
    """The lock or lease to show."""

    subject: Annotated[
        str,
        typer.Argument(
            metavar="LOCK-OR-LEASE",
            help="Name of a lock, a key, or a lease as etcdctl prints it.",
            show_default=False,
        ),
    ]


@dataclass(frozen=True, kw_only=True)
class PruneFlags:
    """The limits for stored runs."""

    older_than_s: Annotated[
        float | None,
        option(
            "--older-than TIME",
            "Delete runs that ended longer ago (default 30d).",
            parser=duration,
        ),
    ] = None
    max_size: Annotated[
        int | None,
        option(
            "--max-size SIZE",
            "Delete old runs, but the last, above this size (default 200MB).",
            parser=size,
        ),
    ] = None
