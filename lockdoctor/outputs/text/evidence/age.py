"""Words for evidence on the age of a hold or a finding."""

from __future__ import annotations

from lockdoctor.domain.evidence import age
from lockdoctor.outputs.text.evidence.entry import entry
from lockdoctor.outputs.text.values import at_least, at_most, count, duration, moment


def _held(evidence: age.Held) -> str:
    if evidence.at_least_s <= 0:
        if evidence.at_most_s is None:
            return "Read only once, so lockdoctor cannot tell how long the lock is held."
        return f"Held for at most {at_most(evidence.at_most_s)}."
    text = f"Held for at least {at_least(evidence.at_least_s)}"
    if evidence.at_most_s is None:
        return f"{text}. lockdoctor cannot tell when it started."
    return f"{text}, at most {at_most(evidence.at_most_s)}."


def _held_clause(evidence: age.Held) -> str | None:
    if evidence.at_least_s <= 0:
        return None
    bound = "" if evidence.at_most_s is None else f", at most {at_most(evidence.at_most_s)}"
    return f"held at least {at_least(evidence.at_least_s)}{bound}"


def _claimed(evidence: age.ClaimedAge) -> str:
    if evidence.claimed_s < 0:
        return f"Acquired {duration(-evidence.claimed_s)} in the future, by the client's own clock."
    return f"Acquired {duration(evidence.claimed_s)} ago, by the client's own clock."


ENTRIES = (
    entry(age.Held, "held", _held, _held_clause),
    entry(
        age.EstimatedAge,
        "estimated-age",
        lambda e: (
            f"Estimated age: about {duration(e.about_s)}, if the write rate was constant"
            f" ({count(e.revisions_since, 'revision')}, {e.revisions_per_s:.3g} per"
            " second). Not proven."
        ),
    ),
    entry(age.ClaimedAge, "claimed-age", _claimed),
    entry(
        age.WithinLimit,
        "within-limit",
        lambda e: f"Not proven to be held for longer than the limit of {duration(e.limit_s)}.",
    ),
    entry(
        age.SeenInEarlierRuns,
        "standing",
        lambda e: (
            f"The last {e.runs} runs with the same limits had this finding: for at least"
            f" {at_least(e.for_s)}, since {moment(e.since_at)}."
        ),
        lambda e: f"in {count(e.runs, 'run')} in a row, since {moment(e.since_at)}",
    ),
)
