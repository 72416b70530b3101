"""Evidence from processes and from etcd's counters."""

from __future__ import annotations

from dataclasses import dataclass

TOLERANCE = 0.05
"""The maximum difference at which two numbers agree that were not counted at the same moment."""


@dataclass(frozen=True, slots=True)
class KeptAliveBy:
    """The process whose goroutines keep some of the verdict's leases alive."""

    process: str
    kept: int
    of: int
    """The number of leases that the verdict is about."""
    saved: bool
    """The process kept them alive when the profile was saved."""


@dataclass(frozen=True, slots=True)
class ProcessSessions:
    """The sessions of one process, compared with those that etcd has."""

    process: str
    sessions: int
    before: int | None
    """At the beginning of the window; None where the process was not read then."""
    watched_s: float
    waiting: int
    """Of them, the number that wait for their turn, and so have a key."""
    keyless_leases: int
    """Renewed leases without keys that etcd has."""
    kept: int | None
    """Those of them that it keeps alive, by their IDs; None where its profile shows no IDs."""
    agreement: str
    """Without the waiting sessions, its sessions are `as-many`, `fewer` or `more`, within 5 %."""
    saved: bool
    """These were the counts when the profile was saved."""

    @property
    def keeps_the_leak(self) -> bool:
        """Return whether it keeps nearly all leases of a leak alive, by their IDs."""
        leases = self.keyless_leases
        return leases > 0 and (self.kept or 0) >= leases * (1 - TOLERANCE)


@dataclass(frozen=True, slots=True)
class UnattributedSessions:
    """Leases without keys that no goroutine names, where each names its lease."""

    leases: int
    processes: int
    """The processes that answered."""


@dataclass(frozen=True, slots=True)
class ServerCounted:
    """etcd's own counters for the time watched, over all of its leases."""

    granted: int
    revoked: int
    """Ended for any reason, with those that expired."""
    expired: int | None
    """Expired; None where the leader was not asked."""
    watched_s: float
