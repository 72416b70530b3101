"""What folding readings keeps, and what it loses, against a simulated lessor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from lockdoctor.domain.inference.deadlines import CLOCK_DRIFT
from lockdoctor.domain.inference.leadership import Leadership
from lockdoctor.domain.inference.renewals import RenewalTrace, trace
from lockdoctor.domain.model.leases import LeadershipProbe, LeaseReading, Reading
from lockdoctor.history.reading_spans import compress
from tests.factories.reports import NOON, an_observation
from tests.simulated_lease import LEASE, SimulatedLease, kept_alive

ROUND_TRIP_S = 0.02
WIDTH_S = 1.0 + ROUND_TRIP_S
"""How exactly one reading places the deadline."""

gaps = st.lists(st.floats(0.1, 400.0), min_size=2, max_size=25)
ttls = st.integers(2, 300)


def ends(readings: Sequence[Reading]) -> list[Reading]:
    return [reading for span in compress(readings) for reading in span.ends]


def looks(lease: SimulatedLease, gaps_s: Sequence[float]) -> list[Reading]:
    half = ROUND_TRIP_S / 2
    moments = accumulate(gaps_s)
    return [lease.read(moment, asked_s=half, answered_s=half) for moment in moments]


def proven(readings: Sequence[Reading], of: Sequence[Reading]) -> RenewalTrace:
    """What readings prove once an answer after all of them has confirmed the last raft term."""
    last = of[-1]
    probes = [LeadershipProbe(last.answered_at + 5, last.raft_term)]
    return trace(LEASE, readings, Leadership.of(readings, probes))


@st.composite
def lives(draw: st.DrawFn) -> tuple[SimulatedLease, list[float]]:
    """A lease with any renewals and any leaders, and when it is looked at."""
    granted_ttl_s, gaps_s = draw(ttls), draw(gaps)
    until = sum(gaps_s)
    moments = st.lists(st.floats(0.0, until), max_size=40).map(sorted)
    lease = SimulatedLease(
        granted_ttl_s=granted_ttl_s,
        granted_at=-draw(st.floats(0.0, granted_ttl_s - 1.0)),
        renewals=draw(moments),
        promotions=draw(st.lists(st.floats(0.0, until), max_size=3).map(sorted)),
        term_lag_s=draw(st.floats(0.0, 0.9)),
    )
    return lease, gaps_s


@given(lives())
def test_folded_readings_never_prove_more_than_happened(
    life: tuple[SimulatedLease, list[float]],
) -> None:
    """For any renewals, any leaders and any looks."""
    lease, gaps_s = life
    readings = looks(lease, gaps_s)

    found = proven(ends(readings), readings)

    happened = lease.renewals_between(readings[0].asked_at, readings[-1].answered_at)
    assert found.renewals <= happened


@given(ttls, st.floats(0.0, 1.0), gaps)
def test_survival_is_proven_by_the_first_and_the_last_reading(
    granted_ttl_s: int, phase: float, gaps_s: list[float]
) -> None:
    """A lease that outlived its TTL was renewed as often as the time between demands."""
    lease = kept_alive(granted_ttl_s, phase_s=phase * 0.3 * granted_ttl_s, until=sum(gaps_s))
    readings = looks(lease, gaps_s)
    between_s = readings[-1].asked_at - readings[0].answered_at
    outlived_s = between_s * (1 - 2 * CLOCK_DRIFT) - granted_ttl_s - 2 * WIDTH_S

    found = proven(ends(readings), readings)

    assert found.renewals >= math.ceil(outlived_s / granted_ttl_s)


@given(ttls, st.floats(0.0, 1.0), gaps)
def test_folding_loses_one_renewal_for_a_reading_at_the_most(
    granted_ttl_s: int, phase: float, gaps_s: list[float]
) -> None:
    """Two rises that become one prove one less, and the two ends place it less exactly."""
    lease = kept_alive(granted_ttl_s, phase_s=phase * 0.3 * granted_ttl_s, until=sum(gaps_s))
    readings = looks(lease, gaps_s)

    everything, folded = proven(readings, readings), proven(ends(readings), readings)

    rises = len(everything.renewals_before_last)
    inexact = math.ceil((2 * WIDTH_S + CLOCK_DRIFT * sum(gaps_s)) / granted_ttl_s)
    assert folded.renewals >= everything.renewals - max(0, rises - 1) - inexact


@given(lives(), st.integers(0, 25))
def test_folding_in_parts_is_folding_at_once(
    life: tuple[SimulatedLease, list[float]], cut: int
) -> None:
    """What is stored after each run is what would be kept of all readings together."""
    readings = looks(*life)

    in_parts = ends([*ends(readings[:cut]), *readings[cut:]])

    assert in_parts == ends(readings)


def test_what_is_counted_is_what_was_read() -> None:
    """A stretch knows how many readings it stands for."""
    readings = [an_observation(at=NOON + 20 * number) for number in range(7)]

    (span,) = compress(readings)

    assert (span.readings, span.ends) == (7, (readings[0], readings[-1]))


def test_a_rise_within_a_scan_may_become_one() -> None:
    """A scan that saw two renewals within one TTL leaves the proof of one: this is lost."""
    seen = ((0.0, 44), (21.8, 42), (42.0, 42))
    readings: list[LeaseReading] = [
        an_observation(at=NOON + at, remaining_ttl_s=left) for at, left in seen
    ]

    assert proven(readings, readings).renewals == 2
    assert proven(ends(readings), readings).renewals == 1
