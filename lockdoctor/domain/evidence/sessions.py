"""Evidence on sessions without keys."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SessionsGrew:
    """More renewed leases without keys came than ended; those that came were not there before."""

    before: int
    """Those there now that are not among the new ones, and those that ended ..."""
    after: int
    """... and all that are there now."""
    watched_s: float
    steps: int
    """In how many runs, or parts of the window, more came than ended: once may be a start-up."""
    new: int
    """No earlier list of leases had them, whether or not they had keys then."""
    ended: int
    over_runs: bool
    """They came from run to run; false where they came while one run watched."""


@dataclass(frozen=True, slots=True)
class SessionsAlike:
    """Sessions without keys that one member granted, with one TTL, and one rhythm of renewals."""

    sessions: int
    member: str | None
    """The member's ID in hexadecimal; None where it is not known."""
    member_bits: str | None
    """What the leases' IDs tell of it; None where no present member gives such IDs."""
    granted_ttl_s: int
    every_at_most_s: float | None
    """They are renewed at least so often; None where no renewal is proven."""
    granted_after_at: float | None
    """None of them was granted before this moment of the member's clock: POSIX seconds."""


@dataclass(frozen=True, slots=True)
class AbandonedSessions:
    """Sessions whose attempt on a lock was seen to give up, and which live on."""

    sessions: int


@dataclass(frozen=True, slots=True)
class SessionsIdle:
    """Sessions that were never seen with a key."""

    sessions: int
    longest_at_least_s: float
    """How long the one was watched that was watched longest."""
    limit_s: float
