"""
Find the interval in which a lease's deadline lies, from one reading of it.

A reading that was asked at t0 and answered at t1, with r whole seconds remaining, places the
deadline. Deadlines that cannot agree prove renewals.

Source: Renew and Remaining in etcd's server/lease/lessor.go, LeaseTimeToLive in v3_server.go (the
remaining time is cut to whole seconds toward zero); tried on 3.4.23 and 3.5.1.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from lockdoctor.domain.model.leases import FOREVER_S, LeaseReading

CLOCK_DRIFT = 200e-6
"""
How much faster one clock can run than another, as a share: NTP slews by up to 500 us/s for short
times, a free quartz stays below 100 ppm. This keeps a long TTL from proving a false renewal.
"""


class Interval(NamedTuple):
    """A stretch of time that contains a moment."""

    earliest: float
    latest: float

    def before(self, seconds: float) -> Interval:
        """Return the interval of a moment that many seconds earlier."""
        return Interval(self.earliest - seconds, self.latest - seconds)


def deadline(reading: LeaseReading) -> Interval:
    """
    Return the interval in which the lease will end, unless it is renewed before.

    The remaining time is cut toward zero, so 0 means any value between -1 and 1.
    """
    remaining = reading.remaining_ttl_s
    min_s = remaining if remaining >= 1 else remaining - 1
    max_s = remaining + 1 if remaining >= 0 else remaining
    return Interval(reading.asked_at + min_s, reading.answered_at + max_s)


def last_refresh(reading: LeaseReading) -> Interval:
    """Return the interval of the last grant or renewal, where no leader interfered."""
    return deadline(reading).before(reading.granted_ttl_s)


def is_usable(reading: LeaseReading) -> bool:
    """Return whether the reading is usable; a former leader reports no end."""
    return reading.remaining_ttl_s < FOREVER_S


def fewest_renewals(from_deadline: Interval, to_deadline: Interval, granted_ttl_s: int) -> int:
    """
    Return the fewest renewals that moved a deadline from one interval to another.

    A client renews before the deadline, so one renewal moves it by the granted TTL at most. The
    result is 0 where the intervals do not prove that it moved at all.
    """
    gained_s = to_deadline.earliest - from_deadline.latest
    gained_s -= CLOCK_DRIFT * max(0.0, to_deadline.latest - from_deadline.earliest)
    if gained_s <= 0:
        return 0
    return max(1, math.ceil(gained_s / granted_ttl_s))
