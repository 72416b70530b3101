"""Groups of options: a dataclass whose fields are options, used by any command that needs them."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeAlias, get_type_hints

import typer
from typer.core import TyperCommand

Job: TypeAlias = Callable[[], int]
"""A command with all its options, ready to run; it returns the exit status."""


def to_click_command(command: Callable[..., int]) -> Callable[..., Job]:
    """
    Let typer parse the fields of a command's parameters, each a dataclass of options.

    The result only parses: it returns the command as a Job, to be run where typer does not
    turn interrupts and broken pipes into exits of its own.
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
    A command whose help shows its options under the headings of their rich_help_panel.

    Arguments bear the bare word of their metavar, which typer would decorate, differently in each
    version; the oldest would load rich for it.
    """

    def collect_usage_pieces(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # as below
        """Say in the first line of the help what is to be given, in which order."""
        return ["[OPTIONS]", *map(_usage, filter(_is_argument, self.get_params(ctx)))]

    def format_options(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]  # the type of the context moved between versions of typer
        """Write one section per heading, in the order in which the headings come up."""
        panels: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            is_argument = _is_argument(param)
            if record := _record(param) if is_argument else param.get_help_record(ctx):
                usual = "Arguments" if is_argument else "Options"
                heading = getattr(param, "rich_help_panel", None) or usual
                panels.setdefault(heading, []).append(record)
        for heading, records in panels.items():
            with formatter.section(heading):
                formatter.write_dl(records)


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
        return inspect.Parameter.empty  # whoever runs the command must say it
    return field.default
