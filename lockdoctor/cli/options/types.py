"""How options read their values: durations, counts, one of several words."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import TypeVar

import typer

from lockdoctor.domain.policy.durations import parse_duration

_Choice = TypeVar("_Choice", bound=enum.Enum)


def duration(given: str | float) -> float:
    """Read an option's duration; a default, which is in seconds already, passes."""
    if isinstance(given, float):
        return given
    try:
        return parse_duration(given)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def count(given: str | int) -> int:
    """Read a whole number from 1 on; typer's own range says it differently in each version."""
    try:
        number = int(given)
    except ValueError:
        number = 0
    if number < 1:
        raise typer.BadParameter(f"{given!r} is not a whole number, 1 or more")
    return number


def parse_switch(text: str) -> bool:
    """
    Read true or false as etcdctl does.

    Raises:
        ValueError: In one sentence for the person who wrote it.

    Source: ParseBool of Go's strconv package.
    """
    if text in {"1", "t", "T", "true", "TRUE", "True"}:
        return True
    if text in {"0", "f", "F", "false", "FALSE", "False"}:
        return False
    raise ValueError(f"{text!r} is not true or false")


def switch(given: str) -> bool:
    """Read an option that is true or false."""
    try:
        return parse_switch(given)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def one_of(*choices: _Choice) -> Callable[[str], _Choice]:
    """Make a reader for some members of an enumeration, written as their values."""
    by_value = {choice.value: choice for choice in choices}

    def choice(given: str) -> _Choice:
        if given not in by_value:
            raise typer.BadParameter(f"{given!r} is none of {', '.join(by_value)}")
        return by_value[given]

    return choice
