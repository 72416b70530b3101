"""What one run stores in the history."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from lockdoctor.domain.evidence.verdicts import Severity, VerdictKind
from lockdoctor.domain.model.leases import LeadershipProbe, LeaseId, Reading
from lockdoctor.domain.model.locks import Hold, LockId
from lockdoctor.domain.past.past import RevisionMark


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldSeen:
    """All that one run saw of one hold."""

    hold: Hold
    lease_id: LeaseId
    lock: LockId
    first_answered_at: float
    last_asked_at: float
    held_first_answered_at: float | None
    """As in PastHold."""


class FindingSeen(NamedTuple):
    """A verdict of WARNING or worse."""

    kind: VerdictKind
    lock: LockId | None
    """None where it is on leases without keys."""
    hold: Hold | None = None
    """Of a finding on a lock, the hold that it is about."""
    leases: tuple[LeaseId, ...] = ()
    """Of a finding on leases without keys, those that it names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedLeases:
    """The cluster's leases in one list of the run."""

    lease_ids: Collection[LeaseId]
    """All of them, with and without keys."""
    sessions: Sequence[LeaseId]
    """Those that were seen renewed and without keys."""


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """What one run stores for later runs; every moment is on its own clock."""

    command: str
    """`scan` or `check`."""
    judged_by: str
    """What the verdicts depend on besides etcd: only runs with the same value are compared."""
    started_at: float
    ended_at: float
    cluster_id: int
    prefixes: tuple[bytes, ...]
    """Trends compare runs over the same prefixes only."""
    raft_term: int
    """The last that the run saw."""
    marks: tuple[RevisionMark, ...]
    """At least one."""
    severity: Severity
    probes: tuple[LeadershipProbe, ...] = ()
    holds: Iterable[HoldSeen] = ()
    """
    Every key that was read, once; it can be iterated more than once. If a later run finds no key
    that must exist, it takes the cluster for another one.
    """
    readings: Mapping[LeaseId, Sequence[Reading]] = field(default_factory=dict)
    """Of each lease in the order in which they were asked."""
    findings: Sequence[FindingSeen] = ()
    sessions: int | None = None
    """Renewed leases without keys; None where the run could not count them."""
    listed: ListedLeases | None = None
    """None where the run had no list."""
