"""Verdicts on one lock: leaked, suspected, eternal, healthy, undetermined."""

from __future__ import annotations

import math

from lockdoctor.domain.evidence import Evidence
from lockdoctor.domain.evidence.age import WithinLimit
from lockdoctor.domain.evidence.keys import ByDesign, NoLease, QueueCut, Rewritten, UnknownRecipe
from lockdoctor.domain.evidence.queue import HandedOver, NoHandOver
from lockdoctor.domain.evidence.remedies import Advice, Remedy, WatchLonger
from lockdoctor.domain.evidence.renewals import LeaseEnded, ReadFailed, Unobservable
from lockdoctor.domain.evidence.verdicts import Confidence, Severity, Verdict, VerdictKind
from lockdoctor.domain.inference.lookup_schedule import is_overdue
from lockdoctor.domain.model.locks import CONTENDED_FOR, Kind
from lockdoctor.domain.rules.leak_score import leak_score
from lockdoctor.domain.rules.lock_case import LockCase
from lockdoctor.domain.rules.session_rules import not_renewed

BY_DESIGN = frozenset({Kind.ELECTION, Kind.REGISTRATION})
"""Held as long as the process lives; for these, age alone proves no leak."""

CONVINCING_RENEWALS = 2
"""The minimum renewals of a hold, in this run, to suspect it without a proven age."""


def eternal_lock(case: LockCase) -> Verdict | None:
    """Return a verdict if a key of a lock or an election has no lease."""
    lock = case.lock
    bare = next((key for key in lock.keys if not key.has_lease), None)
    if bare is None or lock.kind not in CONTENDED_FOR or not lock.queue_is_whole:
        return None
    may_be_data = lock.may_be_data(bare)
    # Candidates of an election might have no keys: they are kept out nevertheless.
    blocks = bare is lock.holder and (lock.waiters or lock.kind is Kind.ELECTION)
    return case.verdict(
        VerdictKind.ETERNAL_LOCK,
        Severity.CRITICAL if blocks else Severity.WARNING,
        [NoLease(in_lock_shape=not may_be_data), *case.hold_evidence(), *case.queue_evidence()],
        Advice.FIND_PURPOSE_OF_KEY if may_be_data else Advice.DELETE_KEY,
        key=bare,
    )


def leaked_lock(case: LockCase) -> Verdict | None:
    """Return a verdict if a renewed hold has lasted longer than the stated limit."""
    limit_s = case.thresholds.stated_limit_s
    if not (case.is_judged_by_age and case.is_renewed and case.age and case.renewals_of_hold):
        return None
    if limit_s is None or case.age.at_least_s < limit_s:
        return None
    critical_s = case.thresholds.critical_hold_s
    is_past_critical = critical_s is not None and case.age.at_least_s >= critical_s
    return case.verdict(
        VerdictKind.LEAKED_LOCK,
        Severity.CRITICAL if case.is_blocking or is_past_critical else Severity.WARNING,
        [
            *case.hold_evidence(),
            *case.renewal_evidence(),
            NoHandOver(case.age.at_least_s),
            *case.queue_evidence(),
            *case.abandoned_key_evidence(),
            *case.other_keys_evidence(),
        ],
        Advice.FREE_AND_FIX,
    )


def suspected_leak(case: LockCase) -> Verdict | None:
    """
    Return a verdict on a renewed hold that is not proven to exceed a stated limit.

    A health check mentions only old holds, and alarms only where a leak is likely. Where a limit is
    stated it leaves the verdict to its next run, which will have the proof.
    """
    if case.is_new_hold or not (case.is_judged_by_age and case.is_renewed and case.age):
        return None
    is_stated, suspects = case.thresholds.stated_limit_s is not None, case.thresholds.suspects
    if not suspects and (is_stated or case.age.at_least_s < case.thresholds.limit_s):
        return None
    if case.renewals_of_hold < (1 if is_stated else CONVINCING_RENEWALS):
        return None
    score = leak_score(case)
    is_likely = score.points >= score.needed
    if is_stated and (case.is_within_limit or not is_likely):
        return None
    return case.verdict(
        VerdictKind.SUSPECTED_LEAK,
        Severity.WARNING if suspects or is_likely else Severity.OK,
        [
            *case.renewal_evidence(),
            NoHandOver(case.age.at_least_s),
            *case.queue_evidence(),
            *case.hold_evidence(),
            *([case.age.estimate] if case.age.estimate else []),
            *([score] if score.weights else []),
            *case.abandoned_key_evidence(),
            *case.other_keys_evidence(),
        ],
        Advice.STATE_LIMIT,
        confidence=Confidence.LIKELY if is_likely else Confidence.POSSIBLE,
    )


