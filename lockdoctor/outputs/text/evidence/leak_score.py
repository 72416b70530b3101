"""Words for the leak score and its indicators."""

from __future__ import annotations

from lockdoctor.domain.evidence.leak_score import IndicatorScore, LeakIndicator, LeakScore
from lockdoctor.outputs.text.evidence.entry import entry

INDICATORS = {
    LeakIndicator.STILL: "the lock did not change hands for 30 s or more although others wanted it",
    LeakIndicator.GAVE_UP: "attempts waited and gave up",
    LeakIndicator.LEFT_SESSIONS: "attempts that gave up left their sessions open",
    LeakIndicator.WAITED_LONG: "a waiter has waited 30 s or more",
    LeakIndicator.WAITED: "others wait",
    LeakIndicator.STOOD: "the key has existed for longer than a hold may last",
    LeakIndicator.LOOKS_OLD: "the key looks older than a hold may be",
    LeakIndicator.LOOKS_YOUNG: "the key looks young",
    LeakIndicator.CLAIMS_OLD: "by the client's clock, the hold is older than it may be",
    LeakIndicator.CLAIMS_YOUNG: "by the client's clock, the hold is young",
}


def _score(evidence: LeakScore) -> str:
    indicators = "; ".join(map(_indicator, evidence.weights))
    score = f"Leak score {evidence.points} ({evidence.needed} or more: likely)"
    return f"{score}: {indicators}." if indicators else f"{score}."


def _indicator(score: IndicatorScore) -> str:
    return f"{INDICATORS[score.sign]} ({score.points:+})"


ENTRIES = (entry(LeakScore, "weighed", _score),)
