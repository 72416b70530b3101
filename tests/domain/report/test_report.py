"""What a report counts, and in which order it lists."""

from __future__ import annotations

from lockdoctor.domain.evidence.verdicts import Confidence, Severity, VerdictKind
from tests.factories.reports import a_key, a_lock, a_lock_report, a_report, a_session, a_verdict

KIND = VerdictKind


def test_findings_that_block_somebody_come_first_within_their_severity() -> None:
    """A CRITICAL finding leads; then what blocks waiters, before kind and confidence."""
    quiet = a_lock_report(a_lock(b"/a"), a_verdict(KIND.LEAKED_LOCK, lock=a_lock(b"/a")))
    crowd = a_lock(b"/b", waiters=2)
    blocking = a_lock_report(crowd, a_verdict(KIND.SUSPECTED_LEAK, lock=crowd))
    grave = a_lock(b"/c")
    critical = a_lock_report(
        grave, a_verdict(KIND.LONG_TTL, lock=grave, severity=Severity.CRITICAL)
    )

    found = a_report(quiet, blocking, critical).findings

    assert [verdict.lock.name for verdict in found if verdict.lock] == [b"/c", b"/b", b"/a"]


def test_groups_hold_findings_of_one_kind_and_confidence() -> None:
    """Likely and possible suspicions are told apart."""
    verdicts = [
        a_verdict(KIND.SUSPECTED_LEAK, confidence=sure)
        for sure in (Confidence.LIKELY, Confidence.POSSIBLE, Confidence.LIKELY)
    ]
    groups = a_report(*(a_lock_report(a_lock(), verdict) for verdict in verdicts)).finding_groups

    assert [[finding.verdict.confidence for finding in group] for group in groups] == [
        [Confidence.LIKELY, Confidence.LIKELY],
        [Confidence.POSSIBLE],
    ]


def test_a_finding_blocks_those_behind_its_key() -> None:
    """The holder blocks all waiters, a waiter those behind it, an unknown key nobody."""
    lock = a_lock(waiters=3)
    about = {
        None: 0,
        b"/elsewhere": 0,
        lock.keys[0].key: 3,
        lock.waiters[0].key: 2,
    }
    for key, blocked in about.items():
        report = a_lock_report(lock, a_verdict(lock=lock, key=key))

        assert a_report(report).located_findings[0].blocks == blocked


def test_a_lock_that_was_not_judged_counts_even_beside_a_finding() -> None:
    """A long TTL does not hide that the state is undetermined."""
    lock = a_lock()
    report = a_lock_report(
        lock, a_verdict(KIND.LONG_TTL, lock=lock), a_verdict(KIND.UNDETERMINED, lock=lock)
    )

    assert a_report(report).undetermined == (report,)


def test_locks_and_sessions_are_counted_by_prefix_and_verdict() -> None:
    """Each prefix of the command line has its own locks; sessions count by their verdict."""
    here = a_lock_report(prefix=b"/a/")
    there = a_lock_report(a_lock(b"/b/x", holder=a_key(b"/b/x/1")), prefix=b"/b/")
    report = a_report(here, there, sessions=(a_session(1), a_session(2, KIND.EXPIRING)))

    assert report.locks_of(b"/b/") == (there,)
    assert report.session_counts == {KIND.IDLE_SESSION: 1, KIND.EXPIRING: 1}
