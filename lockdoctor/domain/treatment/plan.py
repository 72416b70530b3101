"""A treatment before any action: selection, plan and refusals."""

from __future__ import annotations

from dataclasses import dataclass

from lockdoctor.domain.evidence.verdicts import Confidence, VerdictKind
from lockdoctor.domain.model.actions import Action
from lockdoctor.domain.model.alarms import ClusterAlarm
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.model.locks import LockId, LockKey
from lockdoctor.domain.report.unseen import Unseen
from lockdoctor.domain.treatment.reasons import LeaseGoneAlready, RefusalReason

JUDGED = frozenset({VerdictKind.LEAKED_LOCK})
"""The verdicts that are selected unless a verdict is named: a suspected leak is not proven."""

NAMEABLE = (VerdictKind.LEAKED_LOCK, VerdictKind.SUSPECTED_LEAK, VerdictKind.ETERNAL_LOCK)
"""The verdicts on a holder that may be named; any other needs even_if_healthy."""

SESSION_LEAKS = frozenset({VerdictKind.LEAKED_SESSION, VerdictKind.SESSION_PILE_UP})


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a person selects for treatment, and the safety overrides given."""

    action: Action = Action.REVOKE
    """REVOKE, RELEASE or QUARANTINE."""
    leases: tuple[LeaseId, ...] = ()
    keys: tuple[bytes, ...] = ()
    sessions: bool = False
    """Leases without keys, too, where they were judged leaked."""
    verdicts: frozenset[VerdictKind] = JUDGED
    min_held_s: float = 0.0
    most: int = 10
    """The maximum number of targets, those that have held longest."""
    quarantine_s: int = 60
    even_if_healthy: bool = False
    """Named targets may be treated even if they were not judged leaked."""
    outside_keys: bool = False
    """Keys outside the prefixes may be deleted with their lease."""
    most_keys: int = 10
    """A lease with more keys is not revoked."""
    whole_prefix: bool = False
    """Every holder is selected, whatever its verdict."""

    @property
    def is_named(self) -> bool:
        """Return whether leases or keys are named one by one."""
        return bool(self.leases or self.keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovedHold:
    """One hold that is approved for treatment, and its queue."""

    lock: LockId
    hold: LockKey
    """As it was shown, without its value."""
    is_holder: bool
    """False for one that only waits: ending it does not free the lock."""
    waiters: int = 0
    """The number of waiters behind it."""
    next_key: bytes | None = None
    """The key that gets the lock next, by the queue at that time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One lease, or one key without a lease, that is approved for treatment."""

    action: Action
    lease_id: LeaseId
    """NO_LEASE where the key has no lease."""
    granted_ttl_s: int | None
    approved_holds: tuple[ApprovedHold, ...]
    """Empty for a session without keys."""
    others: tuple[LockKey, ...] = ()
    """The other keys on the lease, without values; only a revocation deletes them."""
    outside: tuple[bytes, ...] = ()
    """Those of the others that lie outside the prefixes."""
    verdict: VerdictKind | None
    confidence: Confidence
    held_at_least_s: float | None
    evidence: tuple[str, ...]
    """Sentences: they are shown, saved with the plan and written into the journal."""
    treated_under: bytes | None = None
    """The prefix of the policy rule that allows it unattended; None where a person asks."""

    @property
    def holds(self) -> tuple[LockKey, ...]:
        """Return the keys that are deleted or moved under a guard."""
        return tuple(approved_hold.hold for approved_hold in self.approved_holds)

    @property
    def affected_keys(self) -> tuple[LockKey, ...]:
        """Return every key that the treatment deletes or moves."""
        return self.holds + (self.others if self.action is Action.REVOKE else ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A selected target that is not in the plan, with its reasons."""

    lease_id: LeaseId
    """NO_LEASE where a key has no lease."""
    lock: bytes | None
    key: bytes | None
    reasons: tuple[RefusalReason, ...]
    """All of them; never empty."""

    @property
    def is_gone(self) -> bool:
        """Return whether no key or lease is left to act on."""
        return all(isinstance(reason, LeaseGoneAlready) for reason in self.reasons)


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokePlan:
    """All planned actions in their order, and all refusals."""

    made_at: float
    """POSIX seconds."""
    cluster_id: int
    raft_term: int
    prefixes: tuple[bytes, ...]
    quarantine_s: int
    targets: tuple[Target, ...]
    refused: tuple[Refusal, ...] = ()
    too_young: int = 0
    """Judged leaked, but not held long enough."""
    beyond_most: int = 0
    """Selected and left for a next run."""
    unnamed: tuple[tuple[VerdictKind, int], ...] = ()
    """The number of keys with other verdicts, which --verdict would have selected."""
    unseen: tuple[Unseen, ...] = ()
    """What could not be read."""
    alarms: tuple[ClusterAlarm, ...] = ()
    """The alarms of the cluster, as far as they could be read; the worst first."""
