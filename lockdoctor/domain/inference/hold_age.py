"""How long a hold has stood, as brackets from what is known of its beginning."""

from __future__ import annotations

from dataclasses import dataclass

from lockdoctor.domain.evidence.age import EstimatedAge
from lockdoctor.domain.model.locks import Hold
from lockdoctor.domain.past.past import Past

MIN_REVISIONS = 10
"""An estimate from fewer revisions in the window than this would be mere chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldAge:
    """How long one hold has stood."""

    at_least_s: float
    """Proven: the hold was seen at both ends of this time."""
    at_most_s: float | None = None
    """Proven: the hold did not exist before; None where nothing says."""
    stood_at_least_s: float = 0.0
    """Proven: the key has stood so long; in a queue it may have waited at first."""
    estimate: EstimatedAge | None = None
    claimed_s: float | None = None
    """Since the moment that the client wrote into the lock, by the client's clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldTimes:
    """When this run saw a hold."""

    hold: Hold
    first_asked_at: float
    """The first reading of the keys was asked then ..."""
    first_answered_at: float
    """... and answered then."""
    last_asked_at: float
    """The same of the last one; of the first again, where the keys were read once."""
    last_answered_at: float
    held_throughout: bool
    """It was the holder in both; else it came, or moved up, in between."""
    can_wait: bool
    """The recipe writes keys that wait: the key may be older than the hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionRate:
    """How fast the cluster's revision rose between two moments of this run."""

    revision: int
    """The later one."""
    revisions: int
    """How many there were in between."""
    over_s: float


def hold_age_bounds(seen: HoldTimes, past: Past) -> tuple[float, float | None]:
    """
    Prove how long a hold has stood, from this run, earlier runs and the revision clock.

    The create revision of a key falls between two runs that told the cluster's revision, so that
    even a key that no run has scanned before has an age; but a key that can wait may be older
    than its hold.

    Returns:
        At least and at most so many seconds; None where nothing bounds it from above.
    """
    known = past.holds.get(seen.hold)
    since = [seen.first_answered_at] if seen.held_throughout else [seen.last_asked_at]
    after = [] if seen.held_throughout else [seen.first_asked_at]
    if known and known.held_first_answered_at is not None and seen.held_throughout:
        since.append(known.held_first_answered_at)
    if known and known.held_first_answered_at is None:
        after.append(known.last_asked_at)
    if seen.held_throughout and not seen.can_wait:
        since += _stood_since(seen.hold, past)
    after += [mark.asked_at for mark in past.marks if mark.revision < seen.hold.create_revision]
    at_least = max(0.0, seen.last_asked_at - min(since))
    return at_least, max(at_least, seen.last_answered_at - max(after)) if after else None


def stood_at_least_s(seen: HoldTimes, past: Past) -> float:
    """Prove how long the key has stood, waiting or holding, in seconds."""
    since = [seen.first_answered_at, *_stood_since(seen.hold, past)]
    return max(0.0, seen.last_asked_at - min(since))


def was_seen_waiting(hold: Hold, past: Past) -> bool:
    """Tell whether an earlier run saw the key wait: it is older than its hold."""
    known = past.holds.get(hold)
    if known is None:
        return False
    held = known.held_first_answered_at
    return held is None or held > known.first_answered_at


def _stood_since(hold: Hold, past: Past) -> list[float]:
    """Moments at which the key stood already."""
    known = past.holds.get(hold)
    marks = [mark.answered_at for mark in past.marks if mark.revision >= hold.create_revision]
    return marks[:1] + ([known.first_answered_at] if known else [])


def estimate(create_revision: int, rate: RevisionRate) -> EstimatedAge | None:
    """
    Estimate when a key was created, as if the cluster had always written as fast as now.

    Returns:
        None where the cluster wrote too little during the run to tell its rate.
    """
    if rate.revisions < MIN_REVISIONS or rate.over_s <= 0:
        return None
    per_s = rate.revisions / rate.over_s
    since = max(0, rate.revision - create_revision)
    return EstimatedAge(about_s=since / per_s, revisions_since=since, revisions_per_s=per_s)
