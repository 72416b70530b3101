"""What `revoke` writes for people: whole, at the widths of a small and of a large terminal."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, TextIO

import pytest

from lockdoctor.domain.model.actions import Result
from lockdoctor.domain.treatment.reasons import KeyGone, LeaseGoneAlready
from lockdoctor.outputs.table.treatment import TreatmentTable
from tests.factories.plans import (
    an_undone,
    everything_planned,
    everything_treated,
    hostile_plan,
)

Render = Callable[[TreatmentTable, TextIO], None]

PAGES: dict[str, Render] = {
    "plan_everything": lambda table, out: table.plan(everything_planned(), out, how_to_act=None),
    "treated_everything": lambda table, out: table.report(everything_treated(), out),
}


def render(page: Render, width: int = 160, *, colour: bool = False) -> str:
    out = io.StringIO()
    page(TreatmentTable(width=width, colour=colour), out)
    return out.getvalue()


@pytest.mark.parametrize("width", [40, 80, 160])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """Nothing but a command line to copy is longer."""
    for page in (PAGES["plan_everything"], PAGES["treated_everything"]):
        lines = render(page, width).splitlines()
        assert all(len(line) <= width or "lockdoctor revoke" in line for line in lines)


def test_nothing_of_a_key_reaches_the_terminal_raw() -> None:
    """No markup, no escape sequence, no line break of a key's is obeyed."""
    text = render(lambda table, out: table.plan(hostile_plan(), out, how_to_act=None))

    assert "\x1b" not in text
    assert all(char.isprintable() for char in text.replace("\n", ""))
    assert "[red]" in text


def test_colours_are_colours_only() -> None:
    """The words are the same without them."""
    page = PAGES["treated_everything"]

    assert "\x1b[" in render(page, colour=True)
    assert "\x1b[" not in render(page)


@pytest.mark.parametrize(
    ("result", "fields", "says"),
    [
        (Result.DONE, {}, "The hold was put back, on lease 32698f1c0a1b2c3d."),
        (Result.ALREADY_GONE, {}, "Already done."),
        (Result.REFUSED, {"changed": (LeaseGoneAlready(),)}, "The lease has ended."),
        (Result.REFUSED, {"changed": (KeyGone(b"/k"),)}, "/k was deleted"),
        (Result.PARTLY, {"failure": "no"}, "Only some of the keys were put back. no."),
        (Result.DONE, {"unrecorded": "no room"}, "The journal has only the intent: no room."),
    ],
)
def test_what_came_of_an_undo(result: Result, fields: dict[str, Any], says: str) -> None:
    """The lock, and whether its hold is back."""
    text = render(lambda table, out: table.undone(an_undone(result, **fields), out))

    assert text.startswith("/my-lock/orders: ")
    assert says in text
