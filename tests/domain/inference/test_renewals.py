"""What readings prove of renewals, by example and against a simulated lessor."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockdoctor.domain.inference.deadlines import Interval, deadline, last_refresh
from lockdoctor.domain.inference.leadership import TERM_CONFIRM_DELAY_S, Leadership, shows_promotion
from lockdoctor.domain.inference.renewals import RenewalTrace, trace
from lockdoctor.domain.model.leases import FOREVER_S, LeadershipProbe, LeaseNotFound, LeaseReading
from tests.simulated_lease import LEASE, SimulatedLease


def reading(
    at: float, remaining: int, *, granted: int = 60, term: int = 2, took: float = 0.0
) -> LeaseReading:
    return LeaseReading(
        lease_id=LEASE,
        asked_at=at,
        answered_at=at + took,
        granted_ttl_s=granted,
        remaining_ttl_s=remaining,
        raft_term=term,
    )


def traced(*readings: LeaseReading | LeaseNotFound, term_after: int | None = None) -> RenewalTrace:
    last = readings[-1]
    term = last.raft_term if term_after is None else term_after
    probe = LeadershipProbe(last.answered_at + TERM_CONFIRM_DELAY_S, term)
    return trace(LEASE, readings, Leadership.of(readings, [probe]))


@pytest.mark.parametrize(
    ("remaining", "earliest", "latest"),
    [(9, 109.0, 110.5), (1, 101.0, 102.5), (0, 99.0, 101.5), (-1, 98.0, 99.5), (-3, 96.0, 97.5)],
)
def test_deadline_is_placed_by_a_reading(remaining: int, earliest: float, latest: float) -> None:
    """A reading places the deadline, rounding toward zero and the time it took included."""
    seen = reading(100.0, remaining, granted=10, took=0.5)

    assert deadline(seen) == Interval(earliest, latest)


def test_last_refresh_is_placed_by_one_reading() -> None:
    """One reading places the last grant or renewal one granted TTL before the deadline."""
    assert last_refresh(reading(100.0, 39)) == Interval(79.0, 80.0)


def test_a_sawtooth_proves_each_rise() -> None:
    """A TTL that falls to 40 and is back at 59 was renewed, each time."""
    found = traced(reading(0, 59), reading(19, 40), reading(21, 58), reading(42, 57))

    assert found.renewals == 2
    assert found.unconfirmed == 0


def test_a_falling_ttl_proves_nothing() -> None:
    """A lease that counts down was not renewed, however often it is read."""
    found = traced(*(reading(at, 59 - at) for at in range(0, 60, 5)))

    assert found.renewals == 0
    assert found.unrenewed_for_s == pytest.approx(55.0)


def test_rounding_is_no_renewal() -> None:
    """A deadline that seems one second later may be the same one, rounded."""
    assert traced(reading(0.0, 29), reading(1.9, 28)).renewals == 0


@pytest.mark.parametrize(("later", "renewals"), [(30.9, 0), (31.1, 1)])
def test_the_smallest_proof(later: float, renewals: int) -> None:
    """The later deadline must begin after the earlier one ends: just under, and just over."""
    assert traced(reading(0.0, 30), reading(later - 30, 30)).renewals == renewals


def test_survival_proves_renewals_without_sampling() -> None:
    """A lease of 60 s that is alive an hour later was renewed some sixty times."""
    assert traced(reading(0, 30), reading(3600, 30)).renewals == 60


def test_a_ttl_of_two_seconds_is_decided_without_a_sawtooth() -> None:
    """A TTL of 2 s shows 1 nearly all the time, and still proves its renewals."""
    found = traced(*(reading(at, 1, granted=2) for at in (0.0, 1.3, 2.6, 3.9)))

    assert found.renewals == 3


def test_a_new_term_proves_nothing() -> None:
    """A new leader sets every lease back to its full TTL without any client."""
    found = traced(reading(0, 10), reading(5, 59, term=3))

    assert found.renewals == 0
    assert found.unconfirmed == 1


def test_a_term_that_lags_proves_nothing() -> None:
    """A rise under the old term does not count if a later answer carries a new one."""
    found = traced(reading(0, 10), reading(5, 58), term_after=3)

    assert found.renewals == 0
    assert found.unconfirmed == 1


def test_a_rise_needs_a_later_answer() -> None:
    """A rise counts only once a later answer confirms its term."""
    readings = [reading(0, 10), reading(5, 58)]

    assert trace(LEASE, readings, Leadership.of(readings)).renewals == 0


def test_two_leaders_in_one_term_prove_nothing() -> None:
    """A member that names another leader under the same term has not applied the new one."""
    readings = [reading(0, 10), reading(5, 58)]
    probes = [LeadershipProbe(0, 2, 7), LeadershipProbe(9, 2, 8)]

    assert trace(LEASE, readings, Leadership.of(readings, probes)).renewals == 0


def test_a_remaining_ttl_of_the_full_ttl_is_a_promotion() -> None:
    """No grant and no renewal reads as the whole TTL: it shows a leader's hand, under any term."""
    assert shows_promotion(reading(0, 60))
    assert not shows_promotion(reading(0, 59))
    assert traced(reading(0, 10), reading(5, 60), reading(8, 57)).renewals == 0


