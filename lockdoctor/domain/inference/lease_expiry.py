"""
Find leases that etcd failed to end, lost, or lists though they are gone.

Under churn a lease and its keys can end between any two answers, a member can lag behind another
for a moment, and many leases that expire at once are ended with a delay of seconds. So each
conclusion here needs two readings of the same, with time in between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import takewhile

from lockdoctor.domain.inference.deadlines import is_usable
from lockdoctor.domain.model.leases import LeaseNotFound, LeaseReading, Reading

CONFIRM_AFTER_S = 5.0
"""
The minimum time between the two readings, in seconds.

When 4,800 leases expired at once, etcd 3.4 and 3.5 were three seconds late with the last of them.
"""


def expired_for_s(readings: Sequence[Reading]) -> float | None:
    """
    Return the minimum time by which etcd is late to end a lease, in seconds.

    Returns:
        None where etcd is not late, or where it was not seen twice.
    """
    is_confirmed = _confirmed_since(readings, is_late) is not None
    last = readings[-1] if is_confirmed else None
    return float(-last.remaining_ttl_s) if isinstance(last, LeaseReading) else None


def gone_since(readings: Sequence[Reading]) -> float | None:
    """
    Return since when a lease is gone, if two readings apart in time found it gone.

    Returns:
        When the first of them was answered.
    """
    return _confirmed_since(readings, _is_gone)


def is_late(reading: Reading) -> bool:
    """Return whether the lease's TTL had expired, though etcd had it still."""
    return isinstance(reading, LeaseReading) and is_usable(reading) and reading.remaining_ttl_s < 0


def _is_gone(reading: Reading) -> bool:
    return isinstance(reading, LeaseNotFound)


def _confirmed_since(readings: Sequence[Reading], shows: Callable[[Reading], bool]) -> float | None:
    """Return when the first of the last successive readings that show it was answered."""
    successive = list(takewhile(shows, reversed(readings)))
    if not successive:
        return None
    last, first = successive[0], successive[-1]
    return first.answered_at if last.asked_at - first.answered_at >= CONFIRM_AFTER_S else None
