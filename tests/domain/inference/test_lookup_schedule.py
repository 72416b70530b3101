"""When to look at a lease next: early enough to prove, never a look in vain."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from lockdoctor.domain.inference.lookup_schedule import (
    ASSUME_STEADY_LEADER,
    is_overdue,
    needed_window_s,
    next_look,
)
from lockdoctor.domain.inference.renewals import trace
from lockdoctor.domain.model.leases import LeaseNotFound, LeaseReading, Reading
from tests.simulated_lease import LEASE, SimulatedLease, kept_alive


def follow(life: SimulatedLease, needed: int, *, until: float, latency_s: float) -> list[Reading]:
    """Look as the schedule says until the lease is decided or the time is up."""
    readings = [life.read(0.0, asked_s=latency_s, answered_s=latency_s)]
    while (at := next_look(readings, needed)) is not None and at <= until:
        assert at > readings[-1].answered_at
        readings.append(life.read(at + latency_s, asked_s=latency_s, answered_s=latency_s))
    return readings


@settings(max_examples=400)
@given(
    granted=st.integers(2, 600),
    phase=st.floats(0.0, 0.999),
    needed=st.integers(1, 2),
    latency_s=st.floats(0.0, 0.1),
)
@example(granted=5, phase=0.5, needed=2, latency_s=0.0)  # the last look at the window's very end
def test_a_kept_lease_is_proven_within_the_needed_window(
    granted: int, phase: float, needed: int, latency_s: float
) -> None:
    """A lease that a client of Go's kind renews is proven so, in as many looks plus one."""
    life = kept_alive(granted, phase_s=phase * granted / 3, until=granted * 4.0 + 30)
    first = life.read(0.0, asked_s=latency_s, answered_s=latency_s)
    assert isinstance(first, LeaseReading)
    window = needed_window_s(first, needed)
    readings = follow(life, needed, until=window, latency_s=latency_s)

    assert trace(LEASE, readings, ASSUME_STEADY_LEADER).renewals >= needed
    assert len(readings) <= needed + 1


@settings(max_examples=300)
@given(granted=st.integers(2, 600), age=st.floats(0.0, 0.95), latency_s=st.floats(0.0, 0.1))
def test_a_lease_left_alone_is_seen_to_end_in_few_looks(
    granted: int, age: float, latency_s: float
) -> None:
    """A lease that nobody renews is never called renewed, and its end is seen."""
    life = SimulatedLease(granted, -age * granted)
    readings = follow(life, 2, until=granted * 2.0 + 10, latency_s=latency_s)

    assert trace(LEASE, readings, ASSUME_STEADY_LEADER).renewals == 0
    assert isinstance(readings[-1], LeaseNotFound)
    assert len(readings) <= 5


def test_sixty_seconds_take_about_forty() -> None:
    """For Go's default TTL the worst case of two renewals stays below 44 s."""
    life = kept_alive(60, phase_s=0.0, until=120.0)
    readings = follow(life, 2, until=60.0, latency_s=0.01)

    assert len(readings) == 3
    assert 40.0 < readings[-1].answered_at < 44.0


def test_a_late_renewer_is_caught_in_the_act() -> None:
    """A client that renews one second before the end is looked at just before, and just after."""
    life = SimulatedLease(30, 0.0, renewals=[29.0, 58.0])
    readings = follow(life, 1, until=60.0, latency_s=0.01)
    found = trace(LEASE, readings, ASSUME_STEADY_LEADER)

    assert found.renewals == 1
    assert found.late_by is not None
    assert found.late_by < 30 / 6


def test_a_missed_renewal_is_overdue() -> None:
    """A lease below two thirds of its TTL is overdue; just above, it may be renewed any moment."""
    life = SimulatedLease(60, 0.0)
    in_time = [life.read(20.0, asked_s=0.0, answered_s=0.0)]
    late = [life.read(24.0, asked_s=0.0, answered_s=0.0)]

    assert not is_overdue(trace(LEASE, in_time, ASSUME_STEADY_LEADER))
    assert is_overdue(trace(LEASE, late, ASSUME_STEADY_LEADER))


def test_a_habit_is_not_overdue() -> None:
    """A client that renews one second before the end is not called stopped in between."""
    life = SimulatedLease(30, 0.0, renewals=[29.0, 58.0, 87.0])
    readings = [life.read(at, asked_s=0.0, answered_s=0.0) for at in (5.0, 28.0, 30.0, 56.0)]

    assert is_overdue(trace(LEASE, readings[:2], ASSUME_STEADY_LEADER))
    assert not is_overdue(trace(LEASE, readings, ASSUME_STEADY_LEADER))