def test_rises_before_a_leader_change_still_count() -> None:
    """What was proven under the old term stays proven."""
    found = traced(
        reading(0, 59), reading(21, 58), reading(43, 57), reading(50, 50), reading(60, 60, term=3)
    )

    assert found.renewals == 2


def test_for_ever_is_no_reading() -> None:
    """The sentinel of a member that lost the lead is passed over."""
    found = traced(reading(0, 30), reading(1, FOREVER_S), reading(2, 28))

    assert found.renewals == 0


def test_an_id_granted_anew_is_another_lease() -> None:
    """The same ID with another granted TTL, or after it was gone, proves no renewal."""
    gone = LeaseNotFound(lease_id=LEASE, asked_at=3, answered_at=3, raft_term=2)

    assert traced(reading(0, 3, granted=5), reading(4, 59, granted=60)).renewals == 0
    assert traced(reading(0, 2, granted=5), gone, reading(4, 4, granted=5)).renewals == 0


def test_a_revoked_lease_ended_early() -> None:
    """A lease that is gone before its deadline was revoked; after it, it ran out."""

    def gone(at: float) -> LeaseNotFound:
        return LeaseNotFound(lease_id=LEASE, asked_at=at, answered_at=at, raft_term=2)

    assert traced(reading(0, 30), gone(20)).ended_early
    assert not traced(reading(0, 30), gone(31)).ended_early


def test_the_period_is_bounded_from_above() -> None:
    """Renewed every 20 s: the mean time between renewals is said to be at most little more."""
    life = SimulatedLease(60, 0.0, renewals=[20.0 * n for n in range(1, 10)])
    seen = [life.read(at, asked_s=0.01, answered_s=0.01) for at in (15.0, 22.0, 42.0, 62.0)]
    found = traced(*seen)

    assert found.renewals == 3
    assert found.at_most_every_s is not None
    assert 20.0 <= found.at_most_every_s < 21.0


def test_renewals_are_told_apart_by_their_time() -> None:
    """Of the renewals only those that surely came after a moment are counted since then."""
    found = traced(reading(0, 30), reading(3600, 30), reading(3640, 50))

    assert found.renewals_since(0.0) == found.renewals == 61
    assert found.renewals_since(1.0) == 2
    assert found.renewals_since(3575.0) == 1
    assert found.renewals_since(3640.0) == 0


def test_what_was_left_before_a_renewal_is_known() -> None:
    """A reading with little left, and a renewal after it, tell how late the renewal was."""
    found = traced(reading(0, 20), reading(18, 2), reading(25, 55))

    assert found.late_by == pytest.approx(3.0)


