"""The program: parses the command line, runs a command, maps errors to exit statuses."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from lockdoctor import __version__
from lockdoctor.cli import (
    check,
    demo,
    explain,
    history,
    journal,
    revoke,
    scan,
    selfcheck,
    show,
)
from lockdoctor.cli.exit_status import ExitStatus, explained, status_of
from lockdoctor.cli.groups import Job, PanelledCommand, job
from lockdoctor.cli.streams import give_up_stdout, say

DEBUG = "LOCKDOCTOR_DEBUG"
VERSION = "--version"

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,  # rich takes longer to load than everything else together
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(
    "scan",
    cls=PanelledCommand,
    short_help="Find leaked locks, with proof, and say what they block.",
    epilog=scan.EXAMPLES,
)(job(scan.scan))
app.command(
    "check",
    cls=PanelledCommand,
    short_help="Check locks from cron or a monitoring system, in a second or two.",
    epilog=check.EXAMPLES,
)(job(check.check))
app.command(
    "revoke",
    cls=PanelledCommand,
    short_help="Free leaked locks: a plan first, then exactly that, and the proof.",
    epilog=revoke.EXAMPLES,
)(job(revoke.revoke))
app.command(
    "show",
    cls=PanelledCommand,
    short_help="Tell the whole story of one lock or lease.",
    epilog=show.EXAMPLES,
)(job(show.show))
app.command(
    "demo",
    cls=PanelledCommand,
    short_help="Leak locks in an etcd of its own, and scan them.",
    epilog=demo.EXAMPLES,
)(job(demo.demo))
app.add_typer(
    history.group,
    name="history",
    short_help="What earlier runs have seen: list, show, prune, export.",
)
app.command(
    "explain",
    cls=PanelledCommand,
    short_help="Say what a verdict means, and what to do.",
    epilog=explain.EXAMPLES,
)(job(explain.explain))
app.command(
    "selfcheck",
    cls=PanelledCommand,
    short_help="Say whether lockdoctor can do its work here, and with which role.",
    epilog=selfcheck.EXAMPLES,
)(job(selfcheck.selfcheck))
app.add_typer(
    journal.group,
    name="journal",
    short_help="What was done to etcd: list, show, put deleted keys back.",
)


def _say_version() -> int:
    """Say it; alone on the command line, without typer, which may take longer than all else."""
    sys.stdout.write(f"lockdoctor {__version__}\n")
    return ExitStatus.NOTHING_FOUND


def run() -> NoReturn:
    """Run as a program of its own."""
    sys.exit(main(sys.argv[1:]))


def main(argv: Sequence[str]) -> int:
    """
    Run one command line; the only place where errors become exit statuses.

    Every error is one sentence on standard error. With --debug anywhere, or LOCKDOCTOR_DEBUG
    set, the traceback precedes it. Errors of a check are told as checks are, whatever they are:
    who monitors would take the status of bad usage for CRITICAL.
    """
    if "--debug" in argv:
        os.environ[DEBUG] = "1"
    words = [word for word in argv if word != "--debug"]
    try:
        status = _say_version() if words == [VERSION] else _parse(words)()
        sys.stdout.flush()
    except BrokenPipeError:
        give_up_stdout()
        return ExitStatus.BROKEN_PIPE
    except (KeyboardInterrupt, typer.Abort):
        return ExitStatus.INTERRUPTED
    except Exception as error:  # noqa: BLE001  # nobody on call should have to read a traceback
        if _is_check(words):
            return _failed_check(words, error)
        if os.environ.get(DEBUG):
            traceback.print_exc()
        say(explained(error))
        return status_of(error)
    return status


@app.callback(
    invoke_without_command=True,
    epilog="\b\nFor example:\n  lockdoctor scan --prefix /my-lock/",
)
def lockdoctor(
    context: typer.Context,
    *,
    version: Annotated[bool, typer.Option(VERSION, help="Say the version and exit.")] = False,
    debug: Annotated[  # noqa: ARG001  # main() takes it out; declared here for the help
        bool,
        typer.Option("--debug", help="Show where an error came from. [LOCKDOCTOR_DEBUG]"),
    ] = False,
) -> None:
    """Find leaked etcd v3 locks and leases, with proof, and say what they block."""
    if version:
        raise typer.Exit(_say_version())
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(ExitStatus.BAD_USAGE)


def _parse(argv: list[str]) -> Job:
    command = typer.main.get_command(app)
    try:
        parsed = command.main(argv, prog_name="lockdoctor", standalone_mode=False)
    except SystemExit as broken:  # what typer makes of a broken pipe
        raise BrokenPipeError from broken
    return parsed if callable(parsed) else lambda: int(parsed or 0)


def _is_check(words: Sequence[str]) -> bool:
    """Tell whether the command is meant to be `check`, whatever else is wrong with the line."""
    commands = {command.name for command in app.registered_commands}
    commands |= {group.name for group in app.registered_groups}
    return next((word for word in words if word in commands), None) == "check"


def _failed_check(words: Sequence[str], error: Exception) -> int:
    try:
        from lockdoctor.cli import telling  # noqa: PLC0415  # loads outputs

        return telling.tell_failure(words, error)
    except Exception as worse:  # noqa: BLE001  # the last resort
        traceback.print_exc()
        print(f"LOCKDOCTOR UNKNOWN - {type(error).__name__}, {type(worse).__name__}")  # noqa: T201  # a command line talks
        return ExitStatus.NOT_EXAMINED
