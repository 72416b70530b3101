"""Verdicts on leases: overdue, dangling, ghost, late, long and shared ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lockdoctor.domain.evidence import Evidence
from lockdoctor.domain.evidence.remedies import Advice, Remedy
from lockdoctor.domain.evidence.renewals import (
    Expired,
    KeyWithoutLease,
    LateRenewal,
    ListedNotFound,
    LongTtl,
)
from lockdoctor.domain.evidence.verdicts import Confidence, Severity, Verdict, VerdictKind
from lockdoctor.domain.inference.lease_expiry import CONFIRM_AFTER_S, expired_for_s, gone_since
from lockdoctor.domain.inference.lookup_schedule import LATE_SHARE
from lockdoctor.domain.inference.renewals import RenewalTrace
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.model.locks import Kind
from lockdoctor.domain.rules.lock_case import (
    LockCase,
    hold_evidence,
    other_keys_evidence,
    queue_evidence,
    renewal_evidence,
    verdict_on,
)


def judge_expiry(
    traces: Mapping[LeaseId, RenewalTrace],
    keyless: Iterable[LeaseId],
    still_listed: Mapping[LeaseId, float],
) -> tuple[Verdict, ...]:
    """
    Return verdicts on leases that etcd does not end, or that only a list has.

    Args:
        still_listed: Of leases that a look-up found gone, when the last list was requested that had
            them nevertheless.
    """
    late = {
        lease: found
        for lease in keyless
        if lease in traces and (found := expired_for_s(traces[lease].readings)) is not None
    }
    ghosts = {
        lease: listed_at - since
        for lease, listed_at in still_listed.items()
        if lease in traces and (since := gone_since(traces[lease].readings)) is not None
        if listed_at - since >= CONFIRM_AFTER_S
    }
    verdicts = []
    if late:
        expired = Expired(leases=len(late), for_s=max(late.values()))
        verdicts.append(_of_many(VerdictKind.OVERDUE, late, expired, Advice.FIND_FAILING_REVOKES))
    if ghosts:
        listed = ListedNotFound(leases=len(ghosts), for_s=max(ghosts.values()))
        verdicts.append(
            _of_many(VerdictKind.GHOST_LEASE, ghosts, listed, Advice.COMPARE_LEASE_LISTS)
        )
    return tuple(verdicts)


def _of_many(
    kind: VerdictKind, leases: Iterable[LeaseId], evidence: Evidence, remedy: Remedy
) -> Verdict:
    return Verdict(
        kind=kind,
        severity=Severity.WARNING,
        confidence=Confidence.PROVEN,
        lock=None,
        key=None,
        leases=tuple(sorted(leases)),
        evidence=(evidence,),
        remedy=remedy,
    )


def dangling_holder(case: LockCase) -> Verdict | None:
    """
    Return a verdict if the holder's lease is gone, but its key exists.

    This hold never ends by itself.
    """
    return _dangling(case) if case.dangling and case.dangling.key is case.holder else None


def overdue(case: LockCase) -> Verdict | None:
    """Return a verdict if the holder's TTL has expired, but etcd does not end its lease."""
    for_s = expired_for_s(case.trace.readings) if case.trace else None
    if for_s is None or case.is_released:
        return None
    return verdict_on(
        case,
        VerdictKind.OVERDUE,
        Severity.CRITICAL if case.lock.waiters else Severity.WARNING,
        Confidence.PROVEN,
        [Expired(leases=1, for_s=for_s), *queue_evidence(case), *hold_evidence(case)],
        Advice.FIND_FAILING_REVOKES_AND_REVOKE,
    )


def late_renewal(case: LockCase, _: Verdict) -> Verdict | None:
    """Return a verdict if late renewals might lose the lock while its holder works."""
    found = case.trace
    if found is None or found.late_by is None or found.last is None:
        return None
    if case.lock.kind is Kind.UNKNOWN:
        return None
    granted_s = found.last.granted_ttl_s
    if found.late_by > granted_s * LATE_SHARE:
        return None
    return verdict_on(
        case,
        VerdictKind.LATE_RENEWAL,
        Severity.WARNING,
        Confidence.PROVEN,
        [
            LateRenewal(remaining_at_most_s=found.late_by, granted_s=granted_s),
            *renewal_evidence(case),
        ],
        Advice.RENEW_EARLIER,
    )


def long_ttl(case: LockCase, _: Verdict) -> Verdict | None:
    """Return a verdict if a crash of the holder would keep the lock for long."""
    granted_s = case.trace.granted_ttl_s if case.trace else None
    limit_s = case.thresholds.max_ttl_s
    if case.lock.kind is not Kind.LOCK or granted_s is None or granted_s <= limit_s:
        return None
    return verdict_on(
        case,
        VerdictKind.LONG_TTL,
        Severity.WARNING,
        Confidence.PROVEN,
        [LongTtl(granted_s=granted_s, limit_s=limit_s)],
        Advice.SHORTEN_TTL,
    )


def dangling_waiter(case: LockCase, _: Verdict) -> Verdict | None:
    """
    Return a verdict on a waiter whose lease is gone.

    When it becomes the holder, its hold will never end by itself.
    """
    return _dangling(case) if case.dangling and case.dangling.key is not case.holder else None


def shared_lease(case: LockCase, _: Verdict) -> Verdict | None:
    """Return a verdict if revoking the holder's lease deletes keys outside the lock."""
    others = other_keys_evidence(case)
    if not others or case.is_released or case.lock.kind not in {Kind.LOCK, Kind.ELECTION}:
        return None
    return verdict_on(
        case,
        VerdictKind.SHARED_LEASE,
        Severity.OK,
        Confidence.PROVEN,
        others,
        Advice.KEYS_GO_WITH_LEASE,
    )


def _dangling(case: LockCase) -> Verdict | None:
    if case.dangling is None:
        return None
    blocks = bool(case.lock.waiters) and case.dangling.key is case.holder
    return verdict_on(
        case,
        VerdictKind.DANGLING,
        Severity.CRITICAL if blocks else Severity.WARNING,
        Confidence.PROVEN,
        [KeyWithoutLease(for_s=case.dangling.for_s), *hold_evidence(case), *queue_evidence(case)],
        Advice.COMPARE_MEMBERS,
        key=case.dangling.key,
    )
