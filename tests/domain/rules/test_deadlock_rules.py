"""Verdicts on sessions that wait for one another, and what waiting says of the other verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lockdoctor.domain.evidence.deadlock import (
    CheapestBreak,
    CycleEdge,
    HolderWaits,
    NoSingleBreak,
    WaitCycle,
)
from lockdoctor.domain.evidence.queue import Blocks
from lockdoctor.domain.evidence.verdicts import Confidence, Severity, VerdictKind
from lockdoctor.domain.inference.leadership import Leadership
from lockdoctor.domain.model.leases import LeadershipProbe, LeaseId, Reading
from lockdoctor.domain.model.locks import KeySnapshot, Lock, LockKey
from lockdoctor.domain.past.past import NO_PAST, Past, PastHold
from lockdoctor.domain.policy.policy import Limits, Policy
from lockdoctor.domain.recipes.grouping import locks
from lockdoctor.domain.report.findings import LockReport
from lockdoctor.domain.report.report import ClusterFacts, Report
from lockdoctor.domain.rules.judge import judge
from lockdoctor.domain.rules.scan_facts import PrefixFacts, ScanFacts, SessionFacts
from tests.factories.reports import an_observation

KEPT = ((0.1, 58), (22.0, 57), (43.0, 56))
"""Readings of a lease of 60 s that is renewed every 20 s."""


def a_queue(name: bytes, *leases: int, since: int = 10) -> list[LockKey]:
    """The keys of a mutex, the holder first."""
    return [
        LockKey(
            key=b"%s/%x" % (name, lease),
            create_revision=since + n,
            mod_revision=since + n,
            version=1,
            lease_id=LeaseId(lease),
        )
        for n, lease in enumerate(leases)
    ]


def a_run(
    *queues: list[LockKey],
    last: Sequence[list[LockKey]] | None = None,
    ending: Sequence[int] = (),
    attached: dict[int, tuple[bytes, ...]] | None = None,
    policy: Policy | None = None,
    past: Past = NO_PAST,
    prefixes: Sequence[bytes] = (b"/l/",),
) -> Report:
    """Judge a scan of 45 s in which every lease was renewed twice, but those that end."""
    first_keys = [key for queue in queues for key in queue]
    last_keys = [key for queue in (queues if last is None else last) for key in queue]
    readings: dict[LeaseId, list[Reading]] = {
        lease: [
            an_observation(
                at=at,
                remaining_ttl_s=58 - int(at) if lease in ending else left,
                lease_id=lease,
                attached_keys=(attached or {}).get(lease),
            )
            for at, left in KEPT
        ]
        for lease in {key.lease_id for key in (*first_keys, *last_keys)}
    }
    everything = [reading for found in readings.values() for reading in found]
    return judge(
        ScanFacts(
            started_at=0.0,
            ended_at=45.0,
            window_s=60.0,
            lookups=len(everything),
            interrupted=None,
            policy=policy or Policy(),
            cluster=ClusterFacts(
                cluster_id=1, version="3", endpoint="e", raft_term=2, revision=9, leader_changes=0
            ),
            past=past,
            prefixes=tuple(
                PrefixFacts(
                    prefix=prefix,
                    first=_snapshot(prefix, first_keys, 0.0),
                    last=_snapshot(prefix, last_keys, 45.0) if last_keys else None,
                    events=(),
                    first_locks=_first_locks(prefix, first_keys, policy or Policy()),
                )
                for prefix in prefixes
            ),
            readings=readings,
            unread={},
            leadership=Leadership.of(everything, [LeadershipProbe(44.5, 2, 7)]),
            sessions=SessionFacts(),
            unseen=(),
        )
    )


def _first_locks(prefix: bytes, keys: list[LockKey], policy: Policy) -> list[Lock]:
    return locks(_snapshot(prefix, keys, 0.0).keys, prefix, policy)


def _snapshot(prefix: bytes, keys: list[LockKey], at: float) -> KeySnapshot:
    below = sorted((key for key in keys if key.key.startswith(prefix)), key=lambda key: key.key)
    return KeySnapshot(asked_at=at, answered_at=at, revision=100, raft_term=2, keys=tuple(below))


def _lock(report: Report, name: bytes) -> LockReport:
    return next(lock for lock in report.locks if lock.lock.name == name)


def test_a_deadlock_is_told_once_and_explains_its_locks() -> None:
    """Both locks are named by it, neither is called leaked, and it says who is in the way."""
    report = a_run(a_queue(b"/l/a", 1, 2, 3), a_queue(b"/l/b", 2, 1))

    (finding,) = report.located_findings
    verdict = finding.verdict
    assert (verdict.kind, verdict.severity) == (VerdictKind.DEADLOCK, Severity.CRITICAL)
    assert verdict.confidence is Confidence.PROVEN
    assert verdict.leases == (1, 2)
    assert verdict.evidence == (
        WaitCycle(
            ring=(
                CycleEdge(LeaseId(2), b"/l/a", LeaseId(1), is_holder=True),
                CycleEdge(LeaseId(1), b"/l/b", LeaseId(2), is_holder=True),
            ),
            sessions=2,
            stood_s=45.0,
        ),
        CheapestBreak(LeaseId(2), keys=2, waiters=1),
        Blocks(waiters=3, locks=0),
    )
    assert [lock.verdict.kind for lock in report.locks] == [VerdictKind.DEADLOCK] * 2
    assert finding.blocks == 3


def test_a_deadlock_seen_once_is_likely() -> None:
    """One reading proves that they wait for one another now, not that it lasts."""
    first = [a_queue(b"/l/a", 1), a_queue(b"/l/b", 2)]
    report = a_run(*first, last=[a_queue(b"/l/a", 1, 2), a_queue(b"/l/b", 2, 1)])

    (verdict,) = report.findings
    assert (verdict.kind, verdict.confidence) == (VerdictKind.DEADLOCK, Confidence.LIKELY)


def test_the_same_key_taken_anew_is_another_hold() -> None:
    """A session that released and locked again while we watched was not stuck all the time."""
    first = [a_queue(b"/l/a", 1, 2), a_queue(b"/l/b", 2, 1)]
    again = [a_queue(b"/l/a", 1, 2, since=50), a_queue(b"/l/b", 2, 1)]

    assert a_run(*first, last=again).findings[0].confidence is Confidence.LIKELY


def test_a_circle_with_a_dying_session_is_no_finding() -> None:
    """A session that nobody renews ends by itself, and the circle with it."""
    report = a_run(a_queue(b"/l/a", 1, 2), a_queue(b"/l/b", 2, 1), ending=[2])

    assert VerdictKind.DEADLOCK not in {finding.kind for finding in report.findings}


def test_a_proven_leak_in_a_deadlock_is_explained_by_it() -> None:
    """However long it is held: the deadlock is why."""
    policy = Policy(overrides=Limits(max_hold_s=10.0))
    report = a_run(a_queue(b"/l/a", 1, 2), a_queue(b"/l/b", 2, 1), policy=policy)

    assert [finding.kind for finding in report.findings] == [VerdictKind.DEADLOCK]


def test_a_leak_in_front_of_a_circle_stays_a_leak() -> None:
    """Its holder waits for nothing; the circle behind it is told as well, but only as likely."""
    report = a_run(a_queue(b"/l/a", 9, 1, 2), a_queue(b"/l/b", 8, 2, 1))

    kinds = [verdict.kind for verdict in _lock(report, b"/l/a").verdicts]
    assert kinds == [VerdictKind.DEADLOCK, VerdictKind.SUSPECTED_LEAK]
    deadlock = report.findings[0]
    assert deadlock.confidence is Confidence.LIKELY
    assert set(deadlock.leases) == {1, 2}


def test_a_leak_in_front_of_a_chain_is_no_deadlock() -> None:
    """The root is the leak, CRITICAL for what it blocks; what is stuck behind it is no leak."""
    report = a_run(a_queue(b"/l/a", 1, 2), a_queue(b"/l/b", 2, 3), a_queue(b"/l/c", 3, 4, 5))

    assert [(row.level, row.lock.name, row.blocks) for row in report.blocking] == [
        (0, b"/l/a", 4),
        (1, b"/l/b", None),
        (2, b"/l/c", None),
    ]
    root, *others = report.findings
    assert (root.lock, root.severity) == (_lock(report, b"/l/a").lock.id, Severity.CRITICAL)
    assert (root.kind, root.confidence) == (VerdictKind.SUSPECTED_LEAK, Confidence.LIKELY)
    assert root.evidence[-1] == Blocks(waiters=4, locks=2)
    assert [other.confidence for other in others] == [Confidence.POSSIBLE] * 2
    assert HolderWaits(lock=b"/l/b") in _lock(report, b"/l/c").verdict.evidence


def test_a_session_behind_its_own_key_is_a_self_deadlock() -> None:
    """Go's Mutex waits for the session's own older key below its name."""
    inner, outer = a_queue(b"/l/a/b", 7, since=5), a_queue(b"/l/a", 7)
    report = a_run(inner, outer)

    verdict = report.findings[0]
    assert (verdict.kind, verdict.confidence) == (VerdictKind.SELF_DEADLOCK, Confidence.PROVEN)
    assert verdict.leases == (7,)
    assert _lock(report, b"/l/a").verdict is verdict


def test_keys_elsewhere_count_as_damage() -> None:
    """A session that carries keys outside the locks is spared, where there is another one."""
    attached = {2: (b"/l/a/2", b"/l/b/2", b"/x"), 1: (b"/l/a/1", b"/l/b/1")}
    report = a_run(a_queue(b"/l/a", 1, 2, 3, 4, 5), a_queue(b"/l/b", 2, 1), attached=attached)

    assert report.findings[0].evidence[1] == CheapestBreak(LeaseId(1), keys=2, waiters=4)


def test_the_keys_of_the_circle_itself_are_no_news() -> None:
    """A session has a key in each of its locks; only a key elsewhere is told as shared."""
    attached = {1: (b"/l/a/1", b"/l/b/1"), 2: (b"/l/a/2", b"/l/b/2", b"/x")}
    report = a_run(a_queue(b"/l/a", 1, 2), a_queue(b"/l/b", 2, 1), attached=attached)
    kinds = {lock.lock.name: [verdict.kind for verdict in lock.verdicts] for lock in report.locks}

    assert kinds == {
        b"/l/a": [VerdictKind.DEADLOCK],
        b"/l/b": [VerdictKind.DEADLOCK, VerdictKind.SHARED_LEASE],
    }


def test_no_single_way_out_is_said() -> None:
    """Where no session undoes it alone, none is named."""
    names = [(1, 2), (2, 1), (2, 3), (3, 2), (1, 3), (3, 1)]
    report = a_run(*(a_queue(b"/l/%d%d" % pair, *pair) for pair in names))

    assert report.findings[0].evidence[1] == NoSingleBreak()


def test_a_deadlock_is_found_across_prefixes() -> None:
    """Two prefixes are read one after the other: the holds stood at both ends all the same."""
    report = a_run(a_queue(b"/l/a", 1, 2), a_queue(b"/m/b", 2, 1), prefixes=(b"/l/", b"/m/"))

    (verdict,) = report.findings
    assert (verdict.kind, verdict.confidence) == (VerdictKind.DEADLOCK, Confidence.PROVEN)


def test_one_reading_suffices_where_an_earlier_run_saw_the_same() -> None:
    """The same keys of the same create revisions stood an hour ago, and so did the circle."""
    queues = [a_queue(b"/l/a", 1, 2), a_queue(b"/l/b", 2, 1)]
    seen = PastHold(first_answered_at=-3600.0, last_asked_at=-60.0, held_first_answered_at=-3600.0)
    past = replace(NO_PAST, holds={key.hold: seen for queue in queues for key in queue})
    report = a_run(*queues, last=[], past=past)

    (verdict,) = report.findings
    assert (verdict.kind, verdict.confidence) == (VerdictKind.DEADLOCK, Confidence.PROVEN)
    circle = verdict.evidence[0]
    assert isinstance(circle, WaitCycle)
    assert circle.stood_s >= 3600
