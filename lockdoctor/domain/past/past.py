"""
What earlier runs against the same cluster saw, in this run's time.

Every moment here is on the clock of the present run. The history translates the moments of runs on
the same boot of the same machine, so that a wall clock that was stepped in between adds no age.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lockdoctor.domain.evidence.verdicts import VerdictKind
from lockdoctor.domain.model.leases import LeadershipProbe, LeaseId, Reading
from lockdoctor.domain.model.locks import Hold, LockId


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockMark:
    """One moment on the clock of a run, and its link to the clocks of other runs."""

    wall_at: float
    """On the run's own clock: POSIX seconds."""
    boot_id: str | None
    """The ID of this boot of this machine; None where there is no ID."""
    steady_at: float
    """On the steady clock that all runs of one boot share and that cannot be set: seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionMark:
    """
    One answer with the cluster's revision: a tick of the revision clock.

    Only a linearizable read may give it: a member that lags behind answers a status with a revision
    of the past.
    """

    asked_at: float
    answered_at: float
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PastHold:
    """When earlier runs saw one hold."""

    first_answered_at: float
    """It existed when the first reading of the keys that had it was answered."""
    last_asked_at: float
    """It still existed when the last reading of the keys that had it was asked."""
    held_first_answered_at: float | None
    """The same of the first reading in which it was the holder; None where it only waited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastFinding:
    """A finding of the last run judged by the same limits, and how long it has lasted."""

    kind: VerdictKind
    lock: LockId | None
    hold: Hold | None = None
    """Of a finding on a lock, the hold that it was about; None where that was not stored."""
    leases: tuple[LeaseId, ...] = ()
    """Of a finding on leases without keys, those that it named."""
    since_at: float
    runs: int
    """The number of successive runs with it, with the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """
    What one run's list of leases added to the lists of the runs before it.

    A lease that an earlier list had is not new, with or without keys then.
    """

    at: float
    """When the run ended."""
    new: frozenset[LeaseId]
    """Of the leases asked about, those that no earlier list had."""
    ended: int
    """Sessions that earlier lists had and this one has not; each was once renewed without keys."""
    is_alike: bool
    """The run was over the same prefixes, and judged by the same limits."""


@dataclass(frozen=True, kw_only=True)
class Past:
    """Everything that earlier runs saw; all empty where there was no earlier run."""

    runs: int = 0
    """Over the same prefixes of the same cluster."""
    marks: tuple[RevisionMark, ...] = ()
    """In the order of their revisions."""
    holds: Mapping[Hold, PastHold] = field(default_factory=dict)
    readings: Mapping[LeaseId, tuple[Reading, ...]] = field(default_factory=dict)
    """Of each lease, in order; readings in between that prove no more are left out."""
    findings: tuple[PastFinding, ...] = ()
    """Of the last run over the same prefixes that was judged by the same limits."""
    listings: tuple[Listing, ...] = ()
    """In order; the last one is the present run's, and empty where no earlier run had a list."""
    probes: tuple[LeadershipProbe, ...] = ()
    """Of each raft term and leader, the last answer that named it: they confirm past readings."""
    keyless_since: Mapping[LeaseId, float] = field(default_factory=dict)
    """
    Of each lease on which the last look-up found no keys: when the first of the successive look-ups
    without keys was answered. The readings of the past themselves have no keys.
    """


NO_PAST = Past()
