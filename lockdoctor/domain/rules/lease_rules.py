"""Verdicts on leases: overdue, dangling, ghost, late, long and shared ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from lockdoctor.domain.evidence import Evidence
from lockdoctor.domain.evidence.remedies import Advice
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
from lockdoctor.domain.model.locks import CONTENDED_FOR, Kind
from lockdoctor.domain.rules.lock_case import LockCase


def judge_expiry(
    traces: Mapping[LeaseId, RenewalTrace],
    keyless: Iterable[LeaseId],
    still_listed: Mapping[LeaseId, float],
) -> Iterator[Verdict]:
    """
    Yield verdicts on leases that etcd does not end, or that only a list has.

    Args:
        still_listed: Of leases that a look-up found gone, when the last list was requested that had
            them nevertheless.
    """
    late = {
        lease: for_s
        for lease in keyless
        if lease in traces and (for_s := expired_for_s(traces[lease].readings)) is not None
    }
    ghosts = {
        lease: listed_at - since
        for lease, listed_at in still_listed.items()
        if lease in traces and (since := gone_since(traces[lease].readings)) is not None
        if listed_at - since >= CONFIRM_AFTER_S
    }
    if late:
        expired = Expired(leases=len(late), for_s=max(late.values()))
        yield _of_many(VerdictKind.OVERDUE, late, expired, Advice.FIND_FAILING_REVOKES)
    if ghosts:
        listed = ListedNotFound(leases=len(ghosts), for_s=max(ghosts.values()))
        yield _of_many(VerdictKind.GHOST_LEASE, ghosts, listed, Advice.COMPARE_LEASE_LISTS)


def _of_many(
    kind: VerdictKind, leases: Iterable[LeaseId], evidence: Evidence, remedy: Advice
) -> Verdict:
    return Verdict(
        kind=kind,
        severity=Severity.WARNING,
        confidence=Confidence.PROVEN,
        leases=tuple(sorted(leases)),
        evidence=(evidence,),
        remedy=remedy,
    )


def dangling_holder(case: LockCase) -> Verdict | None:
    """Return a verdict on a holder without its lease: its hold never ends."""
    return _dangling(case, of_holder=True)


def dangling_waiter(case: LockCase, _: Verdict) -> Verdict | None:
    """Return a verdict on a waiter without its lease: it would hold forever."""
    return _dangling(case, of_holder=False)


def _dangling(case: LockCase, *, of_holder: bool) -> Verdict | None:
    if case.dangling is None or (case.dangling.key is case.lock.holder) is not of_holder:
        return None
    evidence = KeyWithoutLease(for_s=case.dangling.for_s)
    return case.verdict(
        VerdictKind.DANGLING,
        Severity.CRITICAL if of_holder and case.lock.waiters else Severity.WARNING,
        [evidence, *case.hold_evidence(), *case.queue_evidence()],
        Advice.COMPARE_MEMBERS,
        key=case.dangling.key,
    )


def overdue(case: LockCase) -> Verdict | None:
    """Return a verdict if etcd does not end the holder's expired lease."""
    for_s = expired_for_s(case.trace.readings) if case.trace else None
    if for_s is None or case.is_released:
        return None
    return case.verdict(
        VerdictKind.OVERDUE,
        Severity.CRITICAL if case.lock.waiters else Severity.WARNING,
        [Expired(leases=1, for_s=for_s), *case.queue_evidence(), *case.hold_evidence()],
        Advice.FIND_FAILING_REVOKES_AND_REVOKE,
    )


def late_renewal(case: LockCase, _: Verdict) -> Verdict | None:
    """Return a verdict if late renewals might lose the lock while its holder works."""
    late_by = case.trace.late_by if case.trace else None
    granted_s = case.trace.granted_ttl_s if case.trace else None
    if late_by is None or granted_s is None or case.lock.kind is Kind.UNKNOWN:
        return None
    if late_by > granted_s * LATE_SHARE:
        return None
    evidence = [LateRenewal(late_by, granted_s), *case.renewal_evidence()]
    return case.verdict(VerdictKind.LATE_RENEWAL, Severity.WARNING, evidence, Advice.RENEW_EARLIER)


def long_ttl(case: LockCase, _: Verdict) -> Verdict | None:
    """Return a verdict if a crash of the holder would keep the lock for long."""
    granted_s = case.trace.granted_ttl_s if case.trace else None
    limit_s = case.thresholds.max_ttl_s
    if case.lock.kind is not Kind.LOCK or granted_s is None or granted_s <= limit_s:
        return None
    evidence = [LongTtl(granted_s, limit_s)]
    return case.verdict(VerdictKind.LONG_TTL, Severity.WARNING, evidence, Advice.SHORTEN_TTL)


def shared_lease(case: LockCase, _: Verdict) -> Verdict | None:
    """Return a verdict if revoking the holder's lease deletes keys outside the lock."""
    others = list(case.other_keys_evidence())
    if not others or case.is_released or case.lock.kind not in CONTENDED_FOR:
        return None
    return case.verdict(VerdictKind.SHARED_LEASE, Severity.OK, others, Advice.KEYS_GO_WITH_LEASE)
