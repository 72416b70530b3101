"""Words for the leak score and its indicators."""

from __future__ import annotations

from lockdoctor.domain.evidence.leak_score import IndicatorScore, LeakIndicator, LeakScore
from lockdoctor.outputs.text.evidence.entry import entry

INDICATORS = {
    LeakIndicator.STILL: "nobody was served in half a minute or more",
    LeakIndicator.GAVE_UP: "attempts waited for it and gave up",
    LeakIndicator.LEFT_SESSIONS: "such attempts left their sessions open",
    LeakIndicator.WAITED_LONG: "somebody has waited for long",
    LeakIndicator.WAITED: "others wait",
    LeakIndicator.STOOD: "its key has stood longer than a hold may last",
    LeakIndicator.LOOKS_OLD: "its key looks older than a hold may be",
    LeakIndicator.LOOKS_YOUNG: "its key looks young",
    LeakIndicator.CLAIMS_OLD: "its client's clock says that it is old",
    LeakIndicator.CLAIMS_YOUNG: "its client's clock says that it is young",
}


def _score(evidence: LeakScore) -> str:
    indicators = {
        "Signs of a leak": [weight for weight in evidence.weights if weight.points > 0],
        "Signs against a leak": [weight for weight in evidence.weights if weight.points < 0],
    }
    parts = [
        f"{title}: {'; '.join(map(_indicator, scores))}."
        for title, scores in indicators.items()
        if scores
    ]
    needed = f"A leak is likely from {evidence.needed} points on; these make {evidence.points}."
    return " ".join([*parts, needed])


def _indicator(score: IndicatorScore) -> str:
    return f"{INDICATORS[score.sign]} ({score.points:+})"


ENTRIES = (entry(LeakScore, "weighed", _score),)