def expiring(case: LockCase) -> Verdict | None:
    """Return a verdict if the holder's lease counts down: etcd will free the lock."""
    trace = case.trace
    if trace is None or trace.last is None or case.is_new_hold:
        return None
    evidence: list[Evidence] = [not_renewed(trace, trace.last.granted_ttl_s)]
    confidence, remedy = Confidence.LIKELY, Advice.NOTHING_TO_DO_UNLESS_RENEWED
    if trace.is_gone and case.is_released and not trace.ended_early:
        confidence, remedy = Confidence.PROVEN, Advice.NOTHING_TO_DO_LOCK_FREED
        evidence += [LeaseEnded(), *case.renewal_evidence()]
    elif trace.is_gone or case.is_released or not is_overdue(trace):
        return None
    else:
        evidence += [*case.renewal_evidence(), *case.queue_evidence()]
    evidence += case.leader_change_evidence()
    return case.verdict(VerdictKind.EXPIRING, Severity.OK, evidence, remedy, confidence=confidence)


def healthy(case: LockCase) -> Verdict | None:
    """Return a verdict if the lock was released, is within its limit, or is by design."""
    evidence = _health(case)
    if evidence is None:
        return None
    return case.verdict(VerdictKind.HEALTHY, Severity.OK, evidence, Advice.NOTHING)


def _health(case: LockCase) -> list[Evidence] | None:
    """Return the evidence that proves the lock healthy, or None."""
    if case.is_released or (case.is_new_hold and case.lock.queue_is_whole):
        evidence = [*case.release_evidence(), *case.leader_change_evidence()]
        return evidence or [HandedOver(1, case.activity.watched_s)]
    if case.lock.kind in BY_DESIGN:
        by_design = ByDesign(case.lock.kind.value)
        if case.is_renewed:
            return [by_design, *case.renewal_evidence(), *case.leader_change_evidence()]
        if case.rewrites:
            return [by_design, Rewritten(case.rewrites, case.age.at_least_s if case.age else 0)]
    # Only a stated limit decides what is right for this lock.
    limit_s = case.thresholds.stated_limit_s
    if case.is_judged_by_age and limit_s is not None and case.is_within_limit:
        return [WithinLimit(limit_s), *case.hold_evidence(), *case.renewal_evidence()]
    return None


def undetermined(case: LockCase) -> Verdict:
    """Return the verdict that the evidence does not suffice, and what would decide."""
    evidence, remedy = _what_is_missing(case)
    return case.verdict(
        VerdictKind.UNDETERMINED,
        Severity.OK,
        [*evidence, *case.renewal_evidence(), *case.queue_evidence(), *case.hold_evidence()],
        remedy,
        confidence=Confidence.UNDETERMINED,
    )


def _what_is_missing(case: LockCase) -> tuple[list[Evidence], Remedy]:
    """Return why the lock is undetermined, and what would decide."""
    lock = case.lock
    is_bare = lock.holder is not None and not lock.holder.has_lease
    if lock.kind is Kind.UNKNOWN:
        return [NoLease(in_lock_shape=False) if is_bare else UnknownRecipe()], Advice.STATE_KIND
    if not lock.queue_is_whole:
        return [QueueCut()], Advice.SCAN_WHOLE_LOCK
    if is_bare:
        return [NoLease(in_lock_shape=True)], Advice.FIND_SERVICE
    if case.trace is None or case.unread is not None:
        why = case.unread or "the run ended before it was read"
        return [ReadFailed(reason=why)], Advice.ALLOW_READING
    if case.trace.is_gone:
        return [LeaseEnded()], Advice.SCAN_AGAIN_KEY_ENDS
    if case.is_renewed and not case.is_judged_by_age:
        return [], Advice.FIND_PURPOSE_OF_BLOCKING_KEY
    if case.is_renewed and case.thresholds.stated_limit_s is not None:
        return [], Advice.SCAN_AGAIN_PAST_LIMIT
    if case.is_renewed and not case.thresholds.suspects:
        return [], Advice.NOTHING_TO_DO_YOUNG
    if case.trace.unconfirmed:
        return [*case.leader_change_evidence()], Advice.SCAN_AGAIN_STEADY_LEADER
    missing = Unobservable(case.needed_window_s, granted_s=case.trace.granted_ttl_s or 0)
    return [missing], WatchLonger(math.ceil(case.needed_window_s))


def blocked_queue(case: LockCase, state: Verdict) -> Verdict | None:
    """Return a verdict if a waiter has waited too long, but its holder is not judged."""
    if case.lock.kind is not Kind.LOCK or state.is_finding or not case.lock.waiters:
        return None
    if case.longest_wait_s < case.thresholds.max_wait_s:
        return None
    return case.verdict(
        VerdictKind.BLOCKED_QUEUE,
        Severity.WARNING,
        [*case.queue_evidence(), *case.release_evidence(), *case.hold_evidence()],
        Advice.ASK_HOLDER,
        key=case.lock.waiters[0],
    )
