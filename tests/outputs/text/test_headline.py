"""The sentence that is read first."""

from __future__ import annotations

import dataclasses

import pytest

from lockdoctor.domain.evidence.age import Held, SeenInEarlierRuns
from lockdoctor.domain.evidence.queue import NoHandOver, Waiters
from lockdoctor.domain.evidence.renewals import Renewed
from lockdoctor.domain.evidence.verdicts import Confidence, Severity, Verdict, VerdictKind
from lockdoctor.domain.report.findings import LockReport
from lockdoctor.domain.report.report import HISTORY, Report, Unseen
from lockdoctor.outputs.text.headline import NOUNS, headline
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

NO_HISTORY = Unseen(what=HISTORY, count=None, why="it is read-only", is_failure=True)
NO_LIST = Unseen(what="list of leases", count=None, why="etcdserver: permission denied")


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


@pytest.mark.parametrize(
    ("report", "text"),
    [
        (
            a_report(a_proven_leak()),
            (
                "1 leaked lock blocks 4 waiters: /my-lock/orders, lease"
                " 32698f1c0a1b2c3d, held at least"
                " 1 h 6 min, at most 1 h 24 min, renewed at least 3 times in 45 s, never released"
            ),
        ),
        (
            a_report(a_leak()),
            (
                "1 likely leaked lock blocks 4 waiters: /my-lock/orders, lease 32698f1c0a1b2c3d,"
                " renewed at least twice in 42 s, never released, 2 gave up waiting, held at least"
                " 45 s"
            ),
        ),
        (
            a_report(a_leak(b"/a", 1), a_leak(b"/b", 3), an_eternal_lock(), _late(b"/c")),
            (
                "2 likely leaked locks block 4 waiters, the worst: /b, lease"
                " 32698f1c0a1b2c3d, renewed"
                " at least twice in 42 s, never released, 2 gave up waiting, held at least 45 s;"
                " also 1 lock without a lease and 1 lock renewed late"
            ),
        ),
        (
            a_report(an_eternal_lock(), an_undetermined_lock()),
            (
                "1 lock without a lease: /my-lock/old, never expires, held at least 45 s; 1"
                " lock could not be judged"
            ),
        ),
        (
            a_report(a_mentioned_hold(), a_healthy_lock()),
            (
                "No leak proven: 2 locks held, /my-lock/backup for at least 5 min 40 s"
                " (no limit stated)"
            ),
        ),
        (
            a_report(
                a_mentioned_hold(),
                a_mentioned_hold(b"/my-lock/old", 7200.0),
                an_undetermined_lock(),
            ),
            (
                "No leak proven: 3 locks held, 2 of them for long, the oldest /my-lock/old for at"
                " least 2 h (no limit stated); 1 lock could not be judged"
            ),
        ),
        (
            a_report(session_verdicts=(leaked_sessions(40),)),
            "1 likely leak of sessions: 40 new leases without keys in 45 s",
        ),
        (
            a_report(an_eternal_lock()),
            "1 lock without a lease: /my-lock/old, never expires, held at least 45 s",
        ),
        (
            a_report(a_leak(b"/a", 1), a_leak(b"/b", 3), session_verdicts=(_pile_up(),)),
            (
                "1 likely pile-up of sessions: 40 new leases without keys in 45 s; also 2"
                " likely leaked locks that block 4 waiters (the worst: /b)"
            ),
        ),
        (
            a_report(a_leak(), session_verdicts=(_pile_up(),)),
            (
                "1 likely pile-up of sessions: 40 new leases without keys in 45 s; also 1"
                " likely leaked lock that blocks 4 waiters (/my-lock/orders)"
            ),
        ),
        (
            a_deadlock(),
            (
                "1 deadlock blocks 3 waiters: /my-lock/a and /my-lock/b, 2 sessions wait for one"
                " another; also 1 possibly leaked lock that blocks 1 waiter (/my-lock/c)"
            ),
        ),
        (
            a_report(_blocked_queue()),
            (
                "1 blocked queue: /my-lock/orders, 4 waiters, the longest wait at least 6 min 40 s,"
                " held at least 7 min"
            ),
        ),
        (
            a_report(_seen_by_earlier_runs()),
            (
                "1 leaked lock blocks 4 waiters: /my-lock/orders, lease 32698f1c0a1b2c3d, held at"
                " least 3 h 20 min, at most 3 h 25 min, renewed at least 61 times in 1 h 5 min,"
                " never released, found 3 runs in a row, since 2026-01-01 12:00 UTC"
            ),
        ),
        (
            a_report(an_eternal_lock(), an_accepted_leak()),
            (
                "1 lock without a lease: /my-lock/old, never expires, held at least 45 s;"
                " 1 accepted finding"
            ),
        ),
        (
            a_report(a_healthy_lock(), an_accepted_leak()),
            (
                "Nothing found that is not accepted: 2 locks examined, 1 healthy and 1 accepted"
                " finding"
            ),
        ),
        (
            a_report(an_undetermined_lock(), an_accepted_leak()),
            "Nothing found that is not accepted, but 1 lock of 2 could not be judged",
        ),
        (
            a_report(session_verdicts=(accepted(leaked_sessions()),)),
            "Nothing found that is not accepted: 0 locks examined, 1 accepted finding",
        ),
        (
            a_report(a_healthy_lock(), unseen=(NO_HISTORY,)),
            "No leaked locks: 1 lock examined, 1 healthy",
        ),
        (
            a_report(a_healthy_lock(), an_election()),
            "No leaked locks: 2 locks examined, 2 healthy",
        ),
        (
            a_report(a_healthy_lock(), unseen=(NO_LIST,)),
            "No leaked locks: 1 lock examined, 1 healthy, but not everything could be seen",
        ),
        (
            a_report(a_healthy_lock(), an_undetermined_lock()),
            "No leak found, but 1 lock of 2 could not be judged",
        ),
        (
            a_report(an_undetermined_lock(), unseen=(NO_LIST,)),
            "No leak found, but 1 lock of 1 could not be judged, and not everything could be seen",
        ),
        (a_report(), "No locks found"),
        (a_report(unseen=(NO_LIST,)), "No locks found, but not everything could be seen"),
        (
            a_report(a_healthy_lock(), interrupted="ended by SIGINT"),
            "Incomplete (ended by SIGINT): No leaked locks: 1 lock examined, 1 healthy",
        ),
    ],
)
def test_the_headline(report: Report, text: str) -> None:
    """What is wrong, how bad, since when, or that nothing is, and what is not known."""
    assert headline(report) == text


def test_doubt_is_spoken() -> None:
    """A possible leak is not called a leak."""
    lock = a_lock()
    verdict = a_verdict(VerdictKind.SUSPECTED_LEAK, lock=lock, confidence=Confidence.POSSIBLE)

    text = headline(a_report(a_lock_report(lock, verdict)))

    assert text.startswith("1 possibly leaked lock: ")


def test_a_hostile_name_is_short_and_visible() -> None:
    """Ten thousand bytes and an escape sequence fit into the sentence."""
    text = headline(a_report(a_leak(b"\x1b[31m\n" + b"n" * 10_000)))

    assert text.isprintable()
    assert len(text) < 300


def test_every_verdict_has_a_noun() -> None:
    """Whoever adds a verdict says what it is called."""
    assert set(NOUNS) == set(VerdictKind)
