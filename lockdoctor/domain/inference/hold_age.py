"""Find bounds for the age of a hold, from all that bounds its beginning."""

from __future__ import annotations

from dataclasses import dataclass

from lockdoctor.domain.evidence.age import EstimatedAge
from lockdoctor.domain.model.locks import Hold
from lockdoctor.domain.past.past import Past

MIN_REVISIONS = 10
"""The minimum number of revisions in the window: an estimate from fewer would be mere chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldAge:
    """The age of one hold."""

    at_least_s: float
    """Proven: the hold was seen at both ends of this time."""
    at_most_s: float | None = None
    """Proven: the hold did not exist before; None where there is no bound."""
    stood_at_least_s: float = 0.0
    """Proven: the key has existed for this time; in a queue it might have waited at first."""
    estimate: EstimatedAge | None = None
    claimed_s: float | None = None
    """Seconds since the moment that the client wrote into the lock, by the client's clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldTimes:
    """When this run saw a hold."""

    hold: Hold
    first_asked_at: float
    """The first reading of the keys was asked then ..."""
    first_answered_at: float
    """... and answered then."""
    last_asked_at: float
    """The same of the last reading; of the first again, where the keys were read once."""
    last_answered_at: float
    held_throughout: bool
    """It was the holder in both; else it came, or became the holder, in between."""
    can_wait: bool
    """The recipe writes keys that wait: the key might be older than the hold."""


def hold_age_bounds(seen: HoldTimes, past: Past) -> tuple[float, float | None]:
    """
    Return bounds for the age of a hold: this run, earlier runs, revision clock.

    The create revision of a key falls between two runs that recorded the cluster's revision. So
    even a key that no run has scanned before has an age; but a key that can wait may be older than
    its hold.

    Returns:
        The minimum and the maximum in seconds; None where there is no upper bound.
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
    """Return the minimum time for which the key waited or held the lock, in seconds."""
    since = [seen.first_answered_at, *_stood_since(seen.hold, past)]
    return max(0.0, seen.last_asked_at - min(since))


def was_seen_waiting(hold: Hold, past: Past) -> bool:
    """Return whether an earlier run saw the key wait: it is older than its hold."""
    known = past.holds.get(hold)
    if known is None:
        return False
    held = known.held_first_answered_at
    return held is None or held > known.first_answered_at


def _stood_since(hold: Hold, past: Past) -> list[float]:
    """Return moments at which the key existed already."""
    known = past.holds.get(hold)
    marks = [mark.answered_at for mark in past.marks if mark.revision >= hold.create_revision]
    return marks[:1] + ([known.first_answered_at] if known else [])


def estimate(create_revision: int, *, now: int, written: int, over_s: float) -> EstimatedAge | None:
    """
    Estimate when a key was created, with the present write rate for all time.

    Args:
        now: The cluster's revision at the end of this run.
        written: The number of revisions that this run saw written, in over_s seconds.

    Returns:
        None where the cluster wrote too little during the run to measure its rate.
    """
    if written < MIN_REVISIONS or over_s <= 0:
        return None
    per_s = written / over_s
    since = max(0, now - create_revision)
    return EstimatedAge(about_s=since / per_s, revisions_since=since, revisions_per_s=per_s)
