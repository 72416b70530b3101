"""The remaining TTL between the readings."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lockdoctor.domain.inference.lookup_schedule import ASSUME_STEADY_LEADER
from lockdoctor.domain.inference.renewals import trace
from lockdoctor.domain.inference.ttl_timeline import segments
from lockdoctor.domain.model.leases import LeaseReading
from tests.factories.reports import an_observation
from tests.simulated_lease import LEASE, SimulatedLease

TOOK_S = 0.05
moments = st.floats(0.0, 60.0)


def test_a_reading_tells_back_to_the_renewal_that_set_it() -> None:
    """40 of 60 s left: the tooth is twenty seconds long; what came before it is not known."""
    reading = an_observation(at=1000.0, remaining_ttl_s=40, granted_ttl_s=60)

    (tooth,) = segments(trace(LEASE, [reading], ASSUME_STEADY_LEADER))

    assert 979.0 <= tooth.since <= 982.0
    assert tooth.until == reading.answered_at
    assert 40.0 <= tooth.left_s(1000.0) <= 41.5


def test_a_tooth_begins_no_sooner_than_the_reading_before() -> None:
    """Two readings of one deadline make one line, not two over one another."""
    first = an_observation(at=1000.0, remaining_ttl_s=40, granted_ttl_s=60)
    second = an_observation(at=1010.0, remaining_ttl_s=30, granted_ttl_s=60)

    before, after = segments(trace(LEASE, [first, second], ASSUME_STEADY_LEADER))

    assert before.until == after.since


@given(
    granted=st.integers(2, 60),
    renewals=st.lists(moments, max_size=12),
    promotions=st.lists(moments, max_size=2),
    looks=st.lists(moments, min_size=1, max_size=8, unique=True),
    at=moments,
)
def test_what_is_known_is_true(
    granted: int, renewals: list[float], promotions: list[float], looks: list[float], at: float
) -> None:
    """Whatever was renewed, by whomever, at any moment of a tooth so much was really left."""
    lease = SimulatedLease(granted, 0.0, renewals, promotions)
    readings = [lease.read(look, asked_s=TOOK_S, answered_s=TOOK_S) for look in sorted(looks)]

    for tooth in segments(trace(LEASE, readings, ASSUME_STEADY_LEADER)):
        if not tooth.since <= at <= tooth.until - TOOK_S:
            continue
        ends = lease.deadline_at(at)
        assert ends is not None
        assert abs(tooth.left_s(at) - (ends - at)) <= 1.0 + 2 * TOOK_S


@given(looks=st.lists(moments, max_size=8, unique=True))
def test_each_reading_has_its_tooth(looks: list[float]) -> None:
    """In the order of time, none over another."""
    lease = SimulatedLease(20, 0.0, [15.0, 30.0, 45.0])
    readings = [lease.read(look, asked_s=TOOK_S, answered_s=TOOK_S) for look in sorted(looks)]

    found = segments(trace(LEASE, readings, ASSUME_STEADY_LEADER))

    assert len(found) == sum(isinstance(reading, LeaseReading) for reading in readings)
    for tooth, after in pairwise(found):
        assert tooth.since <= tooth.until <= after.since <= after.until
