"""Evidence on a lock's queue: hand-overs, waiters, attempts that gave up."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NoHandOver:
    """The lock did not change hands while it was watched."""

    watched_s: float


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The lock was released, or changed hands, while it was watched."""

    releases: int
    watched_s: float


@dataclass(frozen=True, slots=True)
class Waiters:
    """Others wait for the lock."""

    waiters: int
    longest_at_least_s: float
    """How long the one who has waited longest was seen to wait."""


@dataclass(frozen=True, slots=True)
class GaveUp:
    """Attempts on the lock came, waited, and left without it."""

    attempts: int
    watched_s: float


@dataclass(frozen=True, slots=True)
class PossibleAbandonedKey:
    """Signs that the holder gave up long ago, and that its key reached etcd all the same."""

    unclosed: int
    """Attempts on the lock were seen to give up; so many of their sessions live on."""
    gave_up_elsewhere: bool
    """The holder's own session was seen to give up on another lock."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """Others are blocked in all, in this queue and in those of the locks behind it."""

    waiters: int
    locks: int
    """Locks blocked behind, because their holders wait."""
