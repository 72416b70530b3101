"""Words for evidence on the age of a hold or a finding."""

from __future__ import annotations

from lockdoctor.domain.evidence.age import (
    ClaimedAge,
    EstimatedAge,
    Held,
    SeenInEarlierRuns,
    WithinLimit,
)
from lockdoctor.outputs.text.evidence.entry import entry
from lockdoctor.outputs.text.values import at_least, at_most, count, duration, moment


def _held(evidence: Held) -> str:
    if evidence.at_least_s <= 0:
        if evidence.at_most_s is None:
            return "Read only once, so lockdoctor cannot tell how long the lock is held."
        return f"Held for at most {at_most(evidence.at_most_s)}."
    text = f"Held for at least {at_least(evidence.at_least_s)}"
    if evidence.at_most_s is None:
        return f"{text}. lockdoctor cannot tell when it started."
    return f"{text}, at most {at_most(evidence.at_most_s)}."


def _held_clause(evidence: Held) -> str | None:
    if evidence.at_least_s <= 0:
        return None
    bound = "" if evidence.at_most_s is None else f", at most {at_most(evidence.at_most_s)}"
    return f"held at least {at_least(evidence.at_least_s)}{bound}"


def _estimated(evidence: EstimatedAge) -> str:
    return (
        f"Estimated age: about {duration(evidence.about_s)}, if the write rate was constant"
        f" ({count(evidence.revisions_since, 'revision')}, {evidence.revisions_per_s:.3g} per"
        " second). Not proven."
    )


def _claimed(evidence: ClaimedAge) -> str:
    if evidence.claimed_s < 0:
        return f"Acquired {duration(-evidence.claimed_s)} in the future, by the client's own clock."
    return f"Acquired {duration(evidence.claimed_s)} ago, by the client's own clock."


def _within_limit(evidence: WithinLimit) -> str:
    return f"Not proven to be held for longer than the limit of {duration(evidence.limit_s)}."


def _seen_in_earlier_runs(evidence: SeenInEarlierRuns) -> str:
    return (
        f"The last {evidence.runs} runs with the same limits had this finding: for at least"
        f" {at_least(evidence.for_s)}, since {moment(evidence.since_at)}."
    )


def _seen_clause(evidence: SeenInEarlierRuns) -> str:
    return f"in {count(evidence.runs, 'run')} in a row, since {moment(evidence.since_at)}"


ENTRIES = (
    entry(Held, "held", _held, _held_clause),
    entry(EstimatedAge, "estimated-age", _estimated),
    entry(ClaimedAge, "claimed-age", _claimed),
    entry(WithinLimit, "within-limit", _within_limit),
    entry(SeenInEarlierRuns, "standing", _seen_in_earlier_runs, _seen_clause),
)
