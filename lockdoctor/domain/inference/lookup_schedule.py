"""
Choose the lease to look up next, and when.

A look-up costs etcd a request, so a look-up is sent only when it can decide something. The next
look-up of a lease is sent when a client that renews it every third of its TTL must have done so,
then just before its deadline, then just after.
"""

from __future__ import annotations

from collections.abc import Sequence

from lockdoctor.domain.inference.leadership import Leadership
from lockdoctor.domain.inference.lease_expiry import CONFIRM_AFTER_S, expired_for_s, is_late
from lockdoctor.domain.inference.renewals import RenewalTrace, trace
from lockdoctor.domain.model.leases import LeaseNotFound, LeaseReading, Reading

ROUND_TRIP_S = 0.25
"""Allowance for slow answers, in seconds."""

KEEP_ALIVE_LOOP_S = 0.5
"""
Go's client examines its leases this often, so it renews up to this much later than TTL/3.

Source: sendKeepAliveLoop in etcd's client/v3/lease.go (retryConnWait is 500 ms).
"""

EXPIRY_S = 1.1
"""
After this many seconds past a deadline, 0 s remaining can only mean that the lease was renewed: the
remaining TTL is cut toward zero, so 0 is read until one second after the end.
"""

LATE_SHARE = 1 / 6
"""
A renewal with less than this share of the TTL remaining is late.

Clients that renew every TTL/3 have two thirds remaining; here half of the last third has passed.
"""

LATE_FOR_S = 2
"""A lease that ends late rarely ends later than by this many seconds."""

ASSUME_STEADY_LEADER = Leadership({}, (), {}, confirmed=True)
"""While sampling, rises count before an answer confirms their raft term."""


def keep_alive_period_s(granted_ttl_s: int) -> float:
    """Return the longest time between renewals of a healthy Go client, in seconds."""
    return granted_ttl_s / 3 + KEEP_ALIVE_LOOP_S


def is_overdue(found: RenewalTrace) -> bool:
    """
    Return whether a client that renews every third of the TTL is overdue.

    A client that was seen to renew with as little remaining as now is not overdue: this is its
    rhythm.
    """
    granted_ttl_s = found.granted_ttl_s
    if granted_ttl_s is None:
        return False
    is_late = found.unrenewed_for_s > keep_alive_period_s(granted_ttl_s) + 1
    is_habit = found.late_by is not None and found.left_s >= found.late_by
    return is_late and not is_habit


def next_look(readings: Sequence[Reading], needed: int) -> float | None:
    """
    Return when the next look-up of a lease can decide something.

    Args:
        readings: Its readings so far, in order; at least one.
        needed: The number of renewals that settle the question.

    Returns:
        A moment of the readings' clock, in seconds; None where the lease is decided: renewed often
        enough, or gone.
    """
    last = readings[-1]
    if isinstance(last, LeaseNotFound):
        return None
    if is_late(last):
        return _next_for_late(readings, last)
    found = trace(last.lease_id, readings, ASSUME_STEADY_LEADER)
    if found.renewals >= needed:
        return None
    return _next_for(found, last)


def _next_for_late(readings: Sequence[Reading], last: LeaseReading) -> float | None:
    """Return when to look up a lease whose end is late: soon, then once to confirm."""
    if expired_for_s(readings) is not None:
        return None
    pause_s = 1.0 if last.remaining_ttl_s > -LATE_FOR_S else CONFIRM_AFTER_S + ROUND_TRIP_S
    return last.answered_at + pause_s


def _next_for(found: RenewalTrace, last: LeaseReading) -> float:
    if found.last_refresh is None:  # no usable reading yet: a member without the lead answered
        return last.answered_at + 1.0
    granted = last.granted_ttl_s
    ends = found.last_refresh.latest + granted
    must_have_renewed = found.last_refresh.latest + _shows_after_s(granted)
    nearly_over = ends - granted * LATE_SHARE + ROUND_TRIP_S
    over = ends + EXPIRY_S + ROUND_TRIP_S
    stops = [must_have_renewed, over]
    if must_have_renewed < nearly_over < found.last_refresh.earliest + granted:
        stops.insert(1, nearly_over)
    return next((stop for stop in stops if stop > last.answered_at), last.answered_at + 1.0)


def needed_window_s(reading: LeaseReading, needed: int) -> float:
    """
    Return the window that shows some renewals of a Go client, in seconds.

    At worst the lease was renewed just before each look-up; and the first look-up comes a round
    trip after the window begins.
    """
    took_s = reading.answered_at - reading.asked_at
    return needed * (_shows_after_s(reading.granted_ttl_s) + took_s) + ROUND_TRIP_S


def _shows_after_s(granted_ttl_s: int) -> float:
    """
    Return the seconds after which a look-up proves a Go client's next renewal.

    The remaining TTL is rounded down by up to a second; by two where it might be less than one.
    """
    period_s = keep_alive_period_s(granted_ttl_s)
    rounding_s = 1 if granted_ttl_s - period_s >= 1 else 2
    return period_s + rounding_s + ROUND_TRIP_S
