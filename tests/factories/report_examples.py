"""Reports, locks and verdicts that more than one test shows."""

from __future__ import annotations

import dataclasses
from datetime import date

from lockdoctor.domain.evidence.age import (
    EstimatedAge,
    Held,
)
from lockdoctor.domain.evidence.deadlock import (
    CheapestBreak,
    CycleEdge,
    HolderWaits,
    WaitCycle,
)
from lockdoctor.domain.evidence.keys import (
    ByDesign,
    NoLease,
)
from lockdoctor.domain.evidence.queue import (
    Blocks,
    GaveUp,
    HandedOver,
    NoHandOver,
    Waiters,
)
from lockdoctor.domain.evidence.remedies import Advice, WatchLonger
from lockdoctor.domain.evidence.renewals import (
    LeaseEnded,
    NotRenewed,
    Renewed,
    Unobservable,
)
from lockdoctor.domain.evidence.sessions import (
    AbandonedSessions,
    SessionsAlike,
    SessionsGrew,
)
from lockdoctor.domain.evidence.verdicts import (
    Accepted,
    Confidence,
    Severity,
    Verdict,
    VerdictKind,
)
from lockdoctor.domain.graph.blocking_tree import BlockedLock
from lockdoctor.domain.inference.hold_age import HoldAge
from lockdoctor.domain.inference.queue_activity import QueueActivity
from lockdoctor.domain.model.leases import LeaseId, LeaseNotFound, Reading
from lockdoctor.domain.model.locks import Kind, LockId, Recipe
from lockdoctor.domain.past.past import PastFinding
from lockdoctor.domain.report.findings import LockReport
from lockdoctor.domain.report.report import Report
from lockdoctor.domain.report.unseen import Part, Unseen
from tests.factories.reports import (
    NOON,
    a_key,
    a_lock,
    a_lock_report,
    a_report,
    a_session,
    a_trace,
    a_verdict,
    an_observation,
)

HOSTILE = (
    b"[red]bold[/red]",
    b"[link=http://x]y[/link]",
    b"\x1b[31mred\x1b]8;;http://x\x07",
    b"two\nlines\r\n\ttab",
    "abc\u202edcba\u2066".encode(),
    "zero\u200bwidth\ufeff\u00ad".encode(),
    "e\u0301\u034f\u3164\u2800".encode(),
    b"\xff\xfe\x80 not UTF-8 \xc3",
    b"\x85\xc2\x85\xc2\x9b31m",
    b"back\\slash\\x41",
    b" spaces at the ends ",
    b"$(reboot) `reboot` ; 'quoted' \"quoted\" !! -- ~ *",
    b"-starts-with-a-dash",
    "schön 日本語 🔒".encode(),
    b"\x00",
    b"n" * 10_000,
    bytes(range(1, 256)),
)
"""Names that try to get at the terminal, the shell or the layout."""


def a_leak(name: bytes = b"/my-lock/orders", waiters: int = 4) -> LockReport:
    """A lock that the mission's story leaves behind, on a first run."""
    lock = a_lock(name, waiters=waiters)
    estimate = EstimatedAge(12_000.0, 24_000, 2.0)
    verdict = a_verdict(
        VerdictKind.SUSPECTED_LEAK,
        lock=lock,
        confidence=Confidence.LIKELY,
        evidence=(
            Renewed(2, 42.0, 20.8),
            NoHandOver(45.2),
            Waiters(waiters, 45.2),
            GaveUp(2, 45.2),
            Held(45.2, None),
            estimate,
        ),
        remedy=Advice.STATE_LIMIT,
    )
    return a_lock_report(
        lock,
        verdict,
        age=HoldAge(at_least_s=45.2, estimate=estimate),
        activity=QueueActivity(watched_s=45.2, gave_up=2),
    )


def a_proven_leak() -> LockReport:
    """A lock known to be leaked, with four waiters."""
    lock = a_lock(waiters=4)
    evidence = (Held(4000.0, 5000.0), Renewed(3, 45.2, 20.4), NoHandOver(45.2), Waiters(4, 45.2))
    return a_lock_report(
        lock,
        a_verdict(lock=lock, evidence=evidence),
        age=HoldAge(at_least_s=4000.0, at_most_s=5000.0),
    )


