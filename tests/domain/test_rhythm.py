"""Sessions joined by the rhythm of their renewals, and how often chance joins them."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockdoctor.domain.leases import LeaseId, Observation, Reading
from lockdoctor.domain.renewals import Interval
from lockdoctor.domain.rhythm import (
    FINE_S,
    GOOD_S,
    JITTER_S,
    Beat,
    beat,
    chance_of_any,
    closest,
    coincidence,
    in_step,
    timing_look,
)
from lockdoctor.domain.schedule import HOPEFUL, next_look
from tests.simulation import SimulatedLease

ROUND_TRIP_S = 0.002


def a_chance(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - no secret


class Loop:
    """The loop of one client: it wakes every turn and renews what is due."""

    def __init__(self, chance: random.Random, turn_s: float | None = None) -> None:
        """Begin at any phase."""
        self.chance = chance
        self.turn_s = chance.uniform(0.5003, 0.503) if turn_s is None else turn_s
        self.begins_at = chance.uniform(-100.0, -99.0)

    def session(self, granted_ttl_s: int, jitter_s: float = 0.005) -> SimulatedLease:
        """A session opened at any time, kept alive for five minutes."""
        opened_at = self.begins_at + self.chance.uniform(1.0, 60.0)
        renewals = []
        due_at = opened_at
        while due_at < 300:
            wakes_at = self._wakes_after(due_at)
            renewals.append(wakes_at + self.chance.uniform(0.0, jitter_s))
            due_at = renewals[-1] + granted_ttl_s / 3
        return SimulatedLease(granted_ttl_s=granted_ttl_s, granted_at=opened_at, renewals=renewals)

    def _wakes_after(self, moment: float) -> float:
        turns = math.floor((moment - self.begins_at) / self.turn_s) + 1
        return self.begins_at + turns * self.turn_s


def watched(life: SimulatedLease, chance: random.Random, needed: int = 2) -> list[Reading]:
    """Look at a lease as a scan does that times it."""
    readings: list[Reading] = []
    at: float | None = chance.uniform(0.0, 0.1)
    while at is not None and len(readings) < 100:
        asked_s = chance.uniform(0.0, ROUND_TRIP_S / 2)
        readings.append(life.read(at + asked_s, asked_s=asked_s, answered_s=ROUND_TRIP_S / 2))
        looks = (timing_look(readings, HOPEFUL), next_look(readings, needed))
        at = min((look for look in looks if look is not None), default=None)
    return readings


def the_beat(life: SimulatedLease, chance: random.Random, needed: int = 2) -> Beat | None:
    return beat(watched(life, chance, needed), HOPEFUL)


@pytest.mark.parametrize("granted_ttl_s", [15, 30, 60])
def test_renewals_are_known_to_milliseconds_after_a_few_looks(granted_ttl_s: int) -> None:
    """Two or three renewals of a lease take a dozen looks or two each, seldom more."""
    chance = a_chance(1)
    lives = [Loop(chance).session(granted_ttl_s) for _ in range(25)]
    looks = [watched(life, chance) for life in lives]
    beats = [beat(readings, HOPEFUL) for readings in looks]

    assert sum(found is not None for found in beats) >= 22
    assert sum(map(len, looks)) / len(looks) < 40
    for found in beats:
        for renewal in found.renewals if found else ():
            assert renewal.latest - renewal.earliest <= GOOD_S


def test_a_renewal_lies_where_it_was_measured() -> None:
    """What the looks leave of the doubt holds the moment of a renewal."""
    chance = a_chance(2)
    for _ in range(30):
        life = Loop(chance).session(30)
        found = the_beat(life, chance)
        for renewal in found.renewals if found else ():
            assert any(renewal.earliest - 1e-5 <= at <= renewal.latest for at in life.renewals)


@pytest.mark.parametrize("granted_ttl_s", [15, 30, 60])
def test_sessions_of_one_client_are_joined(granted_ttl_s: int) -> None:
    """Wherever in the loop they were opened."""
    chance = a_chance(3)
    joined = found = 0
    for _ in range(40):
        loop = Loop(chance)
        one, other = (the_beat(loop.session(granted_ttl_s), chance) for _ in range(2))
        if one and other:
            found += 1
            joined += coincidence(one, other) is not None

    assert found > 30
    assert joined >= 0.99 * found


@pytest.mark.parametrize("granted_ttl_s", [15, 30, 60])
def test_independent_clients_are_not_joined_more_often_than_stated(granted_ttl_s: int) -> None:
    """The stated chance is at least the share of independent pairs that look the same."""
    chance = a_chance(4)
    beats = [the_beat(Loop(chance).session(granted_ttl_s), chance) for _ in range(150)]
    known = [found for found in beats if found]
    pairs = [pair for gap in (1, 7, 20) for pair in zip(known[:-gap], known[gap:], strict=True)]
    chances = [coincidence(*pair) for pair in pairs]
    joined = [found for found in chances if found is not None]
    stated = sum(joined) / len(joined)

    allowed = stated + 3 * math.sqrt(stated * (1 - stated) / len(pairs))
    assert len(joined) / len(pairs) <= allowed
    assert 0.01 < stated < 0.12


@given(
    phase_s=st.floats(0.0, 0.5),
    widths=st.tuples(st.floats(0.001, GOOD_S), st.floats(0.001, GOOD_S)),
    turns=st.integers(0, 40),
)
@settings(max_examples=300)
def test_the_stated_chance_is_the_share_of_phases_that_fit(
    phase_s: float, widths: tuple[float, float], turns: int
) -> None:
    """Turned through a whole turn in small steps, no more phases fit than the chance says."""
    turn_s, steps = 0.501, 250
    turn = Interval(turn_s, turn_s)
    one = Beat(lease_id=LeaseId(1), renewals=(Interval(0.0, widths[0]),) * 2, turn=turn)
    fits = []
    for step in range(steps):
        begins_at = phase_s + turns * turn_s + step * turn_s / steps
        interval = Interval(begins_at, begins_at + widths[1])
        other = Beat(lease_id=LeaseId(2), renewals=(interval,) * 2, turn=turn)
        fits.append(coincidence(one, other))
    stated = [found for found in fits if found is not None]

    assert stated
    assert len(stated) / steps <= max(stated) + 2 / steps
    assert max(stated) == pytest.approx((sum(widths) + 2 * JITTER_S) / turn_s)


def test_a_client_of_another_kind_has_no_rhythm() -> None:
    """One that renews by its own timer is not taken for a loop of half a second."""
    chance = a_chance(5)
    life = SimulatedLease(
        granted_ttl_s=30, granted_at=-50.0, renewals=[-50 + 9.77 * n for n in range(40)]
    )

    assert the_beat(life, chance) is None


def test_an_uncertain_turn_makes_chance_more_likely() -> None:
    """The less is known of the turn, the more fits over a distance of many turns."""
    exact, vague = Interval(0.5010, 0.5012), Interval(0.5, 0.503)
    here, there = Interval(0.0, FINE_S), Interval(10.02, 10.02 + FINE_S)
    one = Beat(lease_id=LeaseId(1), renewals=(here,) * 2, turn=exact)
    other = Beat(lease_id=LeaseId(2), renewals=(there,) * 2, turn=exact)
    unsure = Beat(lease_id=LeaseId(3), renewals=(there,) * 2, turn=vague)
    sure, vague_one = coincidence(one, other), coincidence(one, unsure)
    assert sure is not None
    assert vague_one is not None
    assert sure < vague_one


def test_short_leases_are_left_alone() -> None:
    """Where renewals come every few seconds there is no time to measure one."""
    life = Loop(a_chance(6)).session(12)
    reading = life.read(0.5, asked_s=0.0, answered_s=0.0)

    assert isinstance(reading, Observation)
    assert timing_look([reading], HOPEFUL) is None


def a_beat(at: float, lease_id: int = 1) -> Beat:
    """Two renewals of a client whose turn is known exactly, at a place of the turn."""
    turn = Interval(0.501, 0.501)
    return Beat(lease_id=LeaseId(lease_id), renewals=(Interval(at, at + FINE_S),) * 2, turn=turn)


def test_sessions_of_one_client_count_but_once() -> None:
    """Ten that fit together prove no more than one; ten that are spread out fit anything."""
    one = coincidence(a_beat(0.1), a_beat(0.1))
    together = [a_beat(0.1 + n * 0.0001) for n in range(10)]
    spread = [a_beat(n * 0.0501) for n in range(10)]

    assert one is not None
    assert chance_of_any(a_beat(0.3), together) == pytest.approx(one, rel=0.05)
    assert chance_of_any(a_beat(0.3), spread) == pytest.approx(10 * one, rel=0.05)
    assert chance_of_any(a_beat(0.3), [*spread, *spread]) == pytest.approx(10 * one, rel=0.05)


@given(st.lists(st.floats(0.0, 0.5), min_size=1, max_size=8))
@settings(max_examples=50)
def test_the_chance_of_any_is_the_share_of_places_that_fit_one(places: list[float]) -> None:
    """A client of any phase fits at least one of them that often, and no more."""
    others = [a_beat(place) for place in places]
    steps = 300
    fits = sum(bool(in_step(a_beat(n * 0.501 / steps), others)) for n in range(steps))

    assert fits / steps == pytest.approx(chance_of_any(a_beat(0.0), others), abs=0.03)


def test_the_best_fit_is_preferred() -> None:
    """Of those that fit, one that is clearly further off is left out; those as close are kept."""
    others = [a_beat(0.1, 1), a_beat(0.103, 2), a_beat(0.115, 3), a_beat(0.3, 4)]

    assert in_step(a_beat(0.1), others) == {1, 2, 3}
    assert closest(a_beat(0.1), others) == {1, 2}
    assert closest(a_beat(0.2), others) == set()
