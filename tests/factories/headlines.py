"""A report for each form that a headline has."""

from __future__ import annotations

import dataclasses

from lockdoctor.domain.evidence.age import Held, SeenInEarlierRuns
from lockdoctor.domain.evidence.queue import NoHandOver, Waiters
from lockdoctor.domain.evidence.renewals import Renewed
from lockdoctor.domain.evidence.verdicts import Severity, Verdict, VerdictKind
from lockdoctor.domain.report.findings import LockReport
from lockdoctor.domain.report.report import Report
from lockdoctor.domain.report.unseen import Part, Unseen
from tests.factories.report_examples import (
    a_deadlock,
    a_healthy_lock,
    a_leak,
    a_mentioned_hold,
    a_proven_leak,
    accepted,
    an_accepted_leak,
    an_election,
    an_eternal_lock,
    an_undetermined_lock,
    leaked_sessions,
)
from tests.factories.reports import NOON, a_lock, a_lock_report, a_report, a_verdict

NO_HISTORY = Unseen(what=Part.HISTORY, count=None, why="it is read-only", is_failure=True)
NO_LIST = Unseen(what=Part.LEASE_LIST, count=None, why="etcdserver: permission denied")


def _late(name: bytes) -> LockReport:
    lock = a_lock(name)
    return a_lock_report(lock, a_verdict(VerdictKind.LATE_RENEWAL, lock=lock, evidence=()))


def _pile_up() -> Verdict:
    return dataclasses.replace(
        leaked_sessions(40), kind=VerdictKind.SESSION_PILE_UP, severity=Severity.CRITICAL
    )


def _blocked_queue() -> LockReport:
    lock = a_lock(waiters=4)
    first = lock.waiters[0]
    verdict = a_verdict(
        VerdictKind.BLOCKED_QUEUE,
        lock=lock,
        key=first.key,
        leases=(first.lease_id,),
        evidence=(Waiters(4, 400.0), Held(420.0, None)),
    )
    return a_lock_report(lock, verdict)


def _seen_by_earlier_runs() -> LockReport:
    lock = a_lock(waiters=4)
    evidence = (
        Held(12_000.0, 12_300.0),
        Renewed(61, 3_900.0, 64.0),
        NoHandOver(12_000.0),
        Waiters(4, 12_000.0),
        SeenInEarlierRuns(3, 900.0, NOON),
    )
    return a_lock_report(lock, a_verdict(lock=lock, evidence=evidence))


HEADLINES: dict[str, Report] = {
    "a proven leak": a_report(a_proven_leak()),
    "a likely leak": a_report(a_leak()),
    "several kinds of findings": a_report(
        a_leak(b"/a", 1), a_leak(b"/b", 3), an_eternal_lock(), _late(b"/c")
    ),
    "a finding, and a lock that could not be judged": a_report(
        an_eternal_lock(), an_undetermined_lock()
    ),
    "a long hold without a stated limit": a_report(a_mentioned_hold(), a_healthy_lock()),
    "two long holds without a stated limit": a_report(
        a_mentioned_hold(),
        a_mentioned_hold(b"/my-lock/old", 7200.0),
        an_undetermined_lock(),
    ),
    "leaked sessions": a_report(session_verdicts=(leaked_sessions(40),)),
    "a lock without a lease": a_report(an_eternal_lock()),
    "a pile-up of sessions, and leaks": a_report(
        a_leak(b"/a", 1), a_leak(b"/b", 3), session_verdicts=(_pile_up(),)
    ),
    "a pile-up of sessions, and one leak": a_report(a_leak(), session_verdicts=(_pile_up(),)),
    "a deadlock": a_deadlock(),
    "a blocked queue": a_report(_blocked_queue()),
    "a leak that earlier runs found, too": a_report(_seen_by_earlier_runs()),
    "a finding, and an accepted one": a_report(an_eternal_lock(), an_accepted_leak()),
    "an accepted finding alone": a_report(a_healthy_lock(), an_accepted_leak()),
    "an accepted finding, and a lock that could not be judged": a_report(
        an_undetermined_lock(), an_accepted_leak()
    ),
    "an accepted finding of sessions": a_report(session_verdicts=(accepted(leaked_sessions()),)),
    "nothing found, the history not written": a_report(a_healthy_lock(), unseen=(NO_HISTORY,)),
    "nothing found": a_report(a_healthy_lock(), an_election()),
    "nothing found, the list of leases denied": a_report(a_healthy_lock(), unseen=(NO_LIST,)),
    "a lock that could not be judged": a_report(a_healthy_lock(), an_undetermined_lock()),
    "a lock that could not be judged, the list of leases denied": a_report(
        an_undetermined_lock(), unseen=(NO_LIST,)
    ),
    "no locks": a_report(),
    "no locks, the list of leases denied": a_report(unseen=(NO_LIST,)),
    "a run that ended early": a_report(a_healthy_lock(), interrupted="ended by SIGINT"),
}
