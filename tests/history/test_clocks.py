"""Time between runs: clocks that were set, boots, other machines."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.model.locks import Hold
from lockdoctor.domain.past.past import ClockMark
from lockdoctor.domain.past.run_record import ListedLeases
from lockdoctor.history.clocks import SKEW_S
from lockdoctor.history.store import open_history
from tests.factories.history import (
    HOLD,
    a_clock,
    a_mark,
    a_run,
    a_sight,
    ask,
    by_lease,
    recalled,
    stored,
)
from tests.factories.reports import HOLDER, NOON, an_observation

HOUR = 3600.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite3"


def first_seen(path: Path, clock: ClockMark) -> float:
    """How long ago, by a run with such a clock, the hold was first seen."""
    return clock.wall_at - recalled(path, clock).holds[HOLD].first_answered_at


@pytest.mark.parametrize("stepped_s", [-HOUR, HOUR, 0.25])
def test_a_stepped_wall_clock_changes_no_age(path: Path, stepped_s: float) -> None:
    """On one boot, five minutes stay five minutes, whatever was done to the wall clock."""
    stored(path, a_run(holds=[a_sight()]))

    later = a_clock(NOON + 300 + stepped_s, stepped_s=stepped_s)

    assert first_seen(path, later) == pytest.approx(299.99, abs=1e-3)


def test_readings_are_told_in_this_runs_time(path: Path) -> None:
    """A reading before a step lies as far back as it does on the steady clock."""
    stored(path, a_run(readings=by_lease(an_observation(took_s=0.5))))

    (reading,) = recalled(path, a_clock(NOON + 300 + HOUR, stepped_s=HOUR)).readings[HOLDER]

    assert reading.asked_at == pytest.approx(NOON + HOUR)
    assert reading.answered_at == pytest.approx(NOON + HOUR + 0.5)


def test_a_step_between_runs_mixes_no_order(path: Path) -> None:
    """Readings of three runs with two steps between them stay in order, five minutes apart."""
    for number, stepped_s in enumerate((0.0, -HOUR, HOUR)):
        at = NOON + 300 * number + stepped_s
        run = a_run(
            at, readings=by_lease(an_observation(at=at, raft_term=number)), raft_term=number
        )
        stored(path, run, a_clock(at, stepped_s=stepped_s))

    past = recalled(path, a_clock(NOON + 900), raft_term=2)

    moments = [reading.asked_at for reading in past.readings[HOLDER]]
    assert moments == pytest.approx([NOON, NOON + 300, NOON + 600])


@pytest.mark.parametrize("boot_id", ["another boot", None])
def test_another_boot_tells_by_its_wall_clock(path: Path, boot_id: str | None) -> None:
    """Its moments are taken as wider by what two clocks may differ, so that this proves nothing."""
    stored(path, a_run(holds=[a_sight(NOON), a_sight(NOON + 100)], ended_at=NOON + 101))

    seen = recalled(path, a_clock(NOON + 300, boot_id=boot_id)).holds[HOLD]

    assert seen.first_answered_at == pytest.approx(NOON + 0.01 + SKEW_S)
    assert seen.last_asked_at == pytest.approx(NOON + 100 - SKEW_S)


def test_without_a_named_boot_the_wall_clock_is_all_there_is(path: Path) -> None:
    """Two runs that do not know their boot do not trust their steady clocks."""
    nameless = a_clock(NOON, boot_id=None)
    stored(path, a_run(holds=[a_sight()]), nameless)

    later = ClockMark(wall_at=NOON + 300, boot_id=None, steady_at=1.0)

    assert first_seen(path, later) == pytest.approx(299.99 - SKEW_S)


def test_a_reading_of_another_machine_is_wider(path: Path) -> None:
    """Both of its ends move, so that neither a renewal nor an age comes from the clocks."""
    stored(path, a_run(readings=by_lease(an_observation())))

    (reading,) = recalled(path, a_clock(NOON + 300, boot_id="b")).readings[HOLDER]

    assert (reading.asked_at, reading.answered_at) == (NOON - SKEW_S, NOON + SKEW_S)


def test_no_moment_is_told_as_later_than_now(path: Path) -> None:
    """However wide, it was before this run began."""
    stored(path, a_run(readings=by_lease(an_observation()), holds=[a_sight()]))

    past = recalled(path, a_clock(NOON + 2, boot_id="b"))

    assert past.readings[HOLDER][0].answered_at == NOON + 2
    assert past.holds[HOLD].first_answered_at == NOON + 2


def test_the_future_of_another_boot_is_left_out(path: Path) -> None:
    """A clock that was set back over a boot invents no age and proves no renewal."""
    at = NOON + HOUR
    run = a_run(
        at,
        holds=[a_sight(at)],
        readings=by_lease(an_observation(at=at, attached_keys=())),
        listed=ListedLeases(lease_ids=(HOLDER,), sessions=()),
        marks=(a_mark(at, 5),),
    )
    stored(path, run)

    past = recalled(path, a_clock(NOON, boot_id="b"))

    assert past.runs == 0
    assert (past.holds, past.readings, past.keyless_since) == ({}, {}, {})
    assert (past.marks, past.probes) == ((), ())
    assert [listing.new for listing in past.listings] == [frozenset()]


def test_what_was_seen_before_and_in_the_future_counts_from_before(path: Path) -> None:
    """Only the part that a wrong clock wrote is left out."""
    stored(path, a_run(holds=[a_sight()], readings=by_lease(an_observation())))
    at = NOON + HOUR
    wrong = a_run(at, holds=[a_sight(at)], readings=by_lease(an_observation(at=at)))
    stored(path, wrong, a_clock(at, boot_id="b"))

    past = recalled(path, a_clock(NOON + 600, boot_id="c"))

    seen = past.holds[HOLD]
    assert (seen.first_answered_at, seen.last_asked_at) == (NOON + 0.01 + SKEW_S, NOON + 600)
    assert [reading.asked_at for reading in past.readings[HOLDER]] == [NOON - SKEW_S]


def test_a_wrong_clock_does_not_blind_those_after_it(path: Path) -> None:
    """Once a run has been stored with a right clock, the next one builds on that."""
    at = NOON + 1000 * HOUR
    stored(path, a_run(at, readings=by_lease(an_observation(at=at)), holds=[a_sight(at)]))
    right = a_run(readings=by_lease(an_observation()), holds=[a_sight()])
    stored(path, right, a_clock(boot_id="b"))

    past = recalled(path, a_clock(NOON + 300, boot_id="b"))

    assert past.runs == 1
    assert [reading.asked_at for reading in past.readings[HOLDER]] == [NOON]
    assert past.holds[HOLD].first_answered_at == NOON + 1.0 + SKEW_S  # stored before that run


@pytest.mark.parametrize("behind_s", [61.0, 240 * HOUR])
def test_a_clock_that_was_set_back_costs_nothing(path: Path, behind_s: float) -> None:
    """
    Twenty daily runs, then one after a boot with a clock that is behind, then a right one.

    Meanwhile the runs that lie ahead are left out. Nothing of them is deleted, nothing of the
    wrong run makes a hold look older, and once the clock is right all of it is there.
    """
    late = Hold(b"/my-lock/late/1a2b3c", 11)
    for number in range(20):
        at = NOON + number * 24 * HOUR
        seen = [a_sight(at), *([a_sight(at, late)] if number > 14 else [])]
        stored(path, a_run(at, holds=seen, readings=by_lease(an_observation(at=at))))
    last = NOON + 19 * 24 * HOUR
    wrong = last - behind_s
    new = Hold(b"/my-lock/new/1a2b3c", 12)
    seen = [a_sight(wrong, hold) for hold in (HOLD, late, new)]
    readings = by_lease(an_observation(at=wrong))
    stored(path, a_run(wrong, holds=seen, readings=readings), a_clock(wrong, boot_id="b"))

    meanwhile = recalled(path, a_clock(wrong + 300, boot_id="b"), holds=(HOLD, late, new))
    past = recalled(path, a_clock(last + 600, boot_id="c"), holds=(HOLD, late, new))

    assert meanwhile.runs == sum(NOON + n * 24 * HOUR + 1 <= wrong + 300 for n in range(20)) + 1
    assert meanwhile.holds[late].first_answered_at <= wrong + 300
    assert past.runs == 21
    assert past.holds[HOLD].first_answered_at == NOON + 0.01 + SKEW_S
    assert past.holds[late].first_answered_at == NOON + 15 * 24 * HOUR + 0.01 + SKEW_S
    assert past.holds[new].first_answered_at >= last
    asked = [reading.asked_at for reading in past.readings[HOLDER]]
    assert asked == [NOON - SKEW_S, last - SKEW_S]


def test_a_machine_that_was_set_back_to_a_snapshot_starts_again(path: Path) -> None:
    """The same boot with a steady clock that went back: what lies ahead is left out."""
    listed = ListedLeases(lease_ids=(HOLDER,), sessions=())
    stored(path, a_run(NOON + HOUR, holds=[a_sight(NOON + HOUR)], listed=listed))

    assert recalled(path, a_clock(NOON)).holds == {}
    listed = ListedLeases(lease_ids=(LeaseId(7),), sessions=())
    stored(path, a_run(NOON, holds=[a_sight(NOON)], listed=listed))
    past = recalled(path, a_clock(NOON + 300), lease_ids=(LeaseId(7),))
    assert past.holds[HOLD].last_asked_at == NOON
    assert past.listings[-1].new == frozenset()


def test_one_boot_takes_one_clock(path: Path) -> None:
    """The clocks of runs that nobody stepped between are the same, but for what reading takes."""
    for number in range(20):
        at = NOON + 300 * number
        jitter = ClockMark(
            wall_at=at + 0.0004 * (number % 2),
            boot_id="b",
            steady_at=at - NOON,
        )
        stored(path, a_run(at), jitter)

    with open_history(path, a_clock()) as history:
        count = history._connection.execute("SELECT count(*) FROM clock").fetchone()[0]

    assert count == 1


def test_the_run_that_tells_is_the_run_that_asks(path: Path) -> None:
    """A run can ask for what it has just stored; none of it is lost on the way."""
    with open_history(path, a_clock(NOON + 10)) as history:
        history.record(a_run(readings=by_lease(an_observation(took_s=0.123))))
        (reading,) = ask(history).readings[HOLDER]

    assert reading == an_observation(took_s=0.123)
