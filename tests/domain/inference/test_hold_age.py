"""How long a hold has stood, from three clocks."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockdoctor.domain.inference.hold_age import (
    HoldTimes,
    estimate,
    hold_age_bounds,
    stood_at_least_s,
    was_seen_waiting,
)
from lockdoctor.domain.model.locks import Hold
from lockdoctor.domain.past.past import NO_PAST, Past, PastHold, RevisionMark
from lockdoctor.domain.recipes.uuid1 import uuid1_written_at

HOLD = Hold(b"/l/q/7", 100)
NOW = 10_000.0
ONCE = HoldTimes(
    hold=HOLD,
    first_asked_at=NOW,
    first_answered_at=NOW + 1,
    last_asked_at=NOW,
    last_answered_at=NOW + 1,
    held_throughout=True,
    can_wait=True,
)
TWICE = replace(ONCE, last_asked_at=NOW + 43, last_answered_at=NOW + 44)


def a_mark(at: float, revision: int) -> RevisionMark:
    return RevisionMark(asked_at=at, answered_at=at + 1, revision=revision)


def a_past_hold(first: float, last: float, held: float | None) -> Past:
    known = PastHold(first_answered_at=first, last_asked_at=last, held_first_answered_at=held)
    return Past(runs=2, holds={HOLD: known})


def test_one_reading_without_a_past_bounds_nothing() -> None:
    """What was seen once has an age of at least nothing and at most anything."""
    assert hold_age_bounds(ONCE, NO_PAST) == (0.0, None)


def test_a_hold_seen_at_both_ends_stood_in_between() -> None:
    """From the answer of the first reading to the question of the last."""
    assert hold_age_bounds(TWICE, NO_PAST) == (42.0, None)


def test_a_hold_that_began_meanwhile_is_younger_than_the_run() -> None:
    """A hold that the first reading did not show is younger than that reading."""
    assert hold_age_bounds(replace(TWICE, held_throughout=False), NO_PAST) == (0.0, 44.0)


def test_a_hold_that_an_earlier_run_saw_holding_has_stood_since() -> None:
    """Two runs an hour apart prove an hour."""
    past = a_past_hold(NOW - 3600, NOW - 3600, NOW - 3600)

    assert hold_age_bounds(ONCE, past) == (3600.0, None)


def test_a_hold_that_an_earlier_run_saw_waiting_is_younger() -> None:
    """Who waited in the last run has held at most since then; its key has stood longer."""
    past = a_past_hold(NOW - 3600, NOW - 300, None)

    assert hold_age_bounds(ONCE, past) == (0.0, 301.0)
    assert stood_at_least_s(ONCE, past) == 3600.0


def test_a_key_that_an_earlier_run_saw_waiting_is_older_than_its_hold() -> None:
    """Also once a later run has seen it hold; a key that was only seen holding is not."""
    assert was_seen_waiting(HOLD, a_past_hold(first=100.0, last=900.0, held=None))
    assert was_seen_waiting(HOLD, a_past_hold(first=100.0, last=900.0, held=500.0))
    assert not was_seen_waiting(HOLD, a_past_hold(first=100.0, last=900.0, held=100.0))
    assert not was_seen_waiting(HOLD, NO_PAST)


def test_the_revision_clock_bounds_a_key_that_nobody_has_scanned() -> None:
    """A create revision between the revisions of two runs was written between them."""
    past = Past(marks=(a_mark(NOW - 600, 50), a_mark(NOW - 300, 120)))
    single = replace(ONCE, can_wait=False)

    assert hold_age_bounds(single, past) == (299.0, 601.0)
    assert stood_at_least_s(ONCE, past) == 299.0


def test_the_revision_clock_does_not_call_a_waiter_a_holder() -> None:
    """A key that can wait may be old while its hold is young: no lower bound from its revision."""
    past = Past(marks=(a_mark(NOW - 600, 50), a_mark(NOW - 300, 120)))

    assert hold_age_bounds(ONCE, past) == (0.0, 601.0)


@given(
    created_at=st.floats(0.0, NOW),
    runs=st.lists(st.floats(0.0, NOW), max_size=8),
    per_s=st.integers(1, 1000),
)
def test_the_bracket_always_holds_the_truth(
    created_at: float, runs: list[float], per_s: int
) -> None:
    """Whenever a key was written and whenever runs were made: the age lies in the bracket."""

    def revision(at: float) -> int:
        return 1 + int(at * per_s)

    single = replace(ONCE, hold=Hold(b"/k", revision(created_at)), can_wait=False)
    marks = [
        RevisionMark(asked_at=at, answered_at=at + 0.5, revision=revision(at + 0.25))
        for at in sorted(runs)
    ]
    at_least, at_most = hold_age_bounds(single, Past(marks=tuple(marks)))

    assert at_least <= NOW + 1 - created_at
    assert at_most is None or at_most >= NOW - created_at - 1 / per_s


def test_an_estimate_needs_some_writes() -> None:
    """Ten revisions in the window make a rate; fewer are chance."""
    assert estimate(100, now=1000, written=9, over_s=9.0) is None
    found = estimate(100, now=1000, written=90, over_s=9.0)
    assert found is not None
    assert found.about_s == pytest.approx(90.0)


def test_a_uuid1_tells_when_it_was_written() -> None:
    """python-etcd3's value carries the client's time; other bytes carry none."""
    written_at = uuid1_written_at(uuid.uuid1().bytes)

    assert written_at is not None
    assert abs(written_at - time.time()) < 60
    assert uuid1_written_at(uuid.uuid4().bytes) is None
    assert uuid1_written_at(b"short") is None
