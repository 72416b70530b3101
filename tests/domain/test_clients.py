"""Sessions joined by rhythm: deadlocks with a session for each lock, clients behind themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lockdoctor.domain.age import Age
from lockdoctor.domain.clients import MOST_TIMED, MOST_WAITERS, Clients, worth_timing
from lockdoctor.domain.deadlocks import judge_waits
from lockdoctor.domain.evidence import SameRhythm, WaitCircle
from lockdoctor.domain.leases import LeaseId
from lockdoctor.domain.locks import Lock
from lockdoctor.domain.renewals import Interval
from lockdoctor.domain.report import LockReport
from lockdoctor.domain.rhythm import FINE_S, Beat
from lockdoctor.domain.verdicts import Confidence, Severity, Verdict, VerdictKind
from tests.builders import a_key, a_lock, a_lock_report, a_verdict

TURN = Interval(0.501, 0.501)


def beats(phases: Mapping[int, float]) -> dict[LeaseId, Beat]:
    """Sessions by the place of their renewals on the loop's turn, in seconds."""
    return {
        LeaseId(lease): Beat(
            lease_id=LeaseId(lease),
            renewals=(Interval(at, at + FINE_S), Interval(at + 5.01, at + 5.01 + FINE_S)),
            turn=TURN,
        )
        for lease, at in phases.items()
    }


def a_queue(name: bytes, *leases: int) -> Lock:
    keys = [
        a_key(lock=name, lease_id=lease, create_revision=9 + n) for n, lease in enumerate(leases)
    ]
    return Lock(
        name=name,
        recipe=a_lock().recipe,
        kind=a_lock().kind,
        holder=keys[0],
        waiters=tuple(keys[1:]),
    )


def judged(
    *locks: Lock,
    phases: Mapping[int, float],
    kind: VerdictKind = VerdictKind.SUSPECTED_LEAK,
    stood_s: float = 45.0,
    idle: Sequence[int] = (),
) -> list[LockReport]:
    reports = [
        a_lock_report(
            lock,
            a_verdict(kind, lock=lock, confidence=Confidence.LIKELY, severity=Severity.WARNING),
            age=Age(at_least_s=45.0),
        )
        for lock in locks
    ]
    clients = Clients(beats(phases), frozenset(map(LeaseId, idle)))
    return list(judge_waits(reports, lambda _report, _key: stood_s, clients).reports)


def rhythm_of(verdict: Verdict) -> SameRhythm:
    (found,) = (each for each in verdict.evidence if isinstance(each, SameRhythm))
    return found


def test_a_deadlock_of_clients_with_a_session_for_each_lock_is_likely() -> None:
    """1 and 2 are of one client, 3 and 4 of another: each holds what the other waits for."""
    first, second = judged(
        a_queue(b"/l/a", 1, 4), a_queue(b"/l/b", 3, 2), phases={1: 0.1, 2: 0.102, 3: 0.3, 4: 0.298}
    )

    verdict = first.verdict
    assert (verdict.kind, verdict.confidence) == (VerdictKind.DEADLOCK, Confidence.LIKELY)
    assert second.verdict is verdict
    assert first.verdicts == (verdict,)
    circle = verdict.evidence[0]
    assert isinstance(circle, WaitCircle)
    assert [(wait.waiter, wait.behind) for wait in circle.ring] == [(4, 1), (2, 3)]
    rhythm = rhythm_of(verdict)
    assert (rhythm.what, rhythm.matched, rhythm.timed) == ("pairs", 2, 2)
    assert 0.001 < rhythm.chance < 0.01


def test_two_clients_with_two_sessions_each_are_no_proof_of_two_ties() -> None:
    """Where all four are in step, one coincidence would explain it: the chance says so."""
    first, _ = judged(
        a_queue(b"/l/a", 1, 4), a_queue(b"/l/b", 3, 2), phases=dict.fromkeys((1, 2, 3, 4), 0.1)
    )

    assert 0.04 < rhythm_of(first.verdict).chance < 0.12


