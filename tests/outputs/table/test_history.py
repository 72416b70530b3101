"""The history for people: whole texts, and what must never reach a terminal."""

from __future__ import annotations

import pytest

from lockdoctor.domain.evidence.verdicts import Severity
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.past.stored import Stored, StoredRun
from lockdoctor.outputs.table.history import MAX_RUNS, runs_parts, stored_parts
from tests.factories.pages import page
from tests.factories.report_examples import HOSTILE
from tests.factories.reports import NOON
from tests.factories.stored import (
    HOUR,
    NAME,
    a_stored_finding,
    a_stored_hold,
    a_stored_lease,
    a_stored_run,
)


def text_of_runs(*runs: StoredRun, width: int = 80, colour: bool = False) -> str:
    return page(runs_parts(runs, NOON + 24 * HOUR), width, colour=colour)


def text_of(name: bytes, stored: Stored, width: int = 80) -> str:
    return page(stored_parts(name, stored, NOON + 4 * HOUR), width)


def test_many_runs_are_counted() -> None:
    """The last ones are listed, the rest is said to be there."""
    text = text_of_runs(*(a_stored_run(number) for number in range(MAX_RUNS + 9, 0, -1)))

    assert text.startswith(f"{MAX_RUNS + 9} runs since 2026-01-01 12:05 UTC")
    assert text.count("check") == MAX_RUNS
    assert text.endswith("\n… and 9 earlier runs; --format json has them all\n")


def test_runs_ahead_of_the_clock_are_told() -> None:
    """A clock that was set back leaves them out, and says so."""
    ahead = a_stored_run(2, started_at=NOON + 48 * HOUR, ended_at=NOON + 49 * HOUR)

    text = " ".join(text_of_runs(ahead, a_stored_run(1)).split())

    assert "In the future of this machine's clock: 1 run. lockdoctor leaves them out" in text
    assert "In the future" not in text_of_runs(a_stored_run(1))


def test_a_hold_without_a_lease() -> None:
    """Says so."""
    text = text_of(b"/k", Stored(holds=(a_stored_hold(b"/k", b"/k", lease_id=LeaseId(0)),)))

    assert "no lease, create revision 10" in text
    assert "key /k" not in text


def test_many_rows_are_counted() -> None:
    """Of each kind the last ones are listed."""
    holds = tuple(a_stored_hold(last_asked_at=NOON + 4 * HOUR + n) for n in range(60))
    leases = tuple(a_stored_lease(last_answered_at=NOON + n) for n in range(51))
    findings = tuple(a_stored_finding(last_at=NOON + n) for n in range(52))
    text = text_of(NAME, Stored(holds=holds, leases=leases, findings=findings))

    assert "… and 10 earlier holds; history export has them all" in text
    assert "… and 1 earlier row; history export has them all" in text
    assert "… and 2 earlier findings; history export has them all" in text


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_only_text(name: bytes) -> None:
    """No name, prefix, verdict or command of the file moves the cursor or brings colour."""
    verdict = "leak\x1b[31m\n[bold]ed"
    stored = Stored(
        holds=(a_stored_hold(name, name),), findings=(a_stored_finding(verdict=verdict),)
    )
    runs = (a_stored_run(prefixes=(name,), command="che\x1b[31mck\n[bold]"),)

    for text in (text_of(name, stored, width=400), text_of_runs(*runs, width=400)):
        assert all(char.isprintable() for char in text.replace("\n", ""))
        assert "[bold]" in text


def test_colour_is_for_what_is_bad() -> None:
    """And words say the same without it."""
    coloured = text_of_runs(a_stored_run(severity=Severity.CRITICAL), colour=True)

    assert "\x1b[1;31mCRITICAL\x1b[0m" in coloured
    assert "\x1b" not in text_of_runs(a_stored_run(severity=Severity.CRITICAL))
