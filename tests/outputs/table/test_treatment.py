"""What `revoke` writes for people: whole, at the widths of a small and of a large terminal."""

from __future__ import annotations

from typing import Any

import pytest

from lockdoctor.domain.model.actions import Result
from lockdoctor.domain.treatment.reasons import KeyGone, LeaseGoneAlready
from lockdoctor.outputs.table.treatment import plan_parts, report_parts, undone_parts
from tests.factories.pages import page
from tests.factories.plans import (
    an_undone,
    everything_planned,
    everything_treated,
    hostile_plan,
)


@pytest.mark.parametrize("width", [40, 80, 160])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """Nothing but a command line to copy is longer."""
    for parts in (plan_parts(everything_planned()), report_parts(everything_treated())):
        lines = page(parts, width).splitlines()
        assert all(len(line) <= width or "lockdoctor revoke" in line for line in lines)


def test_nothing_of_a_key_reaches_the_terminal_raw() -> None:
    """No markup, no escape sequence, no line break of a key's is obeyed."""
    text = page(plan_parts(hostile_plan()), 160)

    assert "\x1b" not in text
    assert all(char.isprintable() for char in text.replace("\n", ""))
    assert "[red]" in text


def test_colours_are_colours_only() -> None:
    """The words are the same without them."""
    treated = everything_treated()

    assert "\x1b[" in page(report_parts(treated), colour=True)
    assert "\x1b[" not in page(report_parts(treated))


@pytest.mark.parametrize(
    ("result", "fields", "says"),
    [
        (Result.DONE, {}, "The hold was restored, on lease 32698f1c0a1b2c3d."),
        (Result.ALREADY_GONE, {}, "Already done."),
        (Result.REFUSED, {"changed": (LeaseGoneAlready(),)}, "The lease has ended."),
        (Result.REFUSED, {"changed": (KeyGone(b"/k"),)}, "/k was deleted"),
        (Result.PARTLY, {"failure": "no"}, "Only some of the keys were restored. no."),
        (Result.DONE, {"unrecorded": "no room"}, "The journal has only the intent: no room."),
    ],
)
def test_what_came_of_an_undo(result: Result, fields: dict[str, Any], says: str) -> None:
    """The lock, and whether its hold is back."""
    text = page(undone_parts(an_undone(result, **fields)), 160)

    assert text.startswith("/my-lock/orders: ")
    assert says in text
