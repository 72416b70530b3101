"""When leases without keys are a leak, and when they are a pool."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import accumulate, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from lockdoctor.domain.evidence import Evidence
from lockdoctor.domain.evidence.keys import Keyless
from lockdoctor.domain.evidence.remedies import Advice, Remedy, WatchLonger
from lockdoctor.domain.evidence.renewals import LeaseEnded, NotRenewed, Unobservable
from lockdoctor.domain.evidence.sessions import AbandonedSessions, SessionsGrew, SessionsIdle
from lockdoctor.domain.evidence.verdicts import Confidence, Severity, Verdict, VerdictKind
from lockdoctor.domain.inference.leadership import TERM_CONFIRM_DELAY_S, Leadership
from lockdoctor.domain.inference.lease_origin import LeaseOrigin
from lockdoctor.domain.inference.renewals import RenewalTrace, trace
from lockdoctor.domain.inference.session_growth import MIN_RUNS
from lockdoctor.domain.model.leases import (
    LeadershipProbe,
    LeaseId,
    LeaseNotFound,
    LeaseReading,
    Reading,
)
from lockdoctor.domain.past.past import NO_PAST, Listing, Past
from lockdoctor.domain.policy.policy import Thresholds
from lockdoctor.domain.rules.session_rules import SessionCase, Watch, judge_sessions, report_session

NO_LIMITS = Thresholds()


def a_trace(lease: int, *remaining: int | None) -> RenewalTrace:
    """Readings ten seconds apart of a lease of 30 s; None where it was gone."""
    readings: list[Reading] = [
        LeaseNotFound(lease_id=LeaseId(lease), asked_at=at, answered_at=at, raft_term=2)
        if left is None
        else LeaseReading(
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
    probe = LeadershipProbe(20.0 + TERM_CONFIRM_DELAY_S, 2)
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
    return tuple(judge_sessions(cases, thresholds, Watch(0.0, 40.0), past))


def listed(*added: tuple[range, int]) -> Past:
    """Runs five minutes apart, the last one now: the leases that are new, and how many ended."""
    return Past(
        listings=tuple(
            Listing(
                at=300.0 * number,
                new=frozenset(map(LeaseId, new)),
                ended=ended,
                is_alike=True,
            )
            for number, (new, ended) in enumerate(added, start=1 - len(added))
        )
    )


def growing(*counts: int) -> Past:
    """Runs that first listed so many leases: 1 and 2, then 3 and so on."""
    first, added = 1, []
    for count in counts:
        added.append((range(first, first + count), 0))
        first += count
    return listed(*added)


def test_a_pool_that_stays_the_same_is_no_leak() -> None:
    """Any number of renewed leases without keys is no finding as long as it does not grow."""
    assert judged([a_session(n) for n in range(500)]) == ()


def test_new_sessions_again_and_again_are_a_likely_leak() -> None:
    """Sessions that come in several parts of the window are renewed: the new ones are named."""
    cases = [a_session(9), *(a_session(n, listed_at=n * 10.0) for n in (1, 2, 3))]
    (verdict,) = judged(cases)

    assert (verdict.kind, verdict.confidence) == (
        VerdictKind.LEAKED_SESSION,
        Confidence.LIKELY,
    )
    assert verdict.leases == (1, 2, 3)
    assert (
        SessionsGrew(before=1, after=4, watched_s=40.0, steps=3, new=3, ended=0, over_runs=False)
        in verdict.evidence
    )


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
    assert AbandonedSessions(sessions=3) in verdict.evidence


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


def test_each_session_says_how_that_is_known_and_what_to_do() -> None:
    """The evidence has the numbers of the readings; one seen once needs a longer window."""

    def told(*remaining: int | None) -> tuple[Confidence, Remedy, tuple[Evidence, ...]]:
        verdict = report_session(a_session(1, *remaining)).verdict
        assert (verdict.severity, verdict.lock, verdict.key) == (Severity.OK, None, None)
        assert verdict.leases == (LeaseId(1),)
        first, *others = verdict.evidence
        assert first == Keyless()
        return verdict.confidence, verdict.remedy, tuple(others)

    proven, likely = Confidence.PROVEN, Confidence.LIKELY
    found = a_trace(1, 20, 10, 0)
    assert told(29, 29)[:2] == (proven, Advice.NOTHING_TO_DO_FOR_ONE)
    assert told(29, None) == (proven, Advice.NOTHING_TO_DO_LEASE_ENDED, (LeaseEnded(),))
    assert told(20, 10, 0) == (
        likely,
        Advice.NOTHING_TO_DO_EXPIRES,
        (NotRenewed(found.unrenewed_for_s, found.left_s, 30),),
    )
    assert told(29) == (
        Confidence.UNDETERMINED,
        WatchLonger(12),
        (Unobservable(needed_s=12.0, granted_s=30),),
    )


def test_a_session_keeps_what_is_known_of_its_attempt_and_its_lease() -> None:
    """Whether it is new, whether its attempt gave up, and which member granted the lease."""
    origin = LeaseOrigin(member_bits=7, member_id=7, not_before_at=0.0)
    report = report_session(a_session(1, listed_at=5.0, gave_up=True), origin)

    assert (report.is_new, report.gave_up, report.origin) == (True, True, origin)
    assert report.trace.lease_id == 1


def test_new_sessions_in_three_runs_in_a_row_are_a_likely_leak() -> None:
    """A service that is scaled up does the same, so likely at most; only the new ones are named."""
    (verdict,) = judged([a_session(n) for n in range(1, 10)], past=growing(4, 2, 1, 2))

    assert (verdict.kind, verdict.severity) == (VerdictKind.LEAKED_SESSION, Severity.WARNING)
    assert verdict.confidence is Confidence.LIKELY
    assert verdict.leases == (5, 6, 7, 8, 9)
    grew = SessionsGrew(before=4, after=9, watched_s=940.0, steps=3, new=5, ended=0, over_runs=True)
    assert grew in verdict.evidence


def test_a_number_that_grows_without_new_leases_is_no_leak() -> None:
    """Pool sessions that put their keys down are more without keys, and the same as before."""
    assert judged([a_session(n) for n in range(1, 10)], past=growing(9, 0, 0, 0)) == ()


def test_fewer_than_three_runs_or_sessions_are_no_leak() -> None:
    """Two growing runs may be a deployment; a run that adds none breaks the row."""
    cases = [a_session(n) for n in range(1, 10)]

    assert judged(cases, past=growing(1, 0, 4, 4)) == ()
    assert judged(cases, past=growing(1, 4, 4, 0)) == ()
    assert judged(cases, past=growing(1, 4, 0, 4)) == ()


def test_ended_sessions_are_set_off_in_each_run() -> None:
    """A service that opens a session for each that it closes has none too many."""
    cases = [a_session(n) for n in range(1, 10)]

    assert (
        judged(cases, past=listed((range(1), 0), *((range(n, n + 2), 2) for n in (1, 3, 5)))) == ()
    )
    assert judged(cases, past=listed((range(1), 0), *((range(n, n + 2), 1) for n in (1, 3, 5))))


def test_sessions_that_ended_or_took_a_key_are_no_growth() -> None:
    """Only what is there now, renewed and without a key, counts."""
    at_work = [replace(a_session(n), was_keyless=False) for n in (4, 5, 6)]
    ended = [a_session(n, 20, 10, 0) for n in (7, 8, 9)]

    assert judged([*at_work, *ended], past=growing(3, 1, 1, 1, 1, 1, 1)) == ()


def test_a_leak_stands_over_a_pause() -> None:
    """One run that adds none ends no finding; three in a row, or fewer sessions, do."""
    cases = [a_session(n) for n in range(1, 10)]

    assert judged(cases, past=growing(1, 2, 2, 2, 0, 0))
    assert judged(cases, past=growing(1, 2, 2, 2, 0, 0, 0)) == ()
    assert (
        judged(cases, past=listed(*((range(n, n + 2), 0) for n in (1, 3, 5, 7)), (range(0), 1)))
        == ()
    )


def test_leases_too_new_to_tell_neither_grow_nor_break_the_row() -> None:
    """A check looks once, so that what came since the last run is not proven to be renewed yet."""
    cases = [a_session(n) for n in range(1, 8)]
    too_new = [a_session(n, 29) for n in (8, 9)]

    assert judged([*cases, *too_new], past=growing(3, 2, 2, 2)) == ()
    (verdict,) = judged([*cases, *too_new], past=growing(1, 2, 2, 2, 2))
    assert verdict.leases == (2, 3, 4, 5, 6, 7)


def test_runs_of_another_kind_in_between_hide_no_growth() -> None:
    """A scan by hand between two checks adds nothing, and breaks no row of theirs."""
    past = growing(1, 2, 0, 2, 0, 2)
    unlike = {number: replace(past.listings[number], is_alike=False) for number in (2, 4)}
    mixed = tuple(unlike.get(number, each) for number, each in enumerate(past.listings))
    cases = [a_session(n) for n in range(1, 8)]

    assert judged(cases, past=past) == ()
    assert judged(cases, past=Past(listings=mixed))


def test_many_new_sessions_pile_up() -> None:
    """Growth to the limit is CRITICAL."""
    limits = Thresholds(pile_up=9)
    (verdict,) = judged([a_session(n) for n in range(1, 12)], limits, growing(2, 3, 3, 3))
    (below,) = judged([a_session(n) for n in range(1, 12)], limits, growing(3, 3, 3, 2))

    assert (verdict.kind, verdict.severity) == (VerdictKind.SESSION_PILE_UP, Severity.CRITICAL)
    assert verdict.confidence is Confidence.LIKELY
    assert below.kind is VerdictKind.LEAKED_SESSION


def test_many_sessions_that_do_not_grow_do_not_pile_up() -> None:
    """The number alone is no finding: a large pool is healthy."""
    assert judged([a_session(n) for n in range(99)], Thresholds(pile_up=9)) == ()


def test_a_session_idle_for_too_long_is_a_leak_where_somebody_said_so() -> None:
    """Sessions never seen with a key for max_idle_session are leaked, by that word only."""
    (verdict,) = judged([a_session(1)], Thresholds(max_idle_session_s=10.0))

    assert (verdict.confidence, verdict.leases) == (Confidence.PROVEN, (1,))
    assert SessionsIdle(sessions=1, longest_at_least_s=10.0, limit_s=10.0) in verdict.evidence
    assert judged([a_session(1)], Thresholds(max_idle_session_s=10.1)) == ()


def test_what_is_idle_too_long_and_what_grows_are_two_findings() -> None:
    """The one is proven by a limit that was set, the other likely; each names its own leases."""
    idle = [replace(a_session(n), keyless_s=99.0) for n in (1, 2)]
    fresh = [a_session(n) for n in (3, 4, 5)]
    found = judged([*idle, *fresh], Thresholds(max_idle_session_s=50.0), growing(2, 1, 1, 1))

    assert {verdict.confidence: verdict.leases for verdict in found} == {
        Confidence.PROVEN: (1, 2),
        Confidence.LIKELY: (3, 4, 5),
    }


def judged_each_run(
    new: list[range], idle: Callable[[int], Iterable[int]]
) -> Iterator[tuple[Verdict, ...]]:
    """Judge run after run, five minutes apart; `idle` gives the leases without keys in a run."""
    listings = tuple(
        Listing(at=300.0 * run, new=frozenset(map(LeaseId, leases)), ended=0, is_alike=True)
        for run, leases in enumerate(new)
    )
    sessions = [a_session(lease) for lease in range(max(each.stop for each in new))]
    for run in range(len(new)):
        cases = [sessions[lease] for lease in idle(run)]
        watch = Watch(300.0 * run, 0.0)
        past = Past(listings=listings[: run + 1])
        yield tuple(judge_sessions(cases, NO_LIMITS, watch, past))


def in_order(counts: list[int]) -> list[range]:
    """Leases 1 and so on: as many in each run."""
    ends = list(accumulate(counts, initial=1))
    return [range(*each) for each in pairwise(ends)]


@given(
    keyless=st.lists(st.sets(st.integers(1, 12)), min_size=1, max_size=60),
    others=st.integers(0, 5),
)
def test_a_pool_never_grows(keyless: list[set[int]], others: int) -> None:
    """Whatever keys its sessions take and put down: leases that were there before are not new."""
    new = in_order([12 + others, *[0] * (len(keyless) - 1)])
    found = judged_each_run(new, lambda run: {*keyless[run], *range(13, 13 + others)})

    assert all(verdicts == () for verdicts in found)


@given(added=st.lists(st.integers(1, 60), max_size=30), before=st.integers(0, 9))
@settings(max_examples=40)
def test_a_leak_is_found_from_its_third_growing_run_on(added: list[int], before: int) -> None:
    """Each run adds sessions that never end: said in each run from the third, of the new ones."""
    new = in_order([before, *added])
    found = judged_each_run(new, lambda run: range(1, new[run].stop))
    for run, verdicts in enumerate(found):
        leaked = tuple(range(before + 1, new[run].stop))

        assert [verdict.leases for verdict in verdicts] == ([leaked] if run >= MIN_RUNS else [])
        assert all(verdict.confidence is Confidence.LIKELY for verdict in verdicts)


@given(st.lists(st.integers(1, 239), min_size=5, max_size=5))
@settings(max_examples=30)
def test_a_service_that_is_scaled_up_is_a_likely_leak_at_most(scaled: list[int]) -> None:
    """2 sessions become 7 in 20 hours, checks every 5 min: never a pile-up, only new ones named."""
    new = in_order([2, *(scaled.count(run) for run in range(1, 240))])
    for verdicts in judged_each_run(new, lambda run: range(1, new[run].stop)):
        assert {verdict.kind for verdict in verdicts} <= {VerdictKind.LEAKED_SESSION}
        assert {verdict.confidence for verdict in verdicts} <= {Confidence.LIKELY}
        assert {lease for verdict in verdicts for lease in verdict.leases} <= {3, 4, 5, 6, 7}
