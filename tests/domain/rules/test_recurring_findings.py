"""What stands since an earlier run, and what has ended."""

from __future__ import annotations

from dataclasses import replace

from lockdoctor.domain.evidence import Evidence
from lockdoctor.domain.evidence.age import SeenInEarlierRuns
from lockdoctor.domain.evidence.verdicts import Verdict, VerdictKind
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.model.locks import Hold, LockId, Recipe
from lockdoctor.domain.past.past import Past, PastFinding
from lockdoctor.domain.past.run_record import FindingSeen
from lockdoctor.domain.rules.recurring_findings import RecurringFindings, finding_seen
from tests.factories.reports import a_key, a_lock, a_lock_report, a_verdict

ORDERS = LockId(b"/my-lock/orders", Recipe.GO_MUTEX)
HOLD = a_key().hold


def a_trend(*findings: PastFinding) -> RecurringFindings:
    return RecurringFindings(Past(runs=3, findings=findings), now=1000.0)


def a_past_finding(
    kind: VerdictKind = VerdictKind.LEAKED_LOCK, hold: Hold | None = HOLD
) -> PastFinding:
    return PastFinding(kind=kind, lock=ORDERS, hold=hold, since_at=400.0, runs=2)


def of_sessions(*leases: int) -> PastFinding:
    kind, ids = VerdictKind.LEAKED_SESSION, tuple(map(LeaseId, leases))
    return PastFinding(kind=kind, lock=None, leases=ids, since_at=400.0, runs=2)


def a_leak_of(*leases: int) -> Verdict:
    verdict = a_verdict(VerdictKind.LEAKED_SESSION, leases=tuple(map(LeaseId, leases)))
    return replace(verdict, lock=None, key=None)


def evidence(*before: PastFinding) -> tuple[Evidence, ...]:
    """The evidence of a leak of orders in this run, with what the last one found."""
    report = a_lock_report(None, a_verdict(VerdictKind.LEAKED_LOCK))
    return a_trend(*before).with_durations(report).verdict.evidence


def test_a_finding_of_the_last_run_stands() -> None:
    """The same verdict on the same hold in the last run: it says for how many runs, since when."""
    assert SeenInEarlierRuns(runs=3, for_s=600.0, since_at=400.0) in evidence(a_past_finding())


def test_a_new_finding_has_not_stood() -> None:
    """Another verdict, another lock, or another hold of the lock is no standing finding."""
    bare = evidence()

    assert evidence(a_past_finding(VerdictKind.SUSPECTED_LEAK)) == bare
    assert evidence(a_past_finding(hold=Hold(HOLD.key, HOLD.create_revision - 1))) == bare
    assert evidence(a_past_finding(hold=None)) == bare


def test_a_leak_of_sessions_stands_while_it_names_some_of_them() -> None:
    """New sessions join it and others end; one of other sessions alone is another one."""
    told = a_trend(of_sessions(1, 2, 3)).with_duration(a_leak_of(3, 4))

    assert SeenInEarlierRuns(runs=3, for_s=600.0, since_at=400.0) in told.evidence
    assert a_trend(of_sessions(1, 2)).with_duration(a_leak_of(3, 4)) == a_leak_of(3, 4)


def test_a_finding_names_the_hold_that_it_is_about() -> None:
    """The holder or a waiter by its key and create revision; sessions by their leases."""
    lock = a_lock(waiters=2)
    waits = a_verdict(VerdictKind.BLOCKED_QUEUE, lock=lock, key=lock.waiters[0].key)

    assert finding_seen(waits, a_lock_report(lock, waits)) == FindingSeen(
        VerdictKind.BLOCKED_QUEUE, ORDERS, hold=lock.waiters[0].hold
    )
    assert finding_seen(a_leak_of(7), None) == FindingSeen(
        VerdictKind.LEAKED_SESSION, None, leases=(LeaseId(7),)
    )


def test_a_finding_whose_hold_ended_is_told() -> None:
    """What still stands has not ended, whatever its verdict; nor has what is found otherwise."""
    healthy = a_lock_report(None, a_verdict(VerdictKind.HEALTHY))
    worse = a_lock_report(None, a_verdict(VerdictKind.LEAKED_LOCK))
    trend = a_trend(a_past_finding(VerdictKind.SUSPECTED_LEAK), of_sessions(1))

    assert trend.gone([healthy], lambda _: True) == trend.past.findings
    assert trend.gone([healthy], lambda _: False) == ()
    assert trend.gone([worse], lambda _: True) == (of_sessions(1),)
