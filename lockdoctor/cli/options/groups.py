"""Groups of options: dataclasses with an option per field, for any command."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, get_type_hints

import typer
from typer.core import TyperCommand, TyperGroup

from lockdoctor.cli.options.completion import without_help
from lockdoctor.cli.options.types import CONNECTION

Job: TypeAlias = Callable[[], int]
"""A command with all its options, ready to run; it returns the exit status."""


def to_click_command(command: Callable[..., int]) -> Callable[..., Job]:
    """
    Return a function with which typer parses a command's option groups.

    The result only parses: it returns the command as a Job. The job runs where typer does not turn
    interrupts and broken pipes into its own exits.
    """
    groups = {name: t for name, t in get_type_hints(command).items() if name != "return"}

    def parsed(**values: Any) -> Job:
        return functools.partial(
            command,
            **{
                name: group(**{f.name: values[f.name] for f in dataclasses.fields(group)})
                for name, group in groups.items()
            },
        )

    parameters = [parameter for group in groups.values() for parameter in _options(group)]
    parsed.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # typer reads it
    parsed.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    parsed.__doc__ = command.__doc__
    return parsed


class PanelledCommand(TyperCommand):
    """
    A command whose help lists its options under their rich_help_panel.

    Some panels are one line, with the topic of `lockdoctor help` that has their options.
    Arguments are shown as the bare word of their metavar. typer would decorate it, differently in
    each version, and the oldest version would load rich for it.
    """

    brief: Mapping[str, str] = {CONNECTION: "as etcdctl; see `lockdoctor help connection`"}
    """The text for each panel that is one line."""

    def collect_usage_pieces(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # as below
        """Return the arguments in their order, for the first line of the help."""
        return ["[OPTIONS]", *map(_usage, filter(_is_argument, self.get_params(ctx)))]

    def format_options(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]  # the type of the context moved between versions of typer
        """Write one section per heading, in the order of the options."""
        panels: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            is_argument = _is_argument(param)
            if record := _record(param) if is_argument else param.get_help_record(ctx):
                usual = "Arguments" if is_argument else "Options"
                heading = getattr(param, "rich_help_panel", None) or usual
                panels.setdefault(heading, []).append(record)
        if len(panels) > 1 and len(panels.get("Options", ())) == 1:
            del panels["Options"]  # only --help, which the reader has found
        for heading, records in panels.items():
            if heading not in self.brief:
                with formatter.section(heading):
                    formatter.write_dl(records)
        for number, heading in enumerate(filter(panels.__contains__, self.brief)):
            formatter.write("" if number else "\n")
            formatter.write(f"{heading}: {self.brief[heading]}\n")

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Complete the names of options, without their descriptions."""
        return without_help(super().shell_complete(ctx, incomplete))


class CommandGroup(TyperGroup):
    """A group of commands that a shell completes by their names alone."""

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Complete the names of commands and options, without their descriptions."""
        return without_help(super().shell_complete(ctx, incomplete))


def _is_argument(param: Any) -> bool:
    return bool(param.param_type_name == "argument")


def _word(param: Any) -> str:
    return param.metavar or str(param.name).upper()


def _record(param: Any) -> tuple[str, str]:
    told = [param.help, "[required]" if param.required else None]
    return _word(param), "  ".join(filter(None, told))


def _usage(param: Any) -> str:
    word = _word(param) if param.required else f"[{_word(param)}]"
    return word if param.nargs == 1 else f"{word}..."


def _options(group: type) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=_default(field),
            annotation=hints[field.name],
        )
        for field in dataclasses.fields(group)
    ]


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    if field.default is dataclasses.MISSING:
        return inspect.Parameter.empty  # a required option has no default
    return field.default
