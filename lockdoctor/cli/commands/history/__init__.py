"""The commands `history runs`, `show`, `prune` and `export`."""

from __future__ import annotations

import typer

from lockdoctor.cli.commands.history.options import PruneFlags, StoredFlags, SubjectFlags
from lockdoctor.cli.exit_codes import ExitStatus
from lockdoctor.cli.options.groups import CommandGroup, PanelledCommand, to_click_command
from lockdoctor.cli.options.run import FormatFlags

EXAMPLES = """\b
Examples:
  lockdoctor history runs
  lockdoctor history show /my-lock/orders
  lockdoctor history show 32698f1c0a1b2c3d
  lockdoctor history export | jq 'select(.record == "finding")'
  lockdoctor history prune --older-than 7d

\b
Exit status: 0 done, 1 no data on what `show` names,
2 bad usage, 3 the history cannot be used.
"""


def runs(form: FormatFlags, file: StoredFlags) -> int:
    """List the stored runs, the last one first."""
    from lockdoctor.cli.commands.history import run  # noqa: PLC0415  # loads rich and sqlite3

    return run.list_runs(file, form)


def show(subject: SubjectFlags, file: StoredFlags) -> int:
    """
    Show what is stored of one lock or lease: holds, readings, findings.

    LOCK-OR-LEASE is a lock's name or one of its keys, byte for byte, or a lease
    as etcdctl prints it. "At least" is what readings prove: from the first
    answer that had the hold to the last question whose answer had it.
    """
    from lockdoctor.cli.commands.history import run  # noqa: PLC0415  # as above

    return run.show_stored(subject, file)


def prune(limits: PruneFlags, file: StoredFlags) -> int:
    """
    Delete old runs now, and shrink the file.

    Every check deletes some by itself: after 30 days, or if the file is larger
    than 200 MB.
    """
    from lockdoctor.cli.commands.history import run  # noqa: PLC0415  # as above

    return run.prune(limits, file)


def export(file: StoredFlags) -> int:
    """
    Write everything that is stored as JSON lines.

    "record" is the kind of a line: run, hold, lease or finding.
    """
    from lockdoctor.cli.commands.history import run  # noqa: PLC0415  # as above

    return run.export(file)


group = typer.Typer(cls=CommandGroup, rich_markup_mode=None, add_completion=False)


@group.callback(invoke_without_command=True, epilog=EXAMPLES)
def history(context: typer.Context) -> None:
    """
    List, show, prune or export what earlier runs stored.

    Only prune changes the file.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(ExitStatus.BAD_USAGE)


for _command in (runs, show, prune, export):
    group.command(_command.__name__, cls=PanelledCommand)(to_click_command(_command))
