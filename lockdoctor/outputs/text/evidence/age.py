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
            return "It was seen once only, which proves nothing of how long it is held."
        return f"The hold is at most {at_most(evidence.at_most_s)} old."
    text = f"The hold has stood for at least {at_least(evidence.at_least_s)}"
    if evidence.at_most_s is None:
        return f"{text}; nothing proves yet since when."
    return f"{text}, at most {at_most(evidence.at_most_s)}."


def _held_clause(evidence: Held) -> str | None:
    if evidence.at_least_s <= 0:
        return None
    bound = "" if evidence.at_most_s is None else f", at most {at_most(evidence.at_most_s)}"
    return f"held at least {at_least(evidence.at_least_s)}{bound}"


def _estimated(evidence: EstimatedAge) -> str:
    return (
        f"An estimate, not a proof: it is about {duration(evidence.about_s)} old if the cluster"
        f" always wrote as fast as now ({count(evidence.revisions_since, 'revision')} since,"
        f" {evidence.revisions_per_s:.3g} a second)."
    )


def _claimed(evidence: ClaimedAge) -> str:
    if evidence.claimed_s < 0:
        return f"By the client's clock it was taken {duration(-evidence.claimed_s)} in the future."
    return f"By the client's own clock it was taken {duration(evidence.claimed_s)} ago."


def _within_limit(evidence: WithinLimit) -> str:
    return f"A hold may last {duration(evidence.limit_s)}; none is proven to have lasted longer."


def _seen_in_earlier_runs(evidence: SeenInEarlierRuns) -> str:
    return (
        f"The last {evidence.runs} runs with the same limits found the same, since"
        f" {moment(evidence.since_at)}: it has stood for at least {at_least(evidence.for_s)}."
    )


def _seen_clause(evidence: SeenInEarlierRuns) -> str:
    return f"found {count(evidence.runs, 'run')} in a row, since {moment(evidence.since_at)}"


ENTRIES = (
    entry(Held, "held", _held, _held_clause),
    entry(EstimatedAge, "estimated-age", _estimated),
    entry(ClaimedAge, "claimed-age", _claimed),
    entry(WithinLimit, "within-limit", _within_limit),
    entry(SeenInEarlierRuns, "standing", _seen_in_earlier_runs, _seen_clause),
)
