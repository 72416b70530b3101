"""Evidence on deadlocks."""

from __future__ import annotations

from dataclasses import dataclass

from lockdoctor.domain.model.leases import LeaseId


@dataclass(frozen=True, slots=True)
class CycleEdge:
    """One session of a circle, and whom it waits for: the next one, or a session of its client."""

    waiter: LeaseId
    waits_for: bytes
    """The lock's name."""
    behind: LeaseId
    is_holder: bool
    """False where the other one does not hold the lock yet, but gets it before the waiter."""


@dataclass(frozen=True, slots=True)
class WaitCycle:
    """Sessions that wait for one another, so that none can go on before another has."""

    ring: tuple[CycleEdge, ...]
    """A short way around."""
    sessions: int
    """All that are caught in it."""
    stood_s: float
    """How long it was seen to stand, unchanged; 0 where it was seen once only."""


@dataclass(frozen=True, slots=True)
class CheapestBreak:
    """The one session whose end undoes the circle with the least damage."""

    lease: LeaseId
    keys: int
    """Keys that go with it, as far as is known."""
    waiters: int
    """Those who wait for the locks that it holds."""


@dataclass(frozen=True, slots=True)
class NoSingleBreak:
    """No session undoes the circle alone: more than one has to end."""


@dataclass(frozen=True, slots=True)
class HolderWaits:
    """The holder's session waits for another lock itself, which may be why it does not release."""

    lock: bytes
