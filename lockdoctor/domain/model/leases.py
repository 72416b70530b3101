"""Leases by etcd's answers: identifiers, and readings with their times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, NewType, TypeAlias

LeaseId = NewType("LeaseId", int)

NO_LEASE = LeaseId(0)
"""The value of a key's lease field in etcd when the key has no lease."""

FOREVER_S = 9_223_372_036
"""
The remaining TTL of a lease on a member that is not the leader, in seconds (MaxInt64 nanoseconds).

Versions 3.4.0-3.4.31 and 3.5.0-3.5.13 return it while the leader changes. It has no information on
the lease. Source: Remaining() in etcd's lease/lessor.go; etcd PR 17642.
"""


class LeaseReading(NamedTuple):
    """
    One reading of one lease that exists.

    Moments are seconds of one clock that never steps back, counted from the Unix epoch. A tuple is
    made three times as fast as a frozen dataclass, and a run makes one for each look-up.
    """

    lease_id: LeaseId
    asked_at: float
    answered_at: float
    granted_ttl_s: int
    remaining_ttl_s: int
    """Whole seconds, rounded toward zero; negative when etcd is late in expiring the lease."""
    raft_term: int
    """The term last applied by the member that answered; it might lag behind the leader's."""
    attached_keys: tuple[bytes, ...] | None = None
    """Every key on the lease, sorted; None where they were not requested or may not be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseNotFound:
    """One reading that found no such lease: revoked, expired, or never granted."""

    lease_id: LeaseId
    asked_at: float
    answered_at: float
    raft_term: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedReading:
    """One look-up that brought no reading: refused, or out of time."""

    lease_id: LeaseId
    asked_at: float
    reason: str


Reading: TypeAlias = LeaseReading | LeaseNotFound


def hex_id(lease_id: LeaseId) -> str:
    """
    Return a lease ID as etcdctl prints it: hexadecimal, padded to 16 places.

    Source: the %016x of etcdctl's printer_simple.go.
    """
    return f"{lease_id:016x}"


def parse_lease_id(text: str) -> LeaseId:
    """
    Read a lease ID as etcdctl accepts it: hexadecimal, padded or not, 0x or not.

    Raises:
        ValueError: The text is not a hexadecimal number of 64 bits, or it is zero.
    """
    try:
        number = int(text, 16)
    except ValueError:
        number = NO_LEASE
    if number == NO_LEASE or not -(2**63) <= number < 2**63:
        raise ValueError(f"{text!r} is not a lease ID")
    return LeaseId(number)


def lease_id_of(word: str) -> LeaseId | None:
    """Return the lease ID of a word that might name something else, or None."""
    try:
        return parse_lease_id(word)
    except ValueError:
        return None


class LeadershipProbe(NamedTuple):
    """The raft leadership in one answer."""

    asked_at: float
    raft_term: int
    leader_id: int | None = None
    """None where the answer does not name the leader, 0 where there is no leader."""
