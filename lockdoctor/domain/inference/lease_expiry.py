"""
Leases that etcd failed to end, lost, or lists though they are gone.

Under churn a lease and its keys vanish between any two answers, a member lags behind another for a
moment, and a crowd of leases that run out at once is ended with a delay of seconds. So nothing
here speaks before the same was seen twice, with time in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile

from lockdoctor.domain.inference.renewals import is_usable
from lockdoctor.domain.model.leases import LeaseNotFound, LeaseReading, Reading

CONFIRM_AFTER_S = 5.0
"""
So far apart must two readings of something odd be.

When 4,800 leases ran out at once, etcd 3.4 and 3.5 were three seconds late with the last of them.
"""


def expired_for_s(readings: Sequence[Reading]) -> float | None:
    """
    Say for how long etcd has failed to end a lease, at least, when last read.

    Returns:
        None where it has not, or where it was not seen twice.
    """
    last = readings[-1] if readings else None
    if not isinstance(last, LeaseReading) or not is_late(last):
        return None
    first = _earliest(takewhile(is_late, reversed(readings)))
    return (
        float(-last.remaining_ttl_s)
        if last.asked_at - first.answered_at >= CONFIRM_AFTER_S
        else None
    )


def gone_since(readings: Sequence[Reading]) -> float | None:
    """
    Say since when a lease is known to be gone, where two readings with time in between found so.

    Returns:
        When the first of them was answered.
    """
    last = readings[-1] if readings else None
    if not isinstance(last, LeaseNotFound):
        return None
    first = _earliest(takewhile(_is_gone, reversed(readings)))
    return first.answered_at if last.asked_at - first.answered_at >= CONFIRM_AFTER_S else None


def is_late(reading: Reading) -> bool:
    """Tell whether the lease's time was over, though etcd had it still."""
    return isinstance(reading, LeaseReading) and is_usable(reading) and reading.remaining_ttl_s < 0


def _is_gone(reading: Reading) -> bool:
    return isinstance(reading, LeaseNotFound)


def _earliest(backwards: Iterable[Reading]) -> Reading:
    *_, first = backwards
    return first
