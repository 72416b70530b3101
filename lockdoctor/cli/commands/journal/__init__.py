"""The commands `journal list`, `journal show` and `journal restore`."""

from __future__ import annotations

from typing import Any

import typer

from lockdoctor.cli.commands.journal.options import EntryFlags, ListFlags, RestoreFlags
from lockdoctor.cli.options.connection import ConfigFlags, ConnectionFlags
from lockdoctor.cli.options.groups import CommandGroup, PanelledCommand, to_click_command
from lockdoctor.cli.options.run import FormatFlags, JournalFlags

EXAMPLES = """\b
Examples:
  lockdoctor journal
  lockdoctor journal list --format json | jq '.entries[] | .result'
  lockdoctor journal show 5f0c
  lockdoctor journal restore 5f0c                    what would be restored
  lockdoctor journal restore 5f0c --only /app/config --yes

\b
Exit status: 0 done or planned, 1 a key was not restored, 2 bad usage,
3 the journal or etcd could not be read, 130 interrupted.
"""


def list_entries(flags: ListFlags, form: FormatFlags, journal: JournalFlags) -> int:
    """List what was done to etcd, the newest entry first."""
    from lockdoctor.cli.commands.journal import run  # noqa: PLC0415  # loads rich

    return run.list_entries(flags, form, journal)


def show(entry: EntryFlags, form: FormatFlags, journal: JournalFlags) -> int:
    """
    Show one entry: who did it and why, its keys, and its outcome.

    The keys are shown as they were right before.
    """
    from lockdoctor.cli.commands.journal import run  # noqa: PLC0415  # loads rich

    return run.show(entry, form, journal)


def restore(
    entry: EntryFlags,
    flags: RestoreFlags,
    journal: JournalFlags,
    connection: ConnectionFlags,
    config: ConfigFlags,
) -> int:
    """
    Restore keys that an entry deleted, if they do not exist now.

    Prints the plan, and executes it after you type the name or the number
    that it asks for, or with --yes. A restored key is not on its old lease. A
    lock's key is a new hold at the end of the queue.
    """
    from lockdoctor.cli.commands.journal import run_restore  # noqa: PLC0415  # loads grpc and rich

    return run_restore.restore(entry, flags, journal, connection, config)


class _ListByDefault(CommandGroup):
    """A command group that runs `list` without a command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Insert the command if it is missing, but not while a shell completes its name."""
        if not args and ctx.resilient_parsing:
            return super().parse_args(ctx, args)
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


group = typer.Typer(cls=_ListByDefault, rich_markup_mode=None, add_completion=False)


@group.callback(epilog=EXAMPLES)
def journal() -> None:
    """
    List what lockdoctor did to etcd, and restore keys that it deleted.

    Without a command it lists. Only restore writes to etcd, after a question
    or with --yes.
    """


group.command("list", cls=PanelledCommand)(to_click_command(list_entries))
group.command("show", cls=PanelledCommand)(to_click_command(show))
group.command("restore", cls=PanelledCommand)(to_click_command(restore))
