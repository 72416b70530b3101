"""The program: parses the command line, runs a command, maps errors to exit statuses."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, Any, NoReturn, cast

import typer

from lockdoctor import __version__
from lockdoctor.cli import demo, history, scan
from lockdoctor.cli.exit_status import ExitStatus
from lockdoctor.cli.groups import Job, PanelledCommand, job
from lockdoctor.errors import ConfigError, LockdoctorError

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

# typer gives no name to the error of its own click, or of the click beside it, for bad usage.
_UsageError = cast("type[Any]", typer.BadParameter.__base__)


def run() -> NoReturn:
    """Run as a program of its own."""
    sys.exit(main(sys.argv[1:]))


def main(argv: Sequence[str]) -> int:
    """
    Run one command line; the only place where errors become exit statuses.

    Every error is one sentence on standard error. With --debug anywhere, or LOCKDOCTOR_DEBUG
    set, the traceback precedes it.
    """
    debug = "--debug" in argv or bool(os.environ.get("LOCKDOCTOR_DEBUG"))
    try:
        status = _parse([word for word in argv if word != "--debug"])()
        sys.stdout.flush()
    except BrokenPipeError:
        _give_up_stdout()
        return ExitStatus.BROKEN_PIPE
    except (KeyboardInterrupt, typer.Abort):
        return ExitStatus.INTERRUPTED
    except Exception as error:  # noqa: BLE001  # nobody on call should have to read a traceback
        if debug:
            traceback.print_exc()
        return _explain(error)
    return status


@app.callback(
    invoke_without_command=True,
    epilog="\b\nFor example:\n  lockdoctor scan --prefix /my-lock/",
)
def lockdoctor(
    context: typer.Context,
    *,
    version: Annotated[bool, typer.Option("--version", help="Say the version and exit.")] = False,
    debug: Annotated[  # noqa: ARG001  # main() takes it out; declared here for the help
        bool,
        typer.Option("--debug", help="Show where an error came from. [LOCKDOCTOR_DEBUG]"),
    ] = False,
) -> None:
    """Find leaked etcd v3 locks and leases, with proof, and say what they block."""
    if version:
        typer.echo(f"lockdoctor {__version__}")
        raise typer.Exit
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


def _explain(error: Exception) -> ExitStatus:
    if isinstance(error, _UsageError):
        where = error.ctx.command_path if error.ctx else "lockdoctor"
        _say(f"{error.format_message().rstrip('.')} (see {where} --help)")
        return ExitStatus.BAD_USAGE
    if isinstance(error, ConfigError):
        _say(str(error))
        return ExitStatus.BAD_USAGE
    if isinstance(error, LockdoctorError):
        _say(str(error))
        return ExitStatus.NOT_EXAMINED
    _say(
        f"this should not have happened: {type(error).__name__}: {error}"
        " (add --debug for the traceback, and report it, please)"
    )
    return ExitStatus.NOT_EXAMINED


def _say(sentence: str) -> None:
    from lockdoctor.outputs.wording import safe  # noqa: PLC0415  # loads humanize

    print(f"lockdoctor: {safe(sentence)}", file=sys.stderr)  # noqa: T201  # a command line talks


def _give_up_stdout() -> None:
    """Spare the interpreter's last flush the broken pipe that we know of."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