def accepted(verdict: Verdict) -> Verdict:
    """The same, known and lived with."""
    why = Accepted(date(2026, 3, 31), "the importer is rewritten in March [bold]\x1b[31m")
    return dataclasses.replace(verdict, accepted=why)


def an_accepted_leak() -> LockReport:
    """A proven leak that somebody lives with for a while."""
    leak = a_proven_leak()
    return dataclasses.replace(leak, verdicts=tuple(map(accepted, leak.verdicts)))


def an_eternal_lock(name: bytes = b"/my-lock/old") -> LockReport:
    """A key that nothing will ever delete."""
    lock = a_lock(name, holder=a_key(name, lease_id=0), recipe=Recipe.UNLEASED_KEY)
    evidence = (NoLease(in_lock_shape=True), Held(45.2, None))
    return a_lock_report(lock, a_verdict(VerdictKind.ETERNAL_LOCK, lock=lock, evidence=evidence))


def a_healthy_lock(name: bytes = b"/my-lock/fine", lease_id: int = 0x77) -> LockReport:
    """A lock that was released while we watched."""
    lock = a_lock(name, holder=a_key(lock=name, lease_id=lease_id))
    return a_lock_report(
        lock,
        a_verdict(VerdictKind.HEALTHY, lock=lock, evidence=(HandedOver(3, 45.2),)),
        age=HoldAge(at_least_s=0.0, at_most_s=45.2, estimate=EstimatedAge(0.5, 1, 2.0)),
        activity=QueueActivity(watched_s=45.2, releases=3, hand_overs=3, arrivals=3),
    )


def a_passing_lock(name: bytes = b"/my-lock/brief") -> LockReport:
    """A lock that was taken and given back while we watched, and stood neither before nor after."""
    lock = dataclasses.replace(a_lock(name), holder=None)
    report = a_lock_report(
        lock,
        a_verdict(VerdictKind.HEALTHY, lock=lock, evidence=(HandedOver(1, 45.2),)),
        activity=QueueActivity(watched_s=45.2, releases=1, arrivals=3, gave_up=2),
    )
    return dataclasses.replace(report, age=None, traces={})


def a_freed_lock(name: bytes = b"/my-lock/crashed") -> LockReport:
    """A lock whose holder has crashed, and whose lease has ended before our eyes."""
    lock = a_lock(name, holder=a_key(lock=name, lease_id=0x7A))
    gone = LeaseNotFound(
        lease_id=LeaseId(0x7A), asked_at=NOON + 40, answered_at=NOON + 40, raft_term=2
    )
    readings: list[Reading] = [an_observation(lease_id=0x7A, remaining_ttl_s=30), gone]
    evidence = (NotRenewed(29.0, 31.0, 60), LeaseEnded())
    report = a_lock_report(
        lock,
        a_verdict(VerdictKind.EXPIRING, lock=lock, evidence=evidence),
        trace=a_trace(readings=readings, lease_id=0x7A),
        activity=QueueActivity(watched_s=45.2, releases=1),
    )
    return dataclasses.replace(report, age=None)


def an_election() -> LockReport:
    """A key kept by design."""
    name = b"/my-lock/leader"
    holder = a_key(lock=name, lease_id=0x78)
    lock = a_lock(name, holder=holder, recipe=Recipe.GO_ELECTION, kind=Kind.ELECTION)
    return a_lock_report(
        lock, a_verdict(VerdictKind.HEALTHY, lock=lock, evidence=(ByDesign("election"),))
    )


def a_mentioned_hold(name: bytes = b"/my-lock/backup", held_s: float = 340.0) -> LockReport:
    """A hold of which a check says its age, because it is long and no limit is stated."""
    lock = a_lock(name)
    verdict = a_verdict(
        VerdictKind.SUSPECTED_LEAK,
        lock=lock,
        severity=Severity.OK,
        confidence=Confidence.POSSIBLE,
    )
    return a_lock_report(lock, verdict, age=HoldAge(at_least_s=held_s))


def an_undetermined_lock() -> LockReport:
    """A lock of a TTL too long for the window."""
    lock = a_lock(b"/my-lock/slow", holder=a_key(lock=b"/my-lock/slow", lease_id=0x79))
    verdict = a_verdict(
        VerdictKind.UNDETERMINED,
        lock=lock,
        confidence=Confidence.UNDETERMINED,
        evidence=(Unobservable(602.0, 900),),
        remedy=WatchLonger(602),
    )
    trace = a_trace((0.0, 880), lease_id=0x79, granted_ttl_s=900)
    return a_lock_report(lock, verdict, trace=trace, activity=QueueActivity())