@pytest.mark.parametrize(("later", "at"), [(59.9, 59.9), (60.0, None), (600.0, None)])
def test_a_renewal_is_seen_between_readings_less_than_a_ttl_apart(
    later: float, at: float | None
) -> None:
    """Over a longer time it is inferred from survival, as if etcd's clock had never stood still."""
    found = traced(reading(0, 30), reading(later, 50))

    assert found.renewals >= 1
    assert found.closely_renewed_at == at


def test_a_machine_that_stood_still_renews_nothing() -> None:
    """
    The suspension of etcd for ten minutes looks like renewals of a lease that nobody renews.

    Survival takes that for renewals: the assumption that docs/architecture.md names. Readings less
    than a TTL apart, before and after it, show none.
    """
    found = traced(reading(0, 55), reading(20, 35), reading(620, 34), reading(640, 14))

    assert found.renewals == 10
    assert found.closely_renewed_at is None


# Against a simulated lessor

latencies = st.floats(0.0, 0.4)


@st.composite
def lives(draw: st.DrawFn) -> SimulatedLease:
    granted = draw(st.integers(2, 120))
    moments = st.floats(-float(granted), 400.0)
    return SimulatedLease(
        granted_ttl_s=granted,
        granted_at=-draw(st.floats(0.0, float(granted) - 0.5)),
        renewals=draw(st.lists(moments, max_size=40)),
        promotions=draw(st.lists(st.floats(1.0, 400.0), max_size=3)),
        term_lag_s=draw(st.floats(0.0, TERM_CONFIRM_DELAY_S * 0.9)),
    )


@settings(max_examples=500)
@given(
    life=lives(),
    moments=st.lists(st.floats(0.0, 400.0), min_size=2, max_size=12),
    asked_s=latencies,
    answered_s=latencies,
    drift=st.floats(-100e-6, 100e-6),
)
def test_never_more_renewals_than_happened(
    life: SimulatedLease, moments: list[float], asked_s: float, answered_s: float, drift: float
) -> None:
    """Whatever renewals, leaders, sampling times, latencies and clocks do: never one too many."""
    moments = sorted(moments)
    readings = [
        _on_another_clock(life.read(m, asked_s=asked_s, answered_s=answered_s), drift)
        for m in moments
    ]
    after = moments[-1] + answered_s + 2 * TERM_CONFIRM_DELAY_S
    last = life.read(after, asked_s=0.0, answered_s=0.0)
    probe = LeadershipProbe(after * (1 + drift), last.raft_term)
    found = trace(LEASE, readings, Leadership.of(readings, [probe]))

    assert found.renewals <= life.renewals_between(moments[0], moments[-1])


def _on_another_clock(
    seen: LeaseReading | LeaseNotFound, drift: float
) -> LeaseReading | LeaseNotFound:
    asked_at, answered_at = seen.asked_at * (1 + drift), seen.answered_at * (1 + drift)
    if isinstance(seen, LeaseNotFound):
        return LeaseNotFound(
            lease_id=seen.lease_id,
            asked_at=asked_at,
            answered_at=answered_at,
            raft_term=seen.raft_term,
        )
    return LeaseReading(
        lease_id=seen.lease_id,
        asked_at=asked_at,
        answered_at=answered_at,
        granted_ttl_s=seen.granted_ttl_s,
        remaining_ttl_s=seen.remaining_ttl_s,
        raft_term=seen.raft_term,
    )


@settings(max_examples=300)
@given(life=lives(), moments=st.lists(st.floats(0.0, 400.0), min_size=2, max_size=12))
def test_what_the_samples_prove_is_not_missed(life: SimulatedLease, moments: list[float]) -> None:
    """Under one leader, a deadline that moved by more than the rounding is always noticed."""
    steady = SimulatedLease(life.granted_ttl_s, life.granted_at, life.renewals)
    moments = sorted(moments)
    readings = [steady.read(m, asked_s=0.0, answered_s=0.0) for m in moments]
    found = traced(*readings)
    first, last = steady.deadline_at(moments[0]), steady.deadline_at(moments[-1])
    if first is not None and last is not None and last > first + 2.2:
        assert found.renewals >= 1
        assert found.renewals >= (last - first - 2.2) / steady.granted_ttl_s
