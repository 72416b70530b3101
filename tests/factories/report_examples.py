"""One example of every kind of evidence, and reports that more than one test shows."""

from __future__ import annotations

import dataclasses
from datetime import date

from lockdoctor.domain.evidence import Evidence
from lockdoctor.domain.evidence.age import (
    ClaimedAge,
    EstimatedAge,
    Forecast,
    Held,
    SeenInEarlierRuns,
    WithinLimit,
)
from lockdoctor.domain.evidence.deadlock import (
    CheapestBreak,
    CycleEdge,
    HolderWaits,
    NoSingleBreak,
    WaitCycle,
)
from lockdoctor.domain.evidence.keys import (
    ByDesign,
    ForeignHolder,
    Keyless,
    NoLease,
    OtherKeys,
    QueueCut,
    Rewritten,
    UnknownRecipe,
)
from lockdoctor.domain.evidence.leak_score import IndicatorScore, LeakIndicator, LeakScore
from lockdoctor.domain.evidence.queue import (
    Blocks,
    GaveUp,
    HandedOver,
    NoHandOver,
    PossibleAbandonedKey,
    Waiters,
)
from lockdoctor.domain.evidence.remedies import Advice, WatchLonger
from lockdoctor.domain.evidence.renewals import (
    Expired,
    KeyWithoutLease,
    LateRenewal,
    LeaderChanged,
    LeaseEnded,
    ListedNotFound,
    LongTtl,
    NotRenewed,
    ReadFailed,
    Renewed,
    Unobservable,
)
from lockdoctor.domain.evidence.sessions import (
    AbandonedSessions,
    SessionsAlike,
    SessionsGrew,
    SessionsIdle,
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
from lockdoctor.domain.report.report import Report, Unseen
from tests.factories.processes import WITNESS_EVIDENCE
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

RING = (
    CycleEdge(LeaseId(0xA2), b"/my-lock/a", LeaseId(0xA1), is_holder=True),
    CycleEdge(LeaseId(0xA1), b"/my-lock/b", LeaseId(0xA2), is_holder=True),
)

EVIDENCE: tuple[tuple[Evidence, str], ...] = (
    (
        Renewed(3, 45.2, 20.4),
        "A client renewed the lease at least 3 times in 45 s, on average every 21 s or more often.",
    ),
    (Renewed(1, 25.0, None), "A client renewed the lease at least once in 25 s."),
    (Held(45.9, None), "The hold has stood for at least 45 s; nothing proves yet since when."),
    (Held(3600, 7200), "The hold has stood for at least 1 h, at most 2 h."),
    (Held(0, None), "It was seen once only, which proves nothing of how long it is held."),
    (Held(0, 45.2), "The hold is at most 46 s old."),
    (
        EstimatedAge(12_000.0, 24_000, 2.0),
        (
            "An estimate, not a proof: it is about 3 h 20 min old if the cluster"
            " always wrote as fast"
            " as now (24,000 revisions since, 2 a second)."
        ),
    ),
    (
        LeakScore(
            4,
            3,
            (IndicatorScore(LeakIndicator.GAVE_UP, 3), IndicatorScore(LeakIndicator.WAITED, 1)),
        ),
        (
            "Signs of a leak: attempts waited for it and gave up (+3); others wait (+1). A leak is"
            " likely from 3 points on; these make 4."
        ),
    ),
    (
        LeakScore(-2, 3, (IndicatorScore(LeakIndicator.LOOKS_YOUNG, -2),)),
        (
            "Signs against a leak: its key looks young (-2). A leak is likely from 3 points on;"
            " these make -2."
        ),
    ),
    (
        LeakScore(
            -1,
            3,
            (
                IndicatorScore(LeakIndicator.WAITED, 1),
                IndicatorScore(LeakIndicator.LOOKS_YOUNG, -2),
            ),
        ),
        (
            "Signs of a leak: others wait (+1). Signs against a leak: its key looks young (-2)."
            " A leak is likely from 3 points on; these make -1."
        ),
    ),
    (ClaimedAge(7200), "By the client's own clock it was taken 2 h ago."),
    (ClaimedAge(-3.0), "By the client's clock it was taken 3 s in the future."),
    (NoHandOver(45.2), "It has not been released since it was first seen."),
    (HandedOver(2, 45.2), "It was released twice in the 45 s that it was watched."),
    (Waiters(4, 45.2), "4 waiters wait for it, the longest for at least 45 s."),
    (Waiters(1, 45.2), "1 waiter waits for it, for at least 45 s."),
    (Waiters(1, 0.0), "1 waiter waits for it."),
    (GaveUp(2, 45.2), "2 attempts on it gave up in 45 s."),
    (NoLease(in_lock_shape=True), "The key has no lease, so etcd never deletes it by itself."),
    (
        NoLease(in_lock_shape=False),
        (
            "The key has no lease, so etcd never deletes it by itself. lockdoctor cannot tell"
            " whether it is a lock: it might be data."
        ),
    ),
    (
        ForeignHolder(b"/a/b\n"),
        (
            r"What blocks the queue is no contender: /a/b\n merely lies below the"
            r" lock's name, and Go's"
            " Mutex waits for every older key there."
        ),
    ),
    (
        NotRenewed(25.8, 33.1, 60),
        "The lease went without a renewal for at least 25 s; at most 34 s of 60 s were left.",
    ),
    (LeaseEnded(), "The lease ended while it was watched: it expired or was revoked."),
    (Expired(1, 12.0), "etcd should have ended the lease at least 12 s ago, and has not."),
    (
        Expired(57, 12.0),
        "etcd should have ended 57 leases by now, one of them at least 12 s ago, and has not.",
    ),
    (
        ListedNotFound(1, 6.2),
        (
            "etcd's list has a lease that no look-up finds, even 6.2 s after the first look-up that"
            " found none."
        ),
    ),
    (
        ListedNotFound(57, 6.2),
        (
            "etcd's list has 57 leases that no look-up finds, even 6.2 s after the first look-up"
            " that found none."
        ),
    ),
    (
        KeyWithoutLease(6.2),
        (
            "etcd knows no lease of this ID, yet the key on it stood for at least 6.2 s after: the"
            " two end together, unless etcd's data are damaged."
        ),
    ),
    (
        OtherKeys(2, (b"/a", b"/b\n")),
        r"The lease also carries 2 keys outside the lock, which would go with it: /a, /b\n.",
    ),
    (
        OtherKeys(3_000, (b"/a",)),
        (
            "The lease also carries 3,000 keys outside the lock, which would go with it: /a and"
            " 2,999 more."
        ),
    ),
    (
        PossibleAbandonedKey(2, gave_up_elsewhere=True),
        (
            "A possibility, not a proof: 2 attempts on it gave up and left their sessions open and"
            " the holder's own session gave up on another lock, so the holder may be such an"
            " attempt, whose key reached etcd after it had given up. Nobody would release it."
        ),
    ),
    (
        PossibleAbandonedKey(0, gave_up_elsewhere=True),
        (
            "A possibility, not a proof: the holder's own session gave up on another lock, so the"
            " holder may be such an attempt, whose key reached etcd after it had given up. Nobody"
            " would release it."
        ),
    ),
    (LateRenewal(4.6, 60), "A renewal came when at most 4.6 s of 60 s were left."),
    (
        LongTtl(3600, 600.0),
        (
            "The lease's TTL is 1 h, over the limit of 10 min: after a crash of its holder the lock"
            " stays taken that long."
        ),
    ),
    (ByDesign("election"), "It is an election: kept as long as its process lives, by design."),
    (
        ByDesign("registration"),
        "It is a registration: kept as long as its process lives, by design.",
    ),
    (
        Rewritten(2, 25.0),
        "Its client wrote the key again twice in 25 s, onto a fresh lease.",
    ),
    (WithinLimit(300.0), "A hold may last 5 min; none is proven to have lasted longer."),
    (
        Unobservable(602.4, 900),
        (
            "With a TTL of 15 min it takes up to 10 min 3 s of watching to see"
            " enough renewals; this"
            " run did not see them."
        ),
    ),
    (ReadFailed("permission\x1b denied"), r"The lease could not be read: permission\x1b denied."),
    (
        UnknownRecipe(),
        (
            "lockdoctor cannot tell whether this key is a lock: other programs write keys like it,"
            " too."
        ),
    ),
    (
        QueueCut(),
        (
            "The scanned prefix may leave out contenders of this lock, so nobody can be called its"
            " holder."
        ),
    ),
    (
        LeaderChanged(1),
        (
            "A new etcd leader reset every lease while it was watched: 1 rise of the TTL may be its"
            " work and proves nothing."
        ),
    ),
    (
        SessionsGrew(3, 1_040, 45.2, 3, new=1_037, ended=0, over_runs=False),
        (
            "1,037 new leases without keys in 45 s. They are renewed and were not there before."
            " They came in 3 separate parts of that time."
        ),
    ),
    (
        SessionsGrew(0, 4, 45.2, 1, new=4, ended=0, over_runs=False),
        (
            "4 new leases without keys in 45 s. They are renewed and were not there before."
            " All of them came within a short part of that time."
        ),
    ),
    (
        SessionsGrew(2, 5, 900.0, 3, new=4, ended=1, over_runs=True),
        (
            "4 new leases without keys in 15 min, 1 ended. They are renewed and were not there"
            " before. 3 runs found more new ones than ended ones."
        ),
    ),
    (
        SessionsAlike(1_040, "8e9e05c52164694d", "694d", 60, 20.4, NOON),
        (
            "1,040 sessions of TTL 60 s, renewed every 21 s or more often: granted by member"
            " 8e9e05c52164694d, and not before 2026-01-01 12:00 UTC (a bound that the IDs tell)."
        ),
    ),
    (
        SessionsAlike(1, None, "694d", 60, None, None),
        "1 session of TTL 60 s: granted by a member …694d.",
    ),
    (
        SessionsAlike(2, None, None, 30, 10.0, None),
        (
            "2 sessions of TTL 30 s, renewed every 10 s or more often: their IDs are of the"
            " client's own choice, or of a member that has left."
        ),
    ),
    (
        AbandonedSessions(30),
        "The sessions behind 30 attempts that gave up before our eyes live on.",
    ),
    (
        AbandonedSessions(1),
        "The session behind 1 attempt that gave up before our eyes lives on.",
    ),
    (
        SessionsIdle(3, 700.9, 600.0),
        (
            "3 sessions were never seen with a key, for up to 11 min 40 s; a session may be idle"
            " for 10 min."
        ),
    ),
    (
        SessionsIdle(1, 700.9, 600.0),
        (
            "1 session was never seen with a key, for up to 11 min 40 s; a session may be idle for"
            " 10 min."
        ),
    ),
    (
        Forecast(120.4, 2_890),
        "If it goes on like this, 120 more an hour: about 2,890 sessions in a day from now.",
    ),
    (
        SeenInEarlierRuns(4, 10_800.0, NOON - 10_800.0),
        (
            "The last 4 runs with the same limits found the same, since 2026-01-01 09:00 UTC: it"
            " has stood for at least 3 h."
        ),
    ),
    *WITNESS_EVIDENCE,
    (
        WaitCycle(RING, 2, 45.2),
        "2 sessions wait for one another in a circle, unchanged for at least 45 s.",
    ),
    (
        WaitCycle((RING[0], dataclasses.replace(RING[1], is_holder=False)), 2, 0.0),
        (
            "2 sessions wait for one another in a circle, seen once only, which does not prove that"
            " it lasts; some only stand before another in a queue, and whoever holds that lock now"
            " is no part of it: freeing it does not undo the circle."
        ),
    ),
    (
        WaitCycle(RING[:1], 1, 45.2),
        "The session waits behind a key of its own, unchanged for at least 45 s.",
    ),
    (
        CheapestBreak(LeaseId(0xA1), 1, 2),
        (
            "Ending session 00000000000000a1 undoes it with the least damage: it has 1 key, and"
            " 2 waiters wait for what it holds."
        ),
    ),
    (NoSingleBreak(), "No session undoes this alone: more than one of them has to end."),
    (Blocks(2, 0), "It blocks 2 waiters in all."),
    (
        Blocks(5, 1),
        "It blocks 5 waiters in all: 1 other lock is stuck behind it, because its holder waits.",
    ),
    (
        HolderWaits(b"/my-lock/\x1b"),
        (
            r"Its holder's session itself waits for /my-lock/\x1b, which may be why it does not"
            " release."
        ),
    ),
    (Keyless(), "The lease carries no key."),
)
"""Evidence, and how it must be worded."""


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
            Unseen(what="list of leases", count=None, why="etcdserver: permission denied"),
            Unseen(what="leases", count=3, why="the time is over"),
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
