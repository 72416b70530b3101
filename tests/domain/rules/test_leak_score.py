"""What speaks for a leak and against it: each sign just under, at and over, and busy locks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockdoctor.domain.evidence.age import EstimatedAge
from lockdoctor.domain.evidence.leak_score import IndicatorScore, LeakIndicator, LeakScore
from lockdoctor.domain.evidence.verdicts import Confidence, Verdict, VerdictKind
from lockdoctor.domain.inference.hold_age import HoldAge
from lockdoctor.domain.inference.queue_activity import QueueActivity
from lockdoctor.domain.policy.policy import Thresholds
from lockdoctor.domain.rules.judge_lock import diagnose
from lockdoctor.domain.rules.leak_score import LIKELY_FROM, leak_score
from lockdoctor.domain.rules.lock_case import LockCase
from tests.factories.reports import a_lock, a_trace

ALONE, CONTENDED = a_lock(), a_lock(waiters=1)
LIMITED: dict[str, Any] = {"thresholds": Thresholds(max_hold_s=300.0)}


def a_case(**changes: Any) -> LockCase:
    """A hold of 43 s with which nothing else is known."""
    case = LockCase(
        lock=ALONE,
        thresholds=Thresholds(),
        trace=a_trace(),
        age=HoldAge(at_least_s=43.0),
        renewals_of_hold=2,
        activity=QueueActivity(watched_s=43.0),
    )
    return replace(case, **changes)


def signs(**changes: Any) -> dict[LeakIndicator, int]:
    return {weight.sign: weight.points for weight in leak_score(a_case(**changes)).weights}


def after(gave_up: int, patient: int | None = None) -> QueueActivity:
    """A queue in which so many gave up, all of them after they had waited unless said otherwise."""
    waited = gave_up if patient is None else patient
    return QueueActivity(watched_s=43.0, gave_up=gave_up, gave_up_patiently=waited)


def about(age_s: float, alone_s: float | None = None, at_least_s: float = 43.0) -> dict[str, Any]:
    """A key that looks so old, and stood alone for so long of it."""
    estimate = EstimatedAge(about_s=age_s, revisions_since=9, revisions_per_s=1.0)
    alone_about_s = age_s if alone_s is None else alone_s
    return {
        "age": HoldAge(at_least_s=at_least_s, estimate=estimate),
        "alone_about_s": alone_about_s,
    }


def test_without_signs_a_leak_is_possible() -> None:
    """Renewed and not released: a suspicion that nothing strengthens."""
    assert leak_score(a_case()) == LeakScore(points=0, needed=LIKELY_FROM, weights=())


@pytest.mark.parametrize(("at_least_s", "still"), [(29.9, False), (30.0, True), (30.1, True)])
def test_a_queue_is_still_when_nobody_is_served_for_half_a_minute(
    at_least_s: float,
    still: bool,  # noqa: FBT001
) -> None:
    """Stillness counts only where somebody wanted the lock."""
    age = HoldAge(at_least_s=at_least_s)

    assert (LeakIndicator.STILL in signs(lock=CONTENDED, age=age)) is still
    assert LeakIndicator.STILL not in signs(age=age)
    assert LeakIndicator.STILL not in signs(age=age, activity=after(9, patient=0))


@pytest.mark.parametrize(
    ("at_least_s", "activity", "points"),
    [
        (43.0, after(0), None),
        (43.0, after(50, patient=0), None),
        (43.0, after(1), 1),
        (29.9, after(2), 2),
        (30.0, after(2), 3),
    ],
)
def test_attempts_that_gave_up(
    at_least_s: float, activity: QueueActivity, points: int | None
) -> None:
    """One may happen; several, in a queue that stands still, weigh most; those that tried, none."""
    assert (
        signs(age=HoldAge(at_least_s=at_least_s), activity=activity).get(LeakIndicator.GAVE_UP)
        == points
    )


@pytest.mark.parametrize(
    ("longest_wait_s", "found"),
    [
        (0.0, {LeakIndicator.WAITED: 1}),
        (29.9, {LeakIndicator.WAITED: 1}),
        (30.0, {LeakIndicator.WAITED_LONG: 2}),
    ],
)
def test_those_who_wait(longest_wait_s: float, found: dict[LeakIndicator, int]) -> None:
    """A wait of half a minute weighs more than one that has just begun."""
    young = HoldAge(at_least_s=20.0)

    assert signs(lock=CONTENDED, age=young, waited_s=(longest_wait_s,)) == found


def test_sessions_left_open_by_attempts_weigh_by_themselves() -> None:
    """Code that gives up without closing its session is the code that leaks."""
    assert signs(unclosed=1) == {LeakIndicator.LEFT_SESSIONS: 3}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        (about(59.9), {LeakIndicator.LOOKS_YOUNG: -2}),
        (about(60.0), {}),
        (about(299.9), {}),
        (about(300.0), {LeakIndicator.LOOKS_OLD: 1}),
        (about(300.0) | LIMITED, {LeakIndicator.LOOKS_OLD: 3}),
        (about(300.0, alone_s=299.9) | LIMITED, {LeakIndicator.LOOKS_OLD: 1}),
        (about(900.0, alone_s=300.0) | LIMITED, {LeakIndicator.LOOKS_OLD: 3}),
        ({"age": HoldAge(at_least_s=43.0, stood_at_least_s=299.9)}, {}),
        ({"age": HoldAge(at_least_s=43.0, stood_at_least_s=300.0)}, {LeakIndicator.STOOD: 1}),
        (
            {"age": HoldAge(at_least_s=43.0, stood_at_least_s=300.0)} | LIMITED,
            {LeakIndicator.STOOD: 3},
        ),
        ({"age": HoldAge(at_least_s=43.0, claimed_s=300.0)}, {LeakIndicator.CLAIMS_OLD: 1}),
        ({"age": HoldAge(at_least_s=43.0, claimed_s=299.9)}, {}),
        ({"age": HoldAge(at_least_s=43.0, claimed_s=59.9)}, {LeakIndicator.CLAIMS_YOUNG: -1}),
        ({"age": HoldAge(at_least_s=43.0, claimed_s=-3.0)}, {}),
        ({"age": None}, {}),
    ],
)
def test_signs_of_age(changes: dict[str, Any], found: dict[LeakIndicator, int]) -> None:
    """
    Old is what is older than a hold may be, young what is a fifth of that, by each clock.

    Where no limit is stated and nothing else speaks for a leak, old is one point.
    """
    assert signs(**changes) == found


@given(
    at_least_s=st.floats(0, 1e7),
    stood_s=st.floats(0, 1e7),
    about_s=st.none() | st.floats(0, 1e7),
    claimed_s=st.none() | st.floats(-1e7, 1e7),
)
def test_age_alone_is_never_likely_without_a_stated_limit(
    at_least_s: float, stood_s: float, about_s: float | None, claimed_s: float | None
) -> None:
    """However old each clock says that it is: the job may take that long."""
    estimate = None if about_s is None else EstimatedAge(about_s, 9, 1.0)
    age = HoldAge(
        at_least_s=at_least_s,
        stood_at_least_s=max(at_least_s, stood_s),
        estimate=estimate,
        claimed_s=claimed_s,
    )
    verdict = state(age=age, alone_about_s=about_s)

    assert leak_score(a_case(age=age, alone_about_s=about_s)).points < LIKELY_FROM
    assert (verdict.kind, verdict.confidence) == (
        VerdictKind.SUSPECTED_LEAK,
        Confidence.POSSIBLE,
    )


def test_an_old_key_with_a_waiter_weighs_more_than_alone() -> None:
    """Somebody wants the lock: its age is no longer the only sign."""
    stood = HoldAge(at_least_s=20.0, stood_at_least_s=300.0)

    assert signs(lock=CONTENDED, age=stood) == {LeakIndicator.WAITED: 1, LeakIndicator.STOOD: 2}


def test_a_key_that_stood_may_have_waited() -> None:
    """Where others wait, the holder may have waited as well: its key's age says less."""
    stood = HoldAge(at_least_s=43.0, stood_at_least_s=300.0)

    assert signs(lock=CONTENDED, age=stood)[LeakIndicator.STOOD] == 2


