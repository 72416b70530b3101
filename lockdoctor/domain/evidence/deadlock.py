"""Evidence on deadlocks, and on a holder that waits for another lock."""

from __future__ import annotations

from dataclasses import dataclass

from lockdoctor.domain.model.leases import LeaseId


@dataclass(frozen=True, slots=True)
class CycleEdge:
    """
    One session of a cycle, and the session that it waits for.

    That is the next session of the cycle, or another session of the same client.
    """

    waiter: LeaseId
    waits_for: bytes
    """The lock's name."""
    behind: LeaseId
    is_holder: bool
    """False where the other session does not hold the lock yet, but gets it before the waiter."""


@dataclass(frozen=True, slots=True)
class WaitCycle:
    """Sessions that wait for one another: each needs another to continue first."""

    ring: tuple[CycleEdge, ...]
    """A short way around."""
    sessions: int
    """The number of all sessions in the cycle."""
    stood_s: float
    """How long it was seen unchanged, in seconds; 0 where it was seen once only."""


@dataclass(frozen=True, slots=True)
class CheapestBreak:
    """The one session whose end breaks the cycle with the least damage."""

    lease: LeaseId
    keys: int
    """The number of keys deleted with it, as far as they were read."""
    waiters: int
    """The number of waiters for the locks that it holds."""


@dataclass(frozen=True, slots=True)
class NoSingleBreak:
    """No single session breaks the cycle: more than one has to end."""


@dataclass(frozen=True, slots=True)
class HolderWaits:
    """The holder's session waits for another lock, so it might not release this one."""

    lock: bytes