def leaked_sessions(count: int = 5) -> Verdict:
    """The verdict on a number of keyless leases that grows."""
    leases = tuple(LeaseId(0x32698F1C0A1B2C00 + number) for number in range(count))
    grew = SessionsGrew(0, count, 45.2, 3, new=count, ended=0, over_runs=False)
    verdict = a_verdict(
        VerdictKind.LEAKED_SESSION,
        confidence=Confidence.LIKELY,
        evidence=(grew, AbandonedSessions(count)),
        leases=leases,
    )
    return dataclasses.replace(verdict, lock=None, key=None)


def a_deadlock(first: bytes = b"/my-lock/a", second: bytes = b"/my-lock/b") -> Report:
    """Two locks whose holders wait for one another, and a third one that is stuck behind them."""
    ring = (
        CycleEdge(LeaseId(0xB2), first, LeaseId(0xB1), is_holder=True),
        CycleEdge(LeaseId(0xB1), second, LeaseId(0xB2), is_holder=True),
    )
    locks = [
        a_lock(name, holder=a_key(lock=name, lease_id=lease), waiters=1)
        for name, lease in ((first, 0xB1), (second, 0xB2), (b"/my-lock/c", 0xB3))
    ]
    deadlock = a_verdict(
        VerdictKind.DEADLOCK,
        lock=locks[0],
        severity=Severity.CRITICAL,
        leases=(LeaseId(0xB1), LeaseId(0xB2)),
        evidence=(WaitCycle(ring, 2, 45.2), CheapestBreak(LeaseId(0xB1), 2, 1), Blocks(3, 1)),
        remedy=Advice.END_NAMED_SESSION,
    )
    stuck = a_verdict(
        VerdictKind.SUSPECTED_LEAK,
        lock=locks[2],
        confidence=Confidence.POSSIBLE,
        evidence=(Renewed(2, 42.0, 20.8), Waiters(1, 45.2), HolderWaits(second)),
        remedy=Advice.FREE_OTHER_LOCK_FIRST,
    )
    rows = [(0, None, 3), (1, locks[0].id, None), (2, locks[1].id, None)]
    return a_report(
        *(
            a_lock_report(lock, verdict)
            for lock, verdict in zip(locks, (deadlock, deadlock, stuck), strict=True)
        ),
        blocking=tuple(
            BlockedLock(
                lock=lock.id,
                level=level,
                behind=behind,
                session=lock.holder.lease_id if lock.holder else None,
                waiters=1,
                blocks=blocks,
            )
            for lock, (level, behind, blocks) in zip(locks, rows, strict=True)
        ),
    )


def everything() -> Report:
    """A report with something in every section."""
    return a_report(
        a_leak(),
        an_eternal_lock(b"/my-lock/[red]old[/red]\x1b[31m"),
        a_freed_lock(),
        a_passing_lock(),
        a_healthy_lock(),
        an_election(),
        an_undetermined_lock(),
        sessions=tuple(map(a_session, range(0x51, 0x54))),
        session_groups=(
            SessionsAlike(2, "8e9e05c52164694d", "694d", 60, 20.4, NOON),
            SessionsAlike(1, None, None, 30, None, None),
        ),
        session_verdicts=(leaked_sessions(),),
        unseen=(
            Unseen(what=Part.LEASE_LIST, count=None, why="etcdserver: permission denied"),
            Unseen(what=Part.LEASES, count=3, why="the time is over"),
        ),
        notes=("The leader changed once.",),
    )


def a_later_run() -> Report:
    """A report of one more run, with an accepted finding and two that are gone."""
    return a_report(
        an_accepted_leak(),
        a_healthy_lock(),
        past_runs=12,
        gone=(
            PastFinding(
                kind=VerdictKind.LEAKED_LOCK,
                lock=LockId(b"/my-lock/[red]mail[/red]", Recipe.GO_MUTEX),
                since_at=NOON - 3600.0,
                runs=12,
            ),
            PastFinding(kind=VerdictKind.LEAKED_SESSION, lock=None, since_at=NOON, runs=1),
        ),
    )
