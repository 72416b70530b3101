"""
What earlier runs against the same cluster have seen, told in this run's time.

Every moment here is on the clock of the present run: the history translates what a run on the same
boot of the same machine wrote, so that a wall clock that was stepped in between invents no age.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lockdoctor.domain.leases import LeaseId, Reading
from lockdoctor.domain.locks import Hold, LockId
from lockdoctor.domain.verdicts import VerdictKind


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionMark:
    """One answer that told the cluster's revision: a tick of the revision clock."""

    asked_at: float
    answered_at: float
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PastHold:
    """When earlier runs saw one hold."""

    first_answered_at: float
    """It stood when the first reading of the keys that had it was answered."""
    last_asked_at: float
    """It still stood when the last reading of the keys that had it was asked."""
    held_first_answered_at: float | None
    """The same of the first reading in which it was the holder; None where it only waited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastFinding:
    """A finding of the last run, and how long it has stood."""

    kind: VerdictKind
    lock: LockId | None
    since_at: float
    runs: int
    """In so many runs in a row, the last one included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCount:
    """How many renewed leases without keys a run counted."""

    at: float
    sessions: int


@dataclass(frozen=True, kw_only=True)
class Past:
    """Everything that earlier runs can tell this one; nothing of it where there was none."""

    runs: int = 0
    last_run_at: float | None = None
    marks: tuple[RevisionMark, ...] = ()
    """In the order of their revisions."""
    holds: Mapping[Hold, PastHold] = field(default_factory=dict)
    readings: Mapping[LeaseId, tuple[Reading, ...]] = field(default_factory=dict)
    """Of each lease, in order; those between that prove nothing more are left out."""
    findings: tuple[PastFinding, ...] = ()
    session_counts: tuple[SessionCount, ...] = ()
    """In order."""


NO_PAST = Past()
