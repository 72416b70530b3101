"""The options of the journal's commands."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated

import typer

from lockdoctor.cli.options.types import count, duration, option

MAX_TTL_S = 9_000_000_000
"""
Maximum TTL of a lease in seconds.

Source: MaxLeaseTTL in etcd's server/lease/lessor.go.
"""


_RESTORE = "What to restore"


def ttl(given: str | int) -> int:
    """Return a lease's TTL from text; etcd counts it in whole seconds."""
    if isinstance(given, int):
        return given
    seconds = duration(given)
    if not 1 <= seconds <= MAX_TTL_S:
        raise typer.BadParameter(f"{given!r} is no TTL; etcd takes 1s up to 9000000000s")
    return math.ceil(seconds)


@dataclass(frozen=True, kw_only=True)
class ListFlags:
    """The maximum number of entries."""

    limit: Annotated[
        int,
        option(
            "--limit N", "Maximum number of entries, the newest ones (default 20).", parser=count
        ),
    ] = 20


@dataclass(frozen=True, kw_only=True)
class EntryFlags:
    """The entry to show."""

    entry: Annotated[
        str,
        typer.Argument(
            metavar="ENTRY",
            help="ID of an entry, or a unique beginning of it.",
            show_default=False,
        ),
    ]


@dataclass(frozen=True, kw_only=True)
class RestoreFlags:
    """The keys to restore, and whether to ask."""

    only: Annotated[
        list[str],
        option("--only KEY", "Restore only this key; repeatable.", _RESTORE),
    ] = field(default_factory=list)
    ttl_s: Annotated[
        int | None,
        option(
            "--ttl TIME",
            "Put the keys on a new lease that is not renewed (default: no lease).",
            _RESTORE,
            parser=ttl,
        ),
    ] = None
    yes: Annotated[
        bool,
        option("--yes", "Restore without asking.", _RESTORE),
    ] = False
    dry_run: Annotated[
        bool,
        option("--dry-run", "Print the plan only.", _RESTORE),
    ] = False
