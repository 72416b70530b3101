"""Reads the values of options: durations, counts, one of several words."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import TypeVar

import typer

from lockdoctor.domain.policy.durations import parse_duration

_Choice = TypeVar("_Choice", bound=enum.Enum)


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


def one_of(*choices: _Choice) -> Callable[[str], _Choice]:
    """Return a reader for some members of an enumeration, by their values."""
    by_value = {choice.value: choice for choice in choices}

    def choice(given: str) -> _Choice:
        if given not in by_value:
            raise typer.BadParameter(f"{given!r} is none of {', '.join(by_value)}")
        return by_value[given]

    return choice
