"""When leases without keys are a leak, and when they are a pool."""

from __future__ import annotations

from lockdoctor.domain.evidence import (
    Forecast,
    FromGivenUpAttempts,
    SessionsGrew,
    SessionsIdle,
)
from lockdoctor.domain.leases import LeaseGone, LeaseId, Observation, Reading
from lockdoctor.domain.past import NO_PAST, Past, SessionCount
from lockdoctor.domain.policy import Thresholds
from lockdoctor.domain.renewals import SETTLE_S, Leadership, LeadershipProbe, RenewalTrace, trace
from lockdoctor.domain.sessions import SessionCase, Watch, judge_sessions, report_session
from lockdoctor.domain.verdicts import Confidence, Severity, Verdict, VerdictKind

NO_LIMITS = Thresholds()


def a_trace(lease: int, *remaining: int | None) -> RenewalTrace:
    """Readings ten seconds apart of a lease of 30 s; None where it was gone."""
    readings: list[Reading] = [
        LeaseGone(lease_id=LeaseId(lease), asked_at=at, answered_at=at, raft_term=2)
        if left is None
        else Observation(
            lease_id=LeaseId(lease),
            asked_at=at,
            answered_at=at,
            granted_ttl_s=30,
            remaining_ttl_s=left,
            raft_term=2,
            attached_keys=(),
        )
        for at, left in zip((0.0, 10.0, 20.0), remaining, strict=False)
    ]
    probe = LeadershipProbe(20.0 + SETTLE_S, 2)
    return trace(LeaseId(lease), readings, Leadership.of(readings, [probe]))


def a_session(
    lease: int, *remaining: int | None, listed_at: float = 0.0, gave_up: bool = False
) -> SessionCase:
    """A session without keys; one that was listed later is new."""
    return SessionCase(
        trace=a_trace(lease, *(remaining or (29, 29))),
        first_listed_at=listed_at,
        is_new=listed_at > 0,
        was_keyless=True,
        keyless_s=10.0,
        gave_up=gave_up,
        needed_window_s=12.0,
    )


def judged(
    cases: list[SessionCase], thresholds: Thresholds = NO_LIMITS, past: Past = NO_PAST
) -> tuple[Verdict, ...]:
    """Judge them after a run of 40 s."""
    return judge_sessions(cases, thresholds, Watch(0.0, 40.0), past)


def counted(*counts: int) -> Past:
    """Runs five minutes apart that counted so many sessions, the last one five minutes ago."""
    return Past(
        session_counts=tuple(
            SessionCount(at=300.0 * (n - len(counts)), sessions=sessions)
            for n, sessions in enumerate(counts)
        )
    )


def test_a_pool_that_stays_the_same_is_no_leak() -> None:
    """Any number of renewed leases without keys is no finding as long as it does not grow."""
    assert judged([a_session(n) for n in range(500)]) == ()


def test_a_number_that_grows_again_and_again_is_a_leak() -> None:
    """New sessions in several parts of the window that are renewed and have no keys: proven."""
    cases = [a_session(1), *(a_session(n, listed_at=n * 10.0) for n in (1, 2, 3))]
    (verdict,) = judged(cases)

    assert (verdict.kind, verdict.confidence) == (
        VerdictKind.LEAKED_SESSION,
        Confidence.PROVEN,
    )
    assert SessionsGrew(before=1, after=4, watched_s=40.0, steps=3) in verdict.evidence


def test_two_more_sessions_are_no_leak() -> None:
    """Fewer than three new sessions may be a worker's start."""
    cases = [a_session(n, listed_at=n * 10.0) for n in (1, 3)]

    assert judged(cases) == ()


def test_a_service_that_starts_is_no_leak() -> None:
    """Many sessions that come all at once are a pool being filled."""
    cases = [a_session(n, listed_at=1.0) for n in range(30)]

    assert judged(cases) == ()


def test_sessions_of_attempts_that_gave_up_are_a_likely_leak() -> None:
    """Sessions whose attempt gave up, and which live on, need no second part of the window."""
    cases = [a_session(n, listed_at=1.0, gave_up=True) for n in range(3)]
    (verdict,) = judged(cases)

    assert verdict.confidence is Confidence.LIKELY
    assert FromGivenUpAttempts(sessions=3) in verdict.evidence


