"""The options of the journal's commands."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated

import typer

from lockdoctor.cli.options.types import count, duration

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
        typer.Option(
            "--limit",
            parser=count,
            metavar="N",
            show_default=False,
            help="Maximum number of entries, the newest ones (default 20).",
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
        typer.Option(
            "--only",
            metavar="KEY",
            help="Restore only this key; repeatable.",
            rich_help_panel=_RESTORE,
        ),
    ] = field(default_factory=list)
    ttl_s: Annotated[
        int | None,
        typer.Option(
            "--ttl",
            parser=ttl,
            metavar="DURATION",
            help="Put the keys on one new lease with this TTL, without renewals; they expire"
            " with it (default: no lease, they stay).",
            rich_help_panel=_RESTORE,
        ),
    ] = None
    yes: Annotated[
        bool,
        typer.Option("--yes", help="Restore without asking.", rich_help_panel=_RESTORE),
    ] = False
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Print the plan only.", rich_help_panel=_RESTORE),
    ] = False
