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
    """How long the longest waiter was seen to wait, in seconds."""


@dataclass(frozen=True, slots=True)
class GaveUp:
    """Attempts on the lock came, waited, and left without it."""

    attempts: int
    watched_s: float


@dataclass(frozen=True, slots=True)
class PossibleAbandonedKey:
    """
    The holder might be an abandoned key.

    Its attempt gave up long ago, but its key reached etcd nevertheless.
    """

    unclosed: int
    """The number of sessions that live on, of attempts that were seen to give up on the lock."""
    gave_up_elsewhere: bool
    """The holder's own session was seen to give up on another lock."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """The waiters blocked in all, in this queue and in those of the locks behind it."""

    waiters: int
    locks: int
    """The number of locks blocked behind it, because their holders wait."""
