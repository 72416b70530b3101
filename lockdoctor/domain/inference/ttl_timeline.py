"""Find a lease's remaining TTL at any moment, between the readings as well."""

from __future__ import annotations

from dataclasses import dataclass

from lockdoctor.domain.inference.deadlines import deadline, is_usable, last_refresh
from lockdoctor.domain.inference.leadership import shows_promotion
from lockdoctor.domain.inference.renewals import RenewalTrace
from lockdoctor.domain.model.leases import LeaseReading


@dataclass(frozen=True, slots=True)
class TtlSegment:
    """A time in which the deadline did not move: until the reading that shows it."""

    since: float
    until: float
    deadline: float
    """The middle of the interval in which it lies."""

    def left_s(self, at: float) -> float:
        """Return the remaining TTL at a moment of it, in seconds, to about a second."""
        return self.deadline - at


def segments(trace: RenewalTrace) -> tuple[TtlSegment, ...]:
    """
    Return the times for which the remaining TTL is certain, in order.

    The deadline of a reading has been in force since the renewal that set it. Between a reading and
    the next renewal the TTL is uncertain: there might have been other renewals.
    """
    timeline: list[TtlSegment] = []
    for reading in trace.readings:
        if not isinstance(reading, LeaseReading) or not is_usable(reading):
            continue
        set_at = reading.asked_at
        if not shows_promotion(reading):  # else a new leader set it, later than a renewal would
            set_at = min(set_at, last_refresh(reading).latest)
        since = max(set_at, timeline[-1].until) if timeline else set_at
        ends = deadline(reading)
        middle = (ends.earliest + ends.latest) / 2
        timeline.append(TtlSegment(since, reading.answered_at, middle))
    return tuple(timeline)
