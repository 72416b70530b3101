"""Evidence on leases: renewed or not, expired, unread."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Renewed:
    """The readings prove that a client renewed the lease."""

    renewals: int
    """The fewest that explain the readings."""
    watched_s: float
    """From the first reading to the last."""
    at_most_every_s: float | None
    """The mean time between renewals is at most this; None where fewer than two are proven."""


@dataclass(frozen=True, slots=True)
class NotRenewed:
    """The lease counts down."""

    unrenewed_for_s: float
    """At least so long without a renewal, at the last reading."""
    remaining_s: float
    """Seconds left at the last reading, at most."""
    granted_s: int


@dataclass(frozen=True, slots=True)
class LeaseEnded:
    """The lease is gone: it expired or was revoked while it was watched."""


@dataclass(frozen=True, slots=True)
class Expired:
    """The time of leases is over, but etcd has not ended them."""

    leases: int
    for_s: float
    """So long past its end was the latest of them, at least, at the last reading."""


@dataclass(frozen=True, slots=True)
class ListedNotFound:
    """Look-ups found no such leases, yet etcd's list has them."""

    leases: int
    for_s: float
    """So long after a look-up had found one gone the list still had it."""


@dataclass(frozen=True, slots=True)
class KeyWithoutLease:
    """Look-ups found no such lease, yet the key that hangs on it stands."""

    for_s: float
    """So long after a look-up had found the lease gone."""


@dataclass(frozen=True, slots=True)
class LateRenewal:
    """A renewal came when little of the TTL was left."""

    remaining_at_most_s: float
    granted_s: int


@dataclass(frozen=True, slots=True)
class LongTtl:
    """A crash of the holder would keep the lock this long."""

    granted_s: int
    limit_s: float


@dataclass(frozen=True, slots=True)
class Unobservable:
    """The window was too short to see what would decide."""

    needed_s: float
    """A window of this many seconds would do."""
    granted_s: int


@dataclass(frozen=True, slots=True)
class ReadFailed:
    """The lease could not be read."""

    reason: str


@dataclass(frozen=True, slots=True)
class LeaderChanged:
    """A new leader reset every lease while it was watched; rises across that prove nothing."""

    discarded: int
    """Readings that could not be used because of it."""
