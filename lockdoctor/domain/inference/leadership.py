"""Find when a new leader might have reset every lease: that rise is no renewal."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

from lockdoctor.domain.model.leases import LeadershipProbe, LeaseReading, Reading

TERM_CONFIRM_DELAY_S = 1.0
"""
An answer confirms a raft term only if it was asked this many seconds after the reading in question.

A member can answer with a TTL that a new leader has already reset while its header still carries
the old term (seen on 3.4.23 and 3.5.1), until it has applied the new leader's first entry.
"""


PROMOTION_SHOWS_S = 5.0
"""
The maximum time by which the promotion precedes a reading that shows it: election time-out and the
leases' spread. Only a second check: the raft term is the first.
"""


@dataclass(frozen=True, slots=True)
class Leadership:
    """The raft leadership by all answers of a run: under which term a rise counts."""

    last_asked_under: dict[int, float]
    """Of each raft term, when the last answer was asked that still carried it."""
    marks: tuple[float, ...]
    """When readings were answered that show a promotion by themselves, in order."""
    leaders_under: dict[int, set[int]]
    """Of each raft term, the leaders that answers named: a second one shows a term that lags."""
    confirmed: bool = False
    """Take each term as confirmed: for planning, before the answers that confirm it arrive."""

    @classmethod
    def of(cls, readings: Iterable[Reading], probes: Iterable[LeadershipProbe] = ()) -> Leadership:
        """Return the leadership by every reading and every other answer of the run."""
        last_asked: dict[int, float] = {}
        marks: list[float] = []
        for reading in readings:
            term = reading.raft_term
            last_asked[term] = max(reading.asked_at, last_asked.get(term, -math.inf))
            if isinstance(reading, LeaseReading) and shows_promotion(reading):
                marks.append(reading.answered_at)
        leaders: dict[int, set[int]] = {}
        for probe in probes:
            term = probe.raft_term
            last_asked[term] = max(probe.asked_at, last_asked.get(term, -math.inf))
            if probe.leader_id:
                leaders.setdefault(term, set()).add(probe.leader_id)
        return cls(last_asked, tuple(sorted(marks)), leaders)

    def is_steady(self, earlier: LeaseReading, later: LeaseReading) -> bool:
        """
        Return whether one leader led from before the first reading to after the other.

        Only then is a rise of the remaining TTL the work of a client.
        """
        return earlier.raft_term == later.raft_term and (
            self.confirmed or self._is_confirmed(earlier, later)
        )

    def _is_confirmed(self, earlier: LeaseReading, later: LeaseReading) -> bool:
        return (
            self.last_asked_under.get(later.raft_term, -math.inf)
            >= later.answered_at + TERM_CONFIRM_DELAY_S
            and not self._marked(earlier.asked_at, later.answered_at)
            and len(self.leaders_under.get(later.raft_term, ())) <= 1
        )

    def _marked(self, since: float, until: float) -> bool:
        at = bisect_left(self.marks, since)
        return at < len(self.marks) and self.marks[at] <= until + PROMOTION_SHOWS_S


def shows_promotion(reading: LeaseReading) -> bool:
    """
    Return whether only a new leader can have caused this reading.

    After a grant or a renewal, a reading shows at most the granted TTL - 1, since the time is
    rounded down.
    """
    return reading.remaining_ttl_s >= reading.granted_ttl_s
