"""The terms of a diagnosis: verdict, severity, confidence."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from datetime import date

from lockdoctor.domain.evidence import Evidence
from lockdoctor.domain.evidence.remedies import Remedy
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.model.locks import LockId


class VerdictKind(enum.Enum):
    """What lockdoctor can conclude; docs/verdicts.md describes each."""

    DEADLOCK = "deadlock"
    LEAKED_LOCK = "leaked-lock"
    ETERNAL_LOCK = "eternal-lock"
    OVERDUE = "overdue"
    DANGLING = "dangling"
    SUSPECTED_LEAK = "suspected-leak"
    SELF_DEADLOCK = "self-deadlock"
    SESSION_PILE_UP = "session-pile-up"
    LEAKED_SESSION = "leaked-session"
    GHOST_LEASE = "ghost-lease"
    BLOCKED_QUEUE = "blocked-queue"
    LATE_RENEWAL = "late-renewal"
    LONG_TTL = "long-ttl"
    EXPIRING = "expiring"
    SHARED_LEASE = "shared-lease"
    IDLE_SESSION = "idle-session"
    UNDETERMINED = "undetermined"
    HEALTHY = "healthy"


HARMLESS = frozenset(
    {
        VerdictKind.EXPIRING,
        VerdictKind.SHARED_LEASE,
        VerdictKind.IDLE_SESSION,
        VerdictKind.UNDETERMINED,
        VerdictKind.HEALTHY,
    }
)
"""The verdicts that are never a finding."""

OF_SESSIONS = frozenset(
    {
        VerdictKind.LEAKED_SESSION,
        VerdictKind.SESSION_PILE_UP,
        VerdictKind.GHOST_LEASE,
        VerdictKind.IDLE_SESSION,
    }
)
"""The verdicts on leases without keys, which belong to no lock and to no prefix."""


class Severity(enum.IntEnum):
    """How much it matters now; a finding is WARNING or worse."""

    OK = 0
    WARNING = 1
    CRITICAL = 2


class Confidence(enum.Enum):
    """How sure the evidence is."""

    PROVEN = "proven"
    LIKELY = "likely"
    POSSIBLE = "possible"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class Accepted:
    """An acceptance of a finding until a date, with its reason."""

    until: date
    """The last day, in UTC."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The conclusion about one lock or lease, and its evidence."""

    kind: VerdictKind
    severity: Severity
    confidence: Confidence
    lock: LockId | None = None
    """None where the verdict is on leases without keys."""
    key: bytes | None = None
    """The key it is about: the holder, the longest waiter."""
    leases: tuple[LeaseId, ...]
    """The leases it is about; empty where the key has no lease."""
    evidence: tuple[Evidence, ...]
    """Never empty; every output can show it."""
    remedy: Remedy
    """What an operator can do next."""
    accepted: Accepted | None = None
    """The acceptance for which it is not a finding."""

    @property
    def is_finding(self) -> bool:
        """Return whether it is a finding: WARNING or worse, and not accepted."""
        return self.severity >= Severity.WARNING and self.accepted is None

    def with_evidence(self, *evidence: Evidence) -> Verdict:
        """Return the verdict with more evidence."""
        return replace(self, evidence=(*self.evidence, *evidence))
