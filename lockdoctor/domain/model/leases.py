"""Leases as etcd answers about them: identifiers and readings, with the moments they were taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, NewType, TypeAlias

LeaseId = NewType("LeaseId", int)

NO_LEASE = LeaseId(0)
"""What etcd puts in a key's lease field when the key has none."""

FOREVER_S = 9_223_372_036
"""
The remaining TTL of a lease on a member that is not the leader, in seconds (MaxInt64 nanoseconds).

Versions 3.4.0-3.4.31 and 3.5.0-3.5.13 let it out while the leader changes. It says nothing
of the lease. Source: Remaining() in etcd's lease/lessor.go; etcd PR 17642.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseReading:
    """
    One reading of one lease that exists.

    Moments are seconds of one clock that never steps back, counted from the Unix epoch.
    """

    lease_id: LeaseId
    asked_at: float
    answered_at: float
    granted_ttl_s: int
    remaining_ttl_s: int
    """Whole seconds, rounded toward zero; negative when etcd is late in expiring the lease."""
    raft_term: int
    """The term last applied by the member that answered; it may lag behind the leader's."""
    attached_keys: tuple[bytes, ...] | None = None
    """Every key on the lease, sorted; None where they were not asked for or may not be seen."""


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
    Write a lease ID as etcdctl prints it: hexadecimal, padded to 16 places.

    Source: the %016x of etcdctl's printer_simple.go.
    """
    return f"{lease_id:016x}"


def parse_lease_id(text: str) -> LeaseId:
    """
    Read a lease ID as etcdctl takes it: hexadecimal, padded or not, with or without 0x.

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
    """Read a word that may be a lease ID, or the name of something else; None where it is none."""
    try:
        return parse_lease_id(word)
    except ValueError:
        return None


class LeadershipProbe(NamedTuple):
    """What one answer said of the raft leadership."""

    asked_at: float
    raft_term: int
    leader_id: int | None = None
    """None where the answer does not name the leader, 0 where there is none."""
