"""The journal as a person sees it; tests/approved has its pages."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from lockdoctor.domain.model.actions import Result
from lockdoctor.domain.treatment.journal_entry import Entry, Reason
from lockdoctor.outputs.table.journal import entry_parts, list_parts
from tests.factories.pages import page
from tests.factories.reports import a_key, an_intent, an_outcome

HOSTILE = b"/x\x1b[31m\n[bold]|\xff"
DONE = Entry(an_intent("aaaa"), an_outcome("aaaa"))
BEGUN = Entry(an_intent("bbbb"), None)


def listed(*shown: Entry, total: int | None = None, notes: Sequence[str] = ()) -> str:
    return page(list_parts(shown, len(shown) if total is None else total, notes), 100)


def told(entry: Entry, width: int = 80) -> str:
    return page(entry_parts(entry, []), width)


def test_an_unknown_outcome_is_said_first() -> None:
    """It is what a person has to look after, so the first line says how."""
    headline, *_ = listed(DONE, BEGUN).splitlines()

    assert headline.endswith(": lockdoctor journal show bbbb")


@pytest.mark.parametrize("width", [20, 80, 160])
def test_nothing_of_a_key_or_a_name_reaches_the_terminal_raw(width: int) -> None:
    """Escape sequences, markup, line breaks: in names, values, sentences and IDs."""
    text = HOSTILE.decode("utf-8", "surrogateescape")
    intent = an_intent(
        text,
        locks=(HOSTILE,),
        keys=(a_key(HOSTILE, value=HOSTILE),),
        why=Reason(verdict=text, confidence=text, evidence=(text,)),
        of=text,
        treated_under=HOSTILE,
    )
    entry = Entry(intent, an_outcome(text, Result.DONE, detail=text))

    for shown in (told(entry, width), listed(entry, notes=[text])):
        assert "\x1b" not in shown
        assert "\udcff" not in shown
        assert r"\x1b[31m" in shown or width < 80
