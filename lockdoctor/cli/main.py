"""The program: parses the command line, runs a command, maps errors to statuses."""

from __future__ import annotations

import functools
import importlib
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from lockdoctor import __version__
from lockdoctor.cli.exit_codes import ExitStatus, error_message, status_of
from lockdoctor.cli.options.completion import CommandName
from lockdoctor.cli.options.groups import (
    CommandGroup,
    Job,
    PanelledCommand,
    to_click_command,
)
from lockdoctor.cli.runtime.memory import collect_rarely, leave_garbage
from lockdoctor.cli.runtime.signals import any_received, clear_received, interrupt_at_once
from lockdoctor.cli.runtime.terminal import discard_stdout, give_up_what_is_closed, print_message
from lockdoctor.errors import LockdoctorError, OutputError

DEBUG = "LOCKDOCTOR_DEBUG"
VERSION = "--version"
_FLAGS_ANYWHERE = frozenset({"--debug", "--verbose", "-v"})
"""They may be before or after the command."""
COMPLETION = "_LOCKDOCTOR_COMPLETE"
"""The variable with which a shell asks typer for completions, instead of running a command."""

COMMANDS = {
    "scan": "Find leaked locks, with proof, and report what they block.",
    "check": "Check locks from cron or a monitoring system, within seconds.",
    "revoke": "Plan how to free leaked locks, do it, and verify the result.",
    "show": "Show everything known about one lock or lease.",
    "demo": "Leak locks in a temporary etcd, and scan them.",
    "history": "List, show, prune or export what earlier runs stored.",
    "explain": "Explain a verdict: its meaning, evidence and remedy.",
    "selfcheck": "Check connection and permissions; print the smallest etcd role.",
    "journal": "List what was done to etcd; restore deleted keys.",
}
"""A short help for each command; a command's module has its name."""


class _Commands(CommandGroup):
    """Loads a command for its run or help; loading all takes as long as typer."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  # click's signature
        """Return the names in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002  # click's signature
        """Load one command; return None for an unknown name."""
        return load(cmd_name) if cmd_name in COMMANDS else None

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002  # click's signature
        """Write the list without loading a command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Complete the names of commands without loading any."""
        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        return [CommandName(name) for name in COMMANDS if name.startswith(incomplete)]


app = typer.Typer(
    cls=_Commands,
    rich_markup_mode=None,  # rich takes longer to load than everything else together
    context_settings={"help_option_names": ["-h", "--help"]},
)


def load(name: str) -> Any:
    """Load a command or a group as an object of click."""
    module = importlib.import_module(f"lockdoctor.cli.commands.{name}")
    if hasattr(module, "group"):
        return typer.main.get_command(module.group)
    command = _click_command(name, getattr(module, name), epilog=module.EXAMPLES)
    command.brief = {**getattr(module, "BRIEF", {}), **command.brief}
    return command


def _click_command(name: str, function: Callable[..., int], **settings: Any) -> Any:
    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    alone.command(name, cls=PanelledCommand, **settings)(to_click_command(function))
    return typer.main.get_command(alone)


def _say_version() -> int:
    """Print the version, without typer, which can take longer than all the rest."""
    sys.stdout.write(f"lockdoctor {__version__}\n")
    return ExitStatus.NOTHING_FOUND


def run() -> NoReturn:
    """Run as a program of its own."""
    collect_rarely()
    interrupt_at_once()
    status = main(sys.argv[1:])
    give_up_what_is_closed()
    leave_garbage()
    sys.exit(status)


def main(argv: Sequence[str]) -> int:
    """
    Run one command line, and map each error to an exit status.

    Every error is one sentence on standard error. With --debug anywhere, or LOCKDOCTOR_DEBUG set,
    the traceback precedes it. With --verbose anywhere, each call to etcd is logged. Errors of a
    check are always reported as checks are: monitoring would read the status of bad usage as
    CRITICAL.
    """
    words, given = _without_flags(argv)
    if "--debug" in given:
        os.environ[DEBUG] = "1"
    if os.environ.get(DEBUG) or given:
        from lockdoctor.cli.runtime.logs import start_logging  # noqa: PLC0415  # for few

        start_logging(
            failures=bool(os.environ.get(DEBUG)), calls=not given.isdisjoint({"-v", "--verbose"})
        )
    clear_received()
    try:
        status = _say_version() if words == [VERSION] else _parse(words)()
        sys.stdout.flush()
    except BrokenPipeError:
        discard_stdout()
        return ExitStatus.INTERRUPTED if any_received() else ExitStatus.BROKEN_PIPE
    except (KeyboardInterrupt, typer.Abort):
        return ExitStatus.INTERRUPTED
    except Exception as error:  # noqa: BLE001  # the user on call must not need a traceback
        if COMPLETION in os.environ and not os.environ.get(DEBUG):
            return status_of(error)  # the shell would show a message in the line being typed
        if _is_check(words):
            return _failed_check(words, error)
        if os.environ.get(DEBUG):
            traceback.print_exc()
        print_message(error_message(error))
        if isinstance(error, OutputError) and any_received():  # its terminal is gone
            return ExitStatus.INTERRUPTED
        return status_of(error)
    return status


