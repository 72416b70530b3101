"""Evidence on sessions without keys."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SessionsGrew:
    """More renewed leases without keys came than ended; those that came are new."""

    before: int
    """Those there now that are not among the new ones, and those that ended ..."""
    after: int
    """... and all that are there now."""
    watched_s: float
    steps: int
    """
    The number of runs, or parts of the window, in which more came than ended: one might be a
    start-up.
    """
    new: int
    """No earlier list of leases had them, with or without keys."""
    ended: int
    over_runs: bool
    """They came from run to run; false where they came while one run watched."""


@dataclass(frozen=True, slots=True)
class SessionsAlike:
    """Sessions without keys of one granting member, one TTL and one renewal rhythm."""

    sessions: int
    member: str | None
    """The member's ID in hexadecimal; None where it is not certain."""
    member_bits: str | None
    """The member's bits in the leases' IDs; None where no present member gives such IDs."""
    granted_ttl_s: int
    every_at_most_s: float | None
    """The maximum time between their renewals, in seconds; None where no renewal is proven."""
    granted_after_at: float | None
    """They were granted at this moment of the member's clock or later: POSIX seconds."""


@dataclass(frozen=True, slots=True)
class AbandonedSessions:
    """Sessions of attempts that gave up, which are still renewed."""

    sessions: int


@dataclass(frozen=True, slots=True)
class SessionsIdle:
    """Sessions that were never seen with a key."""

    sessions: int
    longest_at_least_s: float
    """The time for which the longest-watched one was watched, in seconds."""
    limit_s: float
