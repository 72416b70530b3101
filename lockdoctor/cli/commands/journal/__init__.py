"""The commands `journal list`, `journal show` and `journal restore`."""

from __future__ import annotations

import math
from dataclasses import field
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from lockdoctor.cli.options.groups import PanelledCommand, job
from lockdoctor.cli.options.shared import (
    ConfigFlags,
    ConnectionFlags,
    FormatFlags,
    JournalFlags,
    count,
    duration,
)
from lockdoctor.values import dataclass

MAX_TTL_S = 9_000_000_000
"""Source: MaxLeaseTTL in etcd's server/lease/lessor.go."""

_RESTORE = "What to put back"

EXAMPLES = """\b
Examples:
  lockdoctor journal
  lockdoctor journal list --format json | jq '.entries[] | select(.result == "unknown")'
  lockdoctor journal show 5f0c
  lockdoctor journal restore 5f0c                    what would be put back
  lockdoctor journal restore 5f0c --only /app/config --yes

\b
Exit status: 0 done or planned, 1 a key was not put back, 2 bad usage,
3 the journal or etcd could not be read, 130 interrupted.
"""


def ttl(given: str | int) -> int:
    """Read a lease's TTL; etcd counts it in whole seconds."""
    if isinstance(given, int):
        return given
    seconds = duration(given)
    if not 1 <= seconds <= MAX_TTL_S:
        raise typer.BadParameter(f"{given!r} is no TTL; etcd takes 1s up to 9000000000s")
    return math.ceil(seconds)


@dataclass(frozen=True, kw_only=True)
class ListFlags:
    """How much of it."""

    limit: Annotated[
        int,
        typer.Option(
            "--limit",
            parser=count,
            metavar="N",
            show_default=False,
            help="The last N entries (20).",
        ),
    ] = 20


@dataclass(frozen=True, kw_only=True)
class EntryFlags:
    """Which entry."""

    entry: Annotated[
        str,
        typer.Argument(
            metavar="ENTRY",
            help="An entry's ID, or as much of its beginning as no other has.",
            show_default=False,
        ),
    ]


@dataclass(frozen=True, kw_only=True)
class RestoreFlags:
    """What to put back, and whether to."""

    only: Annotated[
        list[str],
        typer.Option(
            "--only",
            metavar="KEY",
            help="Only this key; repeatable.",
            rich_help_panel=_RESTORE,
        ),
    ] = field(default_factory=list)
    ttl_s: Annotated[
        int | None,
        typer.Option(
            "--ttl",
            parser=ttl,
            metavar="DURATION",
            help="Put the keys onto one new lease of this TTL, which nobody renews: they go with"
            " it. Default: without a lease; they stay until somebody deletes them.",
            rich_help_panel=_RESTORE,
        ),
    ] = None
    yes: Annotated[
        bool,
        typer.Option("--yes", help="Do it without asking.", rich_help_panel=_RESTORE),
    ] = False
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Only show the plan.", rich_help_panel=_RESTORE),
    ] = False


def list_entries(flags: ListFlags, form: FormatFlags, journal: JournalFlags) -> int:
    """List what was done to etcd, the last of it first."""
    from lockdoctor.cli.commands.journal import show as journal_run  # noqa: PLC0415  # loads rich

    return journal_run.list_entries(flags, form, journal)


def show(entry: EntryFlags, form: FormatFlags, journal: JournalFlags) -> int:
    """
    Say everything that is known of one entry.

    Who did it and why, every key as it was right before, and what came of it.
    """
    from lockdoctor.cli.commands.journal import show as journal_run  # noqa: PLC0415  # loads rich

    return journal_run.show(entry, form, journal)


def restore(
    entry: EntryFlags,
    flags: RestoreFlags,
    journal: JournalFlags,
    connection: ConnectionFlags,
    config: ConfigFlags,
) -> int:
    """
    Put back keys that an entry has deleted, only where they do not exist now.

    Shows first what it would put back, and does so when the question is
    answered with yes, or with --yes. A key never comes back onto its old
    lease, and a lock's key comes back as a new hold at the end of the queue.
    """
    from lockdoctor.cli.commands.journal import restore as restore_run  # noqa: PLC0415  # loads grpc and rich

    return restore_run.restore(entry, flags, journal, connection, config)


class _ListByDefault(TyperGroup):
    """A group that lists where no command is named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command in where none stands."""
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


group = typer.Typer(cls=_ListByDefault, rich_markup_mode=None, add_completion=False)


@group.callback(epilog=EXAMPLES)
def journal() -> None:
    """
    See what lockdoctor has done to etcd, and put back keys that it deleted.

    Without a command it lists. Only restore writes to etcd, and only when told.
    """


group.command("list", cls=PanelledCommand)(job(list_entries))
group.command("show", cls=PanelledCommand)(job(show))
group.command("restore", cls=PanelledCommand)(job(restore))
