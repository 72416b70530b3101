"""Domain values for tests: say what matters, the rest is filled in sanely."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lockdoctor.domain.evidence import Evidence
from lockdoctor.domain.evidence.age import Held
from lockdoctor.domain.evidence.keys import Keyless
from lockdoctor.domain.evidence.queue import NoHandOver, Waiters
from lockdoctor.domain.evidence.remedies import Advice, Remedy
from lockdoctor.domain.evidence.renewals import Renewed
from lockdoctor.domain.evidence.verdicts import Confidence, Severity, Verdict, VerdictKind
from lockdoctor.domain.inference import renewals
from lockdoctor.domain.inference.hold_age import HoldAge
from lockdoctor.domain.inference.leadership import Leadership
from lockdoctor.domain.inference.queue_activity import QueueActivity
from lockdoctor.domain.inference.renewals import RenewalTrace
from lockdoctor.domain.model.actions import Action, Result
from lockdoctor.domain.model.leases import LeaseId, LeaseReading, Reading
from lockdoctor.domain.model.locks import Kind, Lock, LockKey, Recipe
from lockdoctor.domain.report.findings import Finding, LockReport, SessionReport
from lockdoctor.domain.report.report import ClusterFacts, Report
from lockdoctor.domain.treatment.journal_entry import Actor, EntryId, Intent, Outcome, Reason

NOON = 1_767_268_800.0
"""2026-01-01 12:00:00 UTC."""

HOLDER = LeaseId(0x32698F1C0A1B2C3D)


def an_observation(
    *,
    at: float = NOON,
    remaining_ttl_s: int = 59,
    granted_ttl_s: int = 60,
    lease_id: int = HOLDER,
    took_s: float = 0.0,
    raft_term: int = 2,
    attached_keys: tuple[bytes, ...] | None = None,
) -> LeaseReading:
    return LeaseReading(
        lease_id=LeaseId(lease_id),
        asked_at=at,
        answered_at=at + took_s,
        granted_ttl_s=granted_ttl_s,
        remaining_ttl_s=remaining_ttl_s,
        raft_term=raft_term,
        attached_keys=attached_keys,
    )


def a_key(
    key: bytes | None = None,
    *,
    lock: bytes = b"/my-lock/orders",
    lease_id: int = HOLDER,
    create_revision: int = 10,
    version: int = 1,
    value: bytes = b"",
) -> LockKey:
    return LockKey(
        key=b"%s/%x" % (lock, lease_id) if key is None else key,
        create_revision=create_revision,
        mod_revision=create_revision + version - 1,
        version=version,
        lease_id=LeaseId(lease_id),
        value=value,
        value_size=len(value),
    )


def a_lock(
    name: bytes = b"/my-lock/orders",
    *,
    holder: LockKey | None = None,
    waiters: int = 0,
    recipe: Recipe = Recipe.GO_MUTEX,
    kind: Kind = Kind.LOCK,
    **fields: Any,
) -> Lock:
    """A mutex with so many waiters, whose leases are 0xa1, 0xa2, ..."""
    return Lock(
        name=name,
        recipe=recipe,
        kind=kind,
        holder=holder or a_key(lock=name),
        waiters=tuple(
            a_key(lock=name, lease_id=0xA0 + n, create_revision=10 + n)
            for n in range(1, waiters + 1)
        ),
        **fields,
    )


def a_trace(
    *remaining: tuple[float, int],
    lease_id: int = HOLDER,
    granted_ttl_s: int = 60,
    readings: Iterable[Reading] | None = None,
) -> RenewalTrace:
    """What readings (seconds after noon, remaining TTL) prove under one leader."""
    looks = remaining or ((0.0, 44), (21.8, 57), (42.0, 56))
    found = [
        an_observation(
            at=NOON + at, remaining_ttl_s=left, granted_ttl_s=granted_ttl_s, lease_id=lease_id
        )
        for at, left in looks
    ]
    leadership = Leadership({}, (), {}, confirmed=True)
    return renewals.trace(LeaseId(lease_id), list(readings or found), leadership)


def a_verdict(
    kind: VerdictKind = VerdictKind.LEAKED_LOCK,
    *,
    lock: Lock | None = None,
    severity: Severity | None = None,
    confidence: Confidence = Confidence.PROVEN,
    evidence: tuple[Evidence, ...] | None = None,
    remedy: Remedy = Advice.FREE_AND_FIX,
    **fields: Any,
) -> Verdict:
    """A verdict on the holder of a lock; a leak unless said otherwise."""
    subject = lock or a_lock()
    holder = subject.holder
    return Verdict(
        kind=kind,
        severity=_severity(kind) if severity is None else severity,
        confidence=confidence,
        **{
            "lock": subject.id,
            "key": holder.key if holder else None,
            "leases": (holder.lease_id,) if holder and holder.has_lease else (),
            **fields,
        },
        evidence=_leak(subject) if evidence is None else evidence,
        remedy=remedy,
    )


def a_lock_report(
    lock: Lock | None = None,
    *verdicts: Verdict,
    prefix: bytes = b"/my-lock/",
    trace: RenewalTrace | None = None,
    age: HoldAge | None = None,
    activity: QueueActivity | None = None,
) -> LockReport:
    """A lock with its verdicts, the holder's trace and age; a leak unless said otherwise."""
    subject = lock or a_lock()
    holder = subject.holder
    seen = trace or a_trace(lease_id=holder.lease_id if holder else HOLDER)
    return LockReport(
        lock=subject,
        prefix=prefix,
        verdicts=verdicts or (a_verdict(lock=subject),),
        age=age or HoldAge(at_least_s=45.2),
        activity=activity or QueueActivity(watched_s=45.2),
        traces={seen.lease_id: seen} if holder is None or holder.has_lease else {},
    )


