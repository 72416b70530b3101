"""
Find from a lease's ID which member granted it, and the earliest time for that.

etcd numbers leases with a generator for each member: two bytes of the member's ID, five of the time
in milliseconds at which the member's process began, and a counter that overflows into them. So the
time in an ID is a bound: the lease was granted then or later, by that member's clock.

Source: Generator in etcd's pkg/idutil/id.go, LeaseGrant in server/etcdserver/v3_server.go (which
clears the highest bit).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from lockdoctor.domain.evidence.sessions import SessionsAlike
from lockdoctor.domain.inference.renewals import RenewalTrace
from lockdoctor.domain.model.leases import LeaseId

MEMBER_BITS = 0x7FFF
"""The number of the member ID's lowest bits in a lease's ID; the sixteenth is cleared."""

CYCLE_MS = 1 << 40
"""After this many milliseconds, 35 years, the time begins at 0 again."""

FIRST_ETCD_AT = 1_451_606_400.0
"""2016-01-01, the year of etcd 3.0: no member has numbered leases before."""

AHEAD_S = 86_400.0
"""The maximum time by which a member's clock is ahead of this machine's, in seconds."""

FREQUENT_SHARE = 0.5
"""
The share of the TTL by which sessions are grouped: renewed within it, so at least twice per TTL, or
not, or perhaps not.
"""


@dataclass(frozen=True, slots=True)
class LeaseOrigin:
    """The origin of a lease, by its ID."""

    member_bits: int
    member_id: int | None
    """None where the members were not read, or two of them share these bits."""
    not_before_at: float
    """By the member's clock: POSIX seconds."""


def origin(lease_id: LeaseId, members: Collection[int], now: float) -> LeaseOrigin | None:
    """
    Return the origin by an ID that a member has given.

    Args:
        members: The IDs of all members; empty where they were not read.

    Returns:
        None where no present member can have given it: its client chose it, or a former member gave
        it.
    """
    bits = lease_id >> 48
    fitting = [member for member in members if member & MEMBER_BITS == bits]
    at = _time_at(lease_id, now)
    if lease_id < 0 or at < FIRST_ETCD_AT or (members and not fitting):
        return None
    return LeaseOrigin(bits, fitting[0] if len(fitting) == 1 else None, at)


def group_by_origin(
    traces: Iterable[RenewalTrace], members: Collection[int], now: float
) -> tuple[SessionsAlike, ...]:
    """Group leases by member, TTL and renewal rhythm; the largest group first."""
    groups: dict[tuple[object, ...], list[tuple[RenewalTrace, LeaseOrigin | None]]] = {}
    for trace in traces:
        granted_by = origin(trace.lease_id, members, now)
        key = (granted_by and granted_by.member_bits, trace.granted_ttl_s, _is_frequent(trace))
        groups.setdefault(key, []).append((trace, granted_by))
    alike = map(_sessions_alike, groups.values())
    return tuple(sorted(alike, key=lambda group: (-group.sessions, -group.granted_ttl_s)))


def _time_at(lease_id: LeaseId, now: float) -> float:
    """Return the latest moment that fits the ID's five bytes of time."""
    ms = (lease_id >> 8) % CYCLE_MS
    cycles = (int((now + AHEAD_S) * 1000) - ms) // CYCLE_MS
    return (ms + cycles * CYCLE_MS) / 1000


def _is_frequent(trace: RenewalTrace) -> bool:
    every_s = trace.period_at_most_s
    return every_s is not None and every_s <= (trace.granted_ttl_s or 0) * FREQUENT_SHARE


def _sessions_alike(group: list[tuple[RenewalTrace, LeaseOrigin | None]]) -> SessionsAlike:
    first, granted_by = group[0]
    periods = [p for trace, _ in group if (p := trace.period_at_most_s) is not None]
    bounds = [granted.not_before_at for _, granted in group if granted]
    member_id = granted_by.member_id if granted_by else None
    return SessionsAlike(
        sessions=len(group),
        member=None if member_id is None else f"{member_id:x}",
        member_bits=f"{granted_by.member_bits:04x}" if granted_by else None,
        granted_ttl_s=first.granted_ttl_s or 0,
        every_at_most_s=min(periods, default=None),
        granted_after_at=min(bounds, default=None),
    )
