"""Evidence on leases: renewed or not, expired, unread."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Renewed:
    """The readings prove that a client renewed the lease."""

    renewals: int
    """The fewest renewals that explain the readings."""
    watched_s: float
    """Seconds from the first reading to the last."""
    at_most_every_s: float | None
    """The maximum of the mean time between renewals; None where fewer than two are proven."""


@dataclass(frozen=True, slots=True)
class NotRenewed:
    """The lease counts down."""

    unrenewed_for_s: float
    """The minimum time without a renewal at the last reading, in seconds."""
    remaining_s: float
    """The maximum remaining TTL at the last reading, in seconds."""
    granted_s: int


@dataclass(frozen=True, slots=True)
class LeaseEnded:
    """The lease is gone: it expired or was revoked while it was watched."""


@dataclass(frozen=True, slots=True)
class Expired:
    """The TTL of leases has expired, but etcd has not ended them."""

    leases: int
    for_s: float
    """The minimum time by which the latest was past its end at its last reading, in seconds."""


@dataclass(frozen=True, slots=True)
class ListedNotFound:
    """Look-ups found no such leases, yet etcd's list has them."""

    leases: int
    for_s: float
    """The time for which the list still had one after a look-up had found it gone, in seconds."""


@dataclass(frozen=True, slots=True)
class KeyWithoutLease:
    """Look-ups found no such lease, yet a key with this lease exists."""

    for_s: float
    """The time for which the key existed after a look-up had found the lease gone, in seconds."""


@dataclass(frozen=True, slots=True)
class LateRenewal:
    """A renewal came when little of the TTL remained."""

    remaining_at_most_s: float
    granted_s: int


@dataclass(frozen=True, slots=True)
class LongTtl:
    """After a crash of the holder, the lock would stay taken for this TTL."""

    granted_s: int
    limit_s: float


@dataclass(frozen=True, slots=True)
class Unobservable:
    """The window was too short for the readings that would decide."""

    needed_s: float
    """A window of this many seconds would suffice."""
    granted_s: int


@dataclass(frozen=True, slots=True)
class ReadFailed:
    """The lease could not be read."""

    reason: str


@dataclass(frozen=True, slots=True)
class LeaderChanged:
    """A new leader reset every lease during the watch; that rise proves no renewal."""

    discarded: int
    """Readings that could not be used because of it."""
