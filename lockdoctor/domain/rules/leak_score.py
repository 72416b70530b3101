"""
Score a suspected leak where the age of the hold is not proven.

A first run watches for a minute at most: a lock that is renewed and not released in it might be
leaked, or might guard a job of two minutes. Each indicator has points, so that a reader can see the
reasons for the suspicion. Half a minute without a hand-over although a client waited is enough; a
key that looks young takes some points back. Age alone makes a leak likely only against a stated
limit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from lockdoctor.domain.evidence.leak_score import IndicatorScore, LeakIndicator, LeakScore

if TYPE_CHECKING:
    from lockdoctor.domain.rules.lock_case import LockCase

LIKELY_FROM = 3
"""The minimum number of points for a likely leak; fewer make it possible."""

NO_HAND_OVER_S = 30.0
"""The time in which a busy lock changes hands, mostly, in seconds."""

YOUNG_SHARE = 0.2
"""A hold of less than this share of a long one is young."""


def leak_score(case: LockCase) -> LeakScore:
    """Return the indicators with their points, and the sum."""
    of_queue, of_age = tuple(_of_queue(case)), tuple(_of_age(case))
    if not of_queue and case.thresholds.stated_limit_s is None:  # many jobs take longer than 5 min
        of_age = tuple(replace(each, points=min(each.points, 1)) for each in of_age)
    weights = of_queue + of_age
    return LeakScore(
        points=sum(weight.points for weight in weights), needed=LIKELY_FROM, weights=weights
    )


def _of_queue(case: LockCase) -> Iterator[IndicatorScore]:
    """Yield the indicators of the queue: no waiter and no ended attempt got the lock."""
    patient, waiters = case.activity.gave_up_patiently, case.lock.waiters
    stood_s = case.age.at_least_s if case.age else 0.0
    is_still = bool(patient or waiters) and stood_s >= NO_HAND_OVER_S
    if is_still:
        yield IndicatorScore(LeakIndicator.STILL, 2)
    if patient:
        yield IndicatorScore(LeakIndicator.GAVE_UP, 1 if patient == 1 else 3 if is_still else 2)
    if case.unclosed:
        yield IndicatorScore(LeakIndicator.LEFT_SESSIONS, 3)
    if waiters and case.longest_wait_s >= NO_HAND_OVER_S:
        yield IndicatorScore(LeakIndicator.WAITED_LONG, 2)
    elif waiters and not patient:
        yield IndicatorScore(LeakIndicator.WAITED, 1)


def _of_age(case: LockCase) -> Iterator[IndicatorScore]:
    """
    Yield the indicators of age: the key looks old or young.

    A key that might have waited at first proves less about its hold.
    """
    if case.age is None:
        return
    about = case.age.estimate
    if case.age.stood_at_least_s >= case.thresholds.limit_s:
        yield IndicatorScore(LeakIndicator.STOOD, 2 if case.lock.waiters else 3)
    elif about and about.about_s >= case.thresholds.limit_s:
        alone_s = case.alone_about_s or 0.0
        yield IndicatorScore(
            LeakIndicator.LOOKS_OLD, 3 if alone_s >= case.thresholds.limit_s else 1
        )
    elif about and about.about_s < case.thresholds.limit_s * YOUNG_SHARE:
        yield IndicatorScore(LeakIndicator.LOOKS_YOUNG, -2)
    claimed_s = case.age.claimed_s
    if claimed_s is not None and claimed_s >= case.thresholds.limit_s:
        yield IndicatorScore(LeakIndicator.CLAIMS_OLD, 1)
    elif claimed_s is not None and 0 <= claimed_s < case.thresholds.limit_s * YOUNG_SHARE:
        yield IndicatorScore(LeakIndicator.CLAIMS_YOUNG, -1)