@app.callback(
    invoke_without_command=True,
    epilog="\b\nFor example:\n  lockdoctor scan --prefix /my-lock/\n  lockdoctor help scan\n"
    "\nOptions in detail: lockdoctor help connection|limits|run|processes",
)
def lockdoctor(
    context: typer.Context,
    *,
    version: Annotated[bool, typer.Option(VERSION, help="Print the version and exit.")] = False,
    debug: Annotated[  # noqa: ARG001  # main() removes it; declared here for the help
        bool,
        typer.Option("--debug", help="Print the traceback of an error. [LOCKDOCTOR_DEBUG]"),
    ] = False,
    verbose: Annotated[  # noqa: ARG001  # as debug
        bool,
        typer.Option("--verbose", "-v", help="Log each call to etcd on standard error."),
    ] = False,
) -> None:
    """Find leaked etcd v3 locks and leases, with proof, and report what they block."""
    if version:
        raise typer.Exit(_say_version())
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(ExitStatus.BAD_USAGE)


def _without_flags(argv: Sequence[str]) -> tuple[list[str], set[str]]:
    """Return the words without the flags that may be anywhere, and those flags."""
    end = argv.index("--") if "--" in argv else len(argv)  # what follows it are arguments
    flags = _FLAGS_ANYWHERE.intersection(argv[:end])
    return [word for word in argv[:end] if word not in flags] + list(argv[end:]), set(flags)


def _topic_help(topic: Callable[..., int]) -> int:
    """Print the options of a topic, which the help of some commands only mentions."""
    from lockdoctor.cli.options.topics import DETAILS  # noqa: PLC0415  # few ask for them

    name = topic.__name__
    command = _click_command(name, topic, add_help_option=False, epilog=DETAILS.get(name))
    command.brief = {}
    context = command.make_context(name, [], resilient_parsing=True)
    formatter = context.make_formatter()
    command.format_help_text(context, formatter)
    command.format_options(context, formatter)
    command.format_epilog(context, formatter)
    typer.echo(formatter.getvalue().strip("\n"))
    return ExitStatus.NOTHING_FOUND


def _parse(argv: list[str]) -> Job:
    if argv[:1] == ["help"]:
        from lockdoctor.cli.options.topics import TOPICS  # noqa: PLC0415  # all options

        if len(argv) > 1 and argv[1] in TOPICS:
            return functools.partial(_topic_help, TOPICS[argv[1]])
        argv = [*argv[1:], "--help"]
    command: Any = typer.main.get_command(app)
    for param in command.params:
        if param.name in _COMPLETION_HELP:
            param.help = _COMPLETION_HELP[param.name]
    try:
        parsed = command.main(
            argv, prog_name="lockdoctor", standalone_mode=False, obj=_cluster_names
        )
    except SystemExit as done:
        if done.code and COMPLETION not in os.environ:  # typer's exception for a broken pipe
            raise BrokenPipeError from done
        status = int(done.code or 0)  # of completions, or of their installation
        return lambda: status
    return parsed if callable(parsed) else lambda: int(parsed or 0)


_COMPLETION_HELP = {
    "install_completion": "Install completion for this shell (bash, zsh, fish).",
    "show_completion": "Print the completion script of this shell.",
}
"""One line of help for each of typer's two options."""


def _cluster_names(config: Path | None) -> list[str]:
    """Return the names that --cluster takes; none where the file cannot be read."""
    from lockdoctor.cli.config.file import find_config, read_config  # noqa: PLC0415  # for few

    try:
        return list(read_config(find_config(config, os.environ)).clusters)
    except LockdoctorError:
        return []


def _is_check(words: Sequence[str]) -> bool:
    """Return whether the command is meant to be `check`, even on an invalid line."""
    return next((word for word in words if word in COMMANDS), None) == "check"


def _failed_check(words: Sequence[str], error: Exception) -> int:
    try:
        from lockdoctor.cli.commands.check import report as telling  # noqa: PLC0415  # loads outputs

        return telling.tell_failure(words, error)
    except Exception as worse:  # noqa: BLE001  # the last resort
        traceback.print_exc()
        print(f"LOCKDOCTOR UNKNOWN - {type(error).__name__}, {type(worse).__name__}")  # noqa: T201  # output for the user
        return ExitStatus.NOT_EXAMINED
