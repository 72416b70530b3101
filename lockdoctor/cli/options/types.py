"""Declares options, and reads their values: durations, counts, words."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any, TypeVar

import typer

from lockdoctor.domain.policy.durations import parse_duration

CONNECTION = "Connection"
"""The heading of the options that every command with a connection has."""

_Choice = TypeVar("_Choice", bound=enum.Enum)


def option(usage: str, help_text: str, panel: str | None = None, **settings: Any) -> Any:
    """
    Return an option for typer, whose help has no default but the one in its text.

    Args:
        usage: Flags and metavar as the help shows them, such as `-w --warning METRIC=RANGE`.
        help_text: One line.
        panel: The heading in the help.
        settings: Other arguments of typer.Option.
    """
    words = usage.split()
    return typer.Option(
        *(word for word in words if word.startswith("-")),
        metavar=next((word for word in words if not word.startswith("-")), None),
        help=help_text,
        rich_help_panel=panel,
        show_default=False,
        **settings,
    )


def choices(*members: enum.Enum) -> dict[str, Any]:
    """
    Return the settings of an option that takes some members of an enumeration.

    The option's type is Any: typer before 0.29 would convert an enumeration after its parser did.
    """
    return {"parser": one_of(*members), "autocompletion": words(*members)}


def words(*members: enum.Enum) -> Callable[[str], list[str]]:
    """Return a function that completes some members of an enumeration by their values."""
    values = [str(member.value) for member in members]

    def complete(incomplete: str) -> list[str]:
        return [value for value in values if value.startswith(incomplete)]

    return complete


def duration(given: str | float) -> float:
    """Return an option's duration in seconds; a default in seconds is unchanged."""
    if isinstance(given, float):
        return given
    try:
        return parse_duration(given)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def count(given: str | int) -> int:
    """Return a whole number of at least 1, with one error text for all typer versions."""
    try:
        number = int(given)
    except ValueError:
        number = 0
    if number < 1:
        raise typer.BadParameter(f"{given!r} is not a whole number, 1 or more")
    return number


def parse_switch(text: str) -> bool:
    """
    Return true or false from a text, as etcdctl does.

    Raises:
        ValueError: The text is neither; the message is one sentence for the user.

    Source: ParseBool of Go's strconv package.
    """
    if text in {"1", "t", "T", "true", "TRUE", "True"}:
        return True
    if text in {"0", "f", "F", "false", "FALSE", "False"}:
        return False
    raise ValueError(f"{text!r} is not true or false")


def switch(given: str) -> bool:
    """Return the value of an option that is true or false."""
    try:
        return parse_switch(given)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def one_of(*members: _Choice) -> Callable[[str], _Choice]:
    """Return a reader for some members of an enumeration, by their values."""
    by_value = {member.value: member for member in members}

    def choice(given: str) -> _Choice:
        if given not in by_value:
            raise typer.BadParameter(f"{given!r} is not one of: {', '.join(by_value)}")
        return by_value[given]

    return choice