def a_finding(lock: LockReport | None = None) -> Finding:
    """The first verdict of a lock as a finding."""
    report = lock or a_lock_report()
    return Finding(report.verdict, report)


def a_session(
    lease_id: int = 0x51, kind: VerdictKind = VerdictKind.IDLE_SESSION, **fields: Any
) -> SessionReport:
    """A lease without keys."""
    trace = fields.pop("trace", None) or a_trace(lease_id=lease_id)
    return SessionReport(
        trace=trace,
        verdict=Verdict(
            kind=kind,
            severity=Severity.OK,
            confidence=Confidence.PROVEN,
            lock=None,
            key=None,
            leases=(LeaseId(lease_id),),
            evidence=(Keyless(),),
            remedy=Advice.NOTHING,
        ),
        **{"is_new": False, "gave_up": False, **fields},
    )


def a_report(*locks: LockReport, **fields: Any) -> Report:
    """A run of 45 s over /my-lock/ that saw these locks and nothing else."""
    return Report(
        **{
            "started_at": NOON,
            "watched_s": 45.2,
            "window_s": 60.0,
            "lookups": 36,
            "interrupted": None,
            "cluster": ClusterFacts(
                cluster_id=0xCDF818194E3A8C32,
                version="3.4.23",
                endpoint="http://127.0.0.1:2379",
                raft_term=2,
                revision=4321,
                leader_changes=0,
            ),
            "prefixes": (b"/my-lock/",),
            "locks": locks,
            "sessions": (),
            "session_verdicts": (),
            "unseen": (),
            **fields,
        }
    )


def _severity(kind: VerdictKind) -> Severity:
    fine = {
        VerdictKind.HEALTHY,
        VerdictKind.EXPIRING,
        VerdictKind.SHARED_LEASE,
        VerdictKind.IDLE_SESSION,
        VerdictKind.UNDETERMINED,
    }
    return Severity.OK if kind in fine else Severity.WARNING


def _leak(lock: Lock) -> tuple[Evidence, ...]:
    queue = (Waiters(len(lock.waiters), 45.2),) if lock.waiters else ()
    return (Held(45.2, None), Renewed(3, 45.2, 20.4), NoHandOver(45.2), *queue)


def an_intent(entry_id: str = "e1", action: Action = Action.REVOKE, **fields: Any) -> Intent:
    """The revocation of the lock orders, which its only key holds."""
    key = a_key()
    told: dict[str, Any] = {
        "at": NOON,
        "who": Actor(user="ops", host="bastion", pid=4711),
        "why": Reason(verdict="leaked-lock", confidence="proven", evidence=("It was renewed.",)),
        "cluster_id": 0xC1,
        "lease_id": key.lease_id,
        "granted_ttl_s": 60,
        "locks": (b"/my-lock/orders",),
        "keys": (key,),
    }
    return Intent(entry_id=EntryId(entry_id), action=action, **told | fields)


def an_outcome(entry_id: str = "e1", result: Result = Result.DONE, **fields: Any) -> Outcome:
    told: dict[str, Any] = {"at": NOON + 1, "detail": "The lease is gone.", "took_s": 0.25}
    return Outcome(entry_id=EntryId(entry_id), result=result, **told | fields)
