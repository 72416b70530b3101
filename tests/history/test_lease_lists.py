"""Which leases the cluster listed before: what is new, and what has ended."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.past.past import Past
from lockdoctor.domain.past.run_record import ListedLeases
from lockdoctor.history.lease_lists import MAX_LISTINGS
from lockdoctor.history.store import open_history
from tests.factories.history import a_clock, a_run, ask, by_lease, recalled, stored
from tests.factories.reports import NOON, an_observation

EVERY_S = 300.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite3"


def listed(*leases: int, sessions: Iterable[int] = ()) -> ListedLeases:
    ids = tuple(map(LeaseId, leases))
    return ListedLeases(lease_ids=ids, sessions=tuple(map(LeaseId, sessions)))


def added(past: Past) -> list[tuple[set[int], int]]:
    """What each list added: its new leases, and how many sessions it missed."""
    return [(set(listing.new), listing.ended) for listing in past.listings]


def test_a_lease_is_new_once(path: Path) -> None:
    """In the run that first lists it, with or without keys; the present run's list comes last."""
    for number, leases in enumerate([(1, 2), (1, 2, 3), (1, 2, 3), (2, 3, 4)]):
        stored(path, a_run(NOON + EVERY_S * number, listed=listed(*leases)))

    past = recalled(path, NOON + 1200, lease_ids=(2, 3, 4, 5))

    assert added(past) == [(set(), 0), ({3}, 0), (set(), 0), ({4}, 0), ({5}, 0)]
    assert [listing.at for listing in past.listings] == [
        *(NOON + EVERY_S * number + 1 for number in range(4)),
        NOON + 1200,
    ]


def test_a_session_that_ended_is_counted_by_the_run_that_misses_it(path: Path) -> None:
    """Only one that was once seen renewed and without keys: others come and go with their locks."""
    stored(path, a_run(listed=listed(1, 2, 3, 4, sessions=[1, 2, 4])))
    stored(path, a_run(NOON + 300, listed=listed(1, 2, sessions=[1])))

    assert added(recalled(path, NOON + 600, lease_ids=(2,))) == [(set(), 0), (set(), 1), (set(), 1)]
    assert added(recalled(path, NOON + 600, lease_ids=())) == [(set(), 0), (set(), 1), (set(), 2)]


def test_a_run_without_a_list_adds_nothing(path: Path) -> None:
    """Leases that it did not list have not ended; nothing is told where no run had a list."""
    stored(path, a_run())
    assert recalled(path, NOON + 60).listings == ()

    stored(path, a_run(NOON + 300, listed=listed(1, sessions=[1])))
    stored(path, a_run(NOON + 600))

    assert added(recalled(path, NOON + 900, lease_ids=(1,))) == [(set(), 0), (set(), 0)]


def test_runs_unlike_the_present_one_are_marked(path: Path) -> None:
    """Those over other prefixes, and those that were judged by other limits."""
    stored(path, a_run(listed=listed(1)))
    stored(path, a_run(NOON + 60, prefixes=(b"/other/",), listed=listed(1)))
    stored(path, a_run(NOON + 120, judged_by="scan", listed=listed(1)))

    listings = recalled(path, NOON + 300, lease_ids=(1,)).listings

    assert [listing.is_alike for listing in listings] == [True, False, False, True]


def test_an_older_list_that_is_stored_later_changes_nothing(path: Path) -> None:
    """A scan whose list a check has outrun does not take the newer leases for ended ones."""
    stored(path, a_run(listed=listed(1)))
    stored(path, a_run(NOON + 30, listed=listed(1, 2, sessions=[2])))
    stored(path, a_run(NOON + 10, ended_at=NOON + 70, listed=listed(1)))

    assert added(recalled(path, NOON + 300, lease_ids=(1, 2))) == [
        (set(), 0),
        ({2}, 0),
        (set(), 0),
    ]


def test_a_list_from_the_future_counts_with_the_next_one(path: Path) -> None:
    """What a wrong clock wrote is not lost, and has no moment of its own."""
    stored(path, a_run(listed=listed(1, sessions=[1])))
    wrong = a_run(NOON + 86_400, listed=listed(2))
    stored(path, wrong, a_clock(NOON + 86_400, boot_id="b"))

    past = recalled(path, a_clock(NOON + 300, boot_id="c"), lease_ids=(2, 3))

    assert added(past) == [(set(), 0), ({2, 3}, 1)]


def test_another_lineage_has_lists_of_its_own(path: Path) -> None:
    """A restored snapshot begins anew."""
    stored(path, a_run(listed=listed(1)))

    assert recalled(path, NOON + 300, revision=5, lease_ids=(1, 2)).listings == ()


def test_lists_are_told_of_the_last_day(path: Path) -> None:
    """What was new before that is there since long."""
    with open_history(path, a_clock()) as history:
        for number in range(MAX_LISTINGS + 5):
            history.record(a_run(NOON + number, listed=listed(*range(1, number + 2))))
    every = range(1, MAX_LISTINGS + 6)
    with open_history(path, a_clock(NOON + 900)) as history:
        listings = ask(history, lease_ids=every).listings

    assert len(listings) == MAX_LISTINGS + 1
    assert not listings[0].new
    assert all(len(listing.new) == 1 for listing in listings[1:-1])


def test_a_session_that_was_seen_with_a_key_begins_anew(path: Path) -> None:
    """Its key may lie outside of the prefixes, so that the list alone tells of it."""
    look = an_observation(lease_id=1, attached_keys=())
    stored(path, a_run(readings=by_lease(look), listed=listed(1)))
    assert recalled(path, NOON + 60, lease_ids=(1,)).keyless_since == {1: NOON}

    stored(path, a_run(NOON + 300, listed=listed(1)))
    assert recalled(path, NOON + 360, lease_ids=(1,)).keyless_since == {}


@pytest.mark.slow
def test_many_leases_cost_little(path: Path) -> None:
    """The second run with 100,000 leases that stand stores and recalls their list in a second."""
    every = range(1, 100_001)
    stored(path, a_run(listed=listed(*every)))
    began = time.process_time()
    stored(path, a_run(NOON + 300, listed=listed(*every)))
    past = recalled(path, NOON + 600, lease_ids=every)
    took_s = time.process_time() - began

    assert added(past) == [(set(), 0), (set(), 0), (set(), 0)]
    assert took_s < 1.0
