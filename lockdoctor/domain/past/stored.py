"""What the history stores, as 'history show' and 'history export' write it."""

from __future__ import annotations

from dataclasses import dataclass

from lockdoctor.domain.evidence.verdicts import Severity
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.model.locks import Hold


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    """A run in the history."""

    number: int
    cluster_id: int
    lineage: int
    """Rises when a cluster was set back, by a restored snapshot for example."""
    command: str
    prefixes: tuple[bytes, ...]
    started_at: float
    ended_at: float
    revision: int
    raft_term: int
    severity: Severity
    holds: int
    findings: int
    sessions: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredHold:
    """A hold in the history."""

    cluster_id: int
    lineage: int
    hold: Hold
    lease_id: LeaseId
    lock_name: bytes
    recipe: str
    first_answered_at: float
    last_asked_at: float
    held_first_answered_at: float | None
    runs: int
    """The number of runs that saw it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLease:
    """Successive readings of one lease under one raft term, folded into their ends."""

    cluster_id: int
    lineage: int
    lease_id: LeaseId
    granted_ttl_s: int | None
    """None where the lease was gone."""
    raft_term: int
    first_answered_at: float
    last_answered_at: float
    last_remaining_ttl_s: int | None
    readings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFinding:
    """A finding in the history, for as long as successive runs had it."""

    cluster_id: int
    lineage: int
    verdict: str
    """A slug; another version of lockdoctor might have more of them."""
    lock_name: bytes | None
    recipe: str | None
    since_at: float
    last_at: float
    runs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Everything in the history under one name, key or lease."""

    holds: tuple[StoredHold, ...] = ()
    """Of each cluster in the order of their create revisions."""
    leases: tuple[StoredLease, ...] = ()
    """Of each lease in order."""
    findings: tuple[StoredFinding, ...] = ()
    """In order."""