def state(**changes: Any) -> Verdict:
    return diagnose(a_case(**changes))[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"lock": CONTENDED, "waited_s": (43.0,)},
        {"activity": after(2)},
        {"activity": after(2), **about(50.0)},
        about(300.0) | LIMITED,
        {"lock": CONTENDED, "age": HoldAge(at_least_s=20.0, stood_at_least_s=300.0)},
        {"unclosed": 1, "activity": after(3), **about(6.0, at_least_s=6.0)},
    ],
)
def test_a_suspicion_grows_likely(changes: dict[str, Any]) -> None:
    """A waiter in vain, attempts that gave up, a long estimated age; and it says what weighed."""
    verdict = state(**changes)
    (weighed,) = (each for each in verdict.evidence if isinstance(each, LeakScore))

    assert (verdict.kind, verdict.confidence) == (VerdictKind.SUSPECTED_LEAK, Confidence.LIKELY)
    assert weighed.points == sum(weight.points for weight in weighed.weights) >= weighed.needed


@pytest.mark.parametrize(
    "changes",
    [
        {"lock": CONTENDED, "waited_s": (6.0,), "age": HoldAge(at_least_s=6.0)},
        {"lock": CONTENDED, "waited_s": (43.0,), **about(50.0, alone_s=1.0)},
        {"activity": after(1), **about(50.0)},
        {"activity": after(2), **about(50.0, at_least_s=6.0)},
        {"activity": after(50, patient=0)},
    ],
)
def test_a_suspicion_stays_possible(changes: dict[str, Any]) -> None:
    """A short look, or a key that looks young, leaves it at a possibility, with what weighed."""
    verdict = state(**changes)

    assert (verdict.kind, verdict.confidence) == (VerdictKind.SUSPECTED_LEAK, Confidence.POSSIBLE)


def test_one_waiter_behind_an_old_key_adds_little() -> None:
    """In a deep queue every key is old when its turn comes."""
    old = about(900.0, alone_s=20.0, at_least_s=6.0)
    weighed = leak_score(a_case(lock=CONTENDED, **old))

    assert weighed.weights == (
        IndicatorScore(LeakIndicator.WAITED, 1),
        IndicatorScore(LeakIndicator.LOOKS_OLD, 1),
    )