def test_sessions_out_of_step_make_no_deadlock() -> None:
    """Somebody else waits for what they hold."""
    found = judged(
        a_queue(b"/l/a", 1, 4), a_queue(b"/l/b", 3, 2), phases={1: 0.1, 2: 0.2, 3: 0.3, 4: 0.4}
    )

    assert {report.verdict.kind for report in found} == {VerdictKind.SUSPECTED_LEAK}


def test_where_chance_may_well_have_closed_the_circle_nothing_is_said() -> None:
    """Among many waiters with many phases some fit anything."""
    phases = {1: 0.1, 2: 0.102, 3: 0.3, 4: 0.298} | {n: n * 0.04 for n in range(10, 22)}
    first, _ = judged(
        a_queue(b"/l/a", 1, 4, *range(10, 16)),
        a_queue(b"/l/b", 3, 2, *range(16, 22)),
        phases=phases,
    )

    assert first.verdict.kind is VerdictKind.SUSPECTED_LEAK


def test_a_hold_that_changed_meanwhile_is_not_joined() -> None:
    """What has not stood through the window is no deadlock by rhythm."""
    first, _ = judged(
        a_queue(b"/l/a", 1, 4),
        a_queue(b"/l/b", 3, 2),
        phases={1: 0.1, 2: 0.102, 3: 0.3, 4: 0.298},
        stood_s=0.0,
    )

    assert first.verdict.kind is VerdictKind.SUSPECTED_LEAK


def test_a_client_that_waits_behind_itself() -> None:
    """Beside the leak it is told that its own client waits for it; the leak leads."""
    (report,) = judged(a_queue(b"/l/a", 1, 2, 3), phases={1: 0.1, 2: 0.1, 3: 0.104})

    assert [v.kind for v in report.verdicts] == [
        VerdictKind.SUSPECTED_LEAK,
        VerdictKind.SELF_DEADLOCK,
    ]
    own = report.verdicts[1]
    assert (own.confidence, own.severity) == (Confidence.LIKELY, Severity.WARNING)
    assert own.leases == (1, 2, 3)
    assert (rhythm_of(own).what, rhythm_of(own).matched) == ("waiters", 2)


def test_a_healthy_queue_of_one_client_is_no_self_deadlock() -> None:
    """Ten workers of one process queue for a lock that moves: nothing is said of them."""
    (report,) = judged(
        a_queue(b"/l/a", 1, 2, 3), phases={1: 0.1, 2: 0.1, 3: 0.1}, kind=VerdictKind.HEALTHY
    )

    assert [verdict.kind for verdict in report.verdicts] == [VerdictKind.HEALTHY]


def test_a_leaked_holder_is_joined_with_the_idle_sessions_beside_it() -> None:
    """As evidence of the leak, with the chance; two are too few to speak of."""
    phases = {1: 0.1, 50: 0.1, 51: 0.102, 52: 0.099, 53: 0.101}
    (report,) = judged(a_queue(b"/l/a", 1), phases=phases, idle=[50, 51, 52, 53])
    (few,) = judged(a_queue(b"/l/a", 1), phases=phases, idle=[50, 51])

    rhythm = rhythm_of(report.verdict)
    assert (rhythm.what, rhythm.matched, rhythm.timed) == ("sessions", 4, 4)
    assert not [each for each in few.verdict.evidence if isinstance(each, SameRhythm)]


def test_only_a_few_sessions_are_worth_timing() -> None:
    """The longest queues first, a few waiters of each, and not more in all than is gentle."""
    long = a_queue(b"/l/long", *range(1, 500))
    others = [a_queue(b"/l/%d" % n, 1000 + n, 2000 + n) for n in range(100)]
    chosen = worth_timing([*others, long])

    assert set(range(1, MOST_WAITERS + 2)) <= chosen
    assert len(chosen) <= MOST_TIMED
