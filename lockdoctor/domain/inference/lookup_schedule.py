"""
Which lease to look at next, and when.

A look costs the patient a request, so none is made before it can decide something: the next look
at a lease comes when a client that renews it every third of its TTL must have done so, then just
before its deadline, then just after.
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
"""After this long past a deadline, 0 s remaining can only mean that the lease was renewed: what
is left is cut toward zero, so 0 is read until one second after the end."""

LATE_SHARE = 1 / 6
"""
A renewal with less than this share of the TTL left is late.

Clients that renew every TTL/3 keep two thirds in hand; half of the last third is gone here.
"""

LATE_FOR_S = 2
"""An end that is late by less is seldom more than that."""

ASSUME_STEADY_LEADER = Leadership({}, (), {}, confirmed=True)
"""While sampling, rises count before their raft term is confirmed; the end of the run confirms."""


def keep_alive_period_s(granted_ttl_s: int) -> float:
    """The longest time between two renewals of a healthy client of Go's kind, in seconds."""
    return granted_ttl_s / 3 + KEEP_ALIVE_LOOP_S


def is_overdue(found: RenewalTrace) -> bool:
    """
    Tell whether a client that renews every third of the TTL would have renewed by now.

    A client that was seen to renew with as little left as now is not overdue: it is its habit.
    """
    granted_ttl_s = found.granted_ttl_s
    if granted_ttl_s is None:
        return False
    is_late = found.unrenewed_for_s > keep_alive_period_s(granted_ttl_s) + 1
    is_habit = found.late_by is not None and found.left_s >= found.late_by
    return is_late and not is_habit


def next_look(readings: Sequence[Reading], needed: int) -> float | None:
    """
    Say when the next look at a lease can decide something.

    Args:
        readings: What was read of it so far, in order; at least one.
        needed: How many renewals settle the question.

    Returns:
        A moment of the readings' clock, in seconds; None where the lease is decided: renewed
        often enough, or gone.
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
    """Look soon for the end that is late already, then once more when it tells of a failure."""
    if expired_for_s(readings) is not None:
        return None
    pause_s = 1.0 if last.remaining_ttl_s > -LATE_FOR_S else CONFIRM_AFTER_S + ROUND_TRIP_S
    return last.answered_at + pause_s


def _next_for(found: RenewalTrace, last: LeaseReading) -> float:
    if found.last_refresh is None:  # nothing usable yet: a member without the lead answered
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
    Say how long a scan must watch to see a client of Go's kind renew so often, in seconds.

    At worst the lease was renewed just before each look; and the first look comes a round trip
    after the window begins.
    """
    took_s = reading.answered_at - reading.asked_at
    return needed * (_shows_after_s(reading.granted_ttl_s) + took_s) + ROUND_TRIP_S


def _shows_after_s(granted_ttl_s: int) -> float:
    """
    After so many seconds a look proves the next renewal of a client of Go's kind.

    What is left is rounded down by up to a second; by two where less than one may be left.
    """
    period_s = keep_alive_period_s(granted_ttl_s)
    rounding_s = 1 if granted_ttl_s - period_s >= 1 else 2
    return period_s + rounding_s + ROUND_TRIP_S
