"""Evidence from processes and from etcd's counters."""

from __future__ import annotations

from dataclasses import dataclass

from lockdoctor.domain.evidence.base import TOLERANCE


@dataclass(frozen=True, slots=True)
class KeptAliveBy:
    """A process's goroutines name the lease, or some of them: it is this process that renews."""

    process: str
    kept: int
    of: int
    """Leases that the verdict is about."""
    saved: bool
    """It did when the profile was saved."""


@dataclass(frozen=True, slots=True)
class ProcessSessions:
    """How many sessions live in a process that was asked, beside what etcd has."""

    process: str
    sessions: int
    before: int | None
    """At the beginning of the time watched; None where it was not asked then."""
    watched_s: float
    waiting: int
    """Of them, those that wait for their turn, and so have a key."""
    keyless_leases: int
    """Renewed leases without keys that etcd has."""
    kept: int | None
    """So many of those it keeps alive, by their IDs; None where its profile shows none."""
    agreement: str
    """Without those that wait, the sessions are `as-many`, `fewer` or `more`, within 5 %."""
    saved: bool
    """They did when the profile was saved."""

    @property
    def keeps_the_leak(self) -> bool:
        """Whether the process keeps nearly all leases of a leak alive, by their IDs."""
        leases = self.keyless_leases
        return leases > 0 and (self.kept or 0) >= leases * (1 - TOLERANCE)


@dataclass(frozen=True, slots=True)
class UnattributedSessions:
    """Leases without keys that no goroutine of the processes names, though each names its own."""

    leases: int
    processes: int
    """The ones that answered."""


@dataclass(frozen=True, slots=True)
class ServerCounted:
    """What etcd's own counters say of the time watched, over all of its leases."""

    granted: int
    revoked: int
    """Ended in any way, those that ran out included."""
    expired: int | None
    """Ran out; None where the leader was not asked."""
    watched_s: float