def test_sessions_that_are_closed_again_are_set_off() -> None:
    """Where old sessions are closed as new ones come, the number does not grow."""
    new = [a_session(n, listed_at=n * 10.0) for n in (1, 2, 3)]
    closed = [a_session(n, 29, None) for n in range(10, 13)]

    assert judged([*new, *closed]) == ()


def test_sessions_that_run_out_do_not_hide_a_leak() -> None:
    """Leases that end by themselves, as python-etcd3 drops them, are no closed sessions."""
    new = [a_session(n, listed_at=n * 10.0) for n in (1, 2, 3)]
    dropped = [a_session(n, 5, None) for n in range(10, 13)]

    assert judged([*new, *dropped]) != ()


def test_dropped_leases_that_count_down_are_no_growth() -> None:
    """New leases that nobody renews are not sessions."""
    cases = [a_session(n, 20, 10, listed_at=n * 10.0) for n in (1, 2, 3)]

    assert judged(cases) == ()


def test_each_session_is_named_for_what_it_shows() -> None:
    """A renewed one is idle, one that counts down is expiring, one seen once is undetermined."""

    def kind(*remaining: int | None) -> VerdictKind:
        return report_session(a_session(1, *remaining)).verdict.kind

    assert kind(29, 29) is VerdictKind.IDLE_SESSION
    assert kind(20, 10, 0) is VerdictKind.EXPIRING
    assert kind(29) is VerdictKind.UNDETERMINED
    assert kind(29, None) is VerdictKind.EXPIRING


def test_growth_from_run_to_run_is_a_leak() -> None:
    """A number that rose in two runs and fell in none is proven to grow."""
    (verdict,) = judged([a_session(n) for n in range(9)], past=counted(1, 5, 5))

    assert (verdict.kind, verdict.confidence) == (VerdictKind.LEAKED_SESSION, Confidence.PROVEN)
    assert SessionsGrew(before=1, after=9, watched_s=940.0, steps=2) in verdict.evidence


def test_one_step_up_between_runs_is_no_leak() -> None:
    """A deployment that adds workers once makes no leak."""
    assert judged([a_session(n) for n in range(9)], past=counted(5, 5, 5)) == ()


def test_a_number_that_fell_starts_anew() -> None:
    """What grew before the last fall does not count."""
    assert judged([a_session(n) for n in range(9)], past=counted(1, 3, 20, 8)) == ()


def test_many_leaked_sessions_pile_up() -> None:
    """Growth to the limit or beyond is CRITICAL, with its rate and what it comes to in a day."""
    limits = Thresholds(pile_up=9)
    (verdict,) = judged([a_session(n) for n in range(9)], limits, counted(3, 6))
    (below,) = judged([a_session(n) for n in range(8)], limits, counted(2, 5))

    assert (verdict.kind, verdict.severity) == (VerdictKind.SESSION_PILE_UP, Severity.CRITICAL)
    assert Forecast(per_hour=6 / 640 * 3600, sessions_in_a_day=819) in verdict.evidence
    assert below.kind is VerdictKind.LEAKED_SESSION


def test_growth_in_five_runs_piles_up_whatever_the_number() -> None:
    """A slow leak that never stops is CRITICAL, too."""
    (verdict,) = judged([a_session(n) for n in range(9)], past=counted(1, 2, 3, 4, 5))

    assert verdict.kind is VerdictKind.SESSION_PILE_UP


def test_many_sessions_that_do_not_grow_do_not_pile_up() -> None:
    """The number alone is no finding: a large pool is healthy."""
    assert judged([a_session(n) for n in range(99)], Thresholds(pile_up=9)) == ()


def test_a_session_idle_for_too_long_is_a_leak_where_somebody_said_so() -> None:
    """Sessions never seen with a key for max_idle_session are leaked, by that word only."""
    (verdict,) = judged([a_session(1)], Thresholds(max_idle_session_s=10.0))

    assert SessionsIdle(sessions=1, longest_at_least_s=10.0, limit_s=10.0) in verdict.evidence
    assert judged([a_session(1)], Thresholds(max_idle_session_s=10.1)) == ()
