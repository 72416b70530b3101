"""How small the history stays, and how quick."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lockdoctor.domain.model.locks import Hold
from lockdoctor.domain.past.run_record import RunRecord
from lockdoctor.history.pruning import KEEP_S, used_bytes
from lockdoctor.history.reader import open_reader
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
from tests.factories.reports import NOON, an_observation

DAY = 86_400.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite3"


def hold(number: int) -> Hold:
    return Hold(b"/my-lock/%06d/32698f1c0a1b2c3d" % number, 10 + number)


def a_check(at: float, locks: int, *, first: int = 0, **fields: object) -> RunRecord:
    """A check that sees so many locks, each with a lease of its own."""
    numbers = range(first, first + locks)
    return a_run(
        at,
        holds=[a_sight(at, hold(n), lease_id=1 + n) for n in numbers],
        readings=by_lease(*(an_observation(at=at, lease_id=1 + n) for n in numbers)),
        **fields,
    )


def size(path: Path) -> int:
    return path.stat().st_size


def test_what_no_run_has_seen_for_long_is_forgotten(path: Path) -> None:
    """Runs of more than 30 days ago go, and what they were the last to see; the rest stays."""
    stored(path, a_check(NOON, 3))
    later = NOON + KEEP_S - 10
    stored(path, a_check(later, 1))
    now = NOON + KEEP_S + 10
    with open_history(path, a_clock(now)) as history:
        history.prune()
        past = ask(history, holds=[hold(n) for n in range(3)], lease_ids=(1, 2, 3))

    assert past.runs == 1
    assert {h: seen.first_answered_at for h, seen in past.holds.items()} == {hold(0): NOON + 0.01}
    assert [reading.asked_at for reading in past.readings[an_observation(lease_id=1).lease_id]] == [
        NOON,
        later,
    ]
    assert len(past.readings) == 1


@pytest.mark.parametrize("ahead_s", [10 * DAY, 3650 * DAY])
@pytest.mark.parametrize("boot_id", ["b", None])
def test_a_wrong_clock_forgets_nothing(path: Path, ahead_s: float, boot_id: str | None) -> None:
    """After a boot with a clock that is ahead, runs and pruning go on, and nothing young goes."""
    with open_history(path, a_clock(NOON + 29 * DAY)) as history:
        for number in range(29):
            at = NOON + number * DAY
            history.record(a_run(at, holds=[a_sight(at)]))
    for number in range(20):
        at = NOON + 29 * DAY + ahead_s + 300 * number
        with open_history(path, a_clock(at, boot_id=boot_id)) as ahead:
            ahead.record(a_run(at, holds=[a_sight(at)]))
            for _ in range(3):
                ahead.prune()

    past = recalled(path, NOON + 30 * DAY)

    assert past.runs == 29
    assert past.holds[HOLD].first_answered_at == NOON + 0.01


def test_clocks_that_flip_prove_no_age(path: Path) -> None:
    """Boots with a clock ahead and set right in turn add up to nothing."""
    for number in range(40):
        at = NOON + 600 * number + 3650 * DAY * (number % 2)
        with open_history(path, a_clock(at, boot_id=str(number))) as history:
            history.record(a_run(at))
            history.prune()

    with open_reader(path, a_clock(NOON + DAY, boot_id="z")) as reader:
        assert len(reader.runs()) == 40


def test_boots_do_not_keep_runs_for_ever(path: Path) -> None:
    """A machine that boots each morning forgets after 30 days as any other does."""
    for number in range(40):
        at = NOON + number * DAY
        with open_history(path, a_clock(at, boot_id=str(number))) as history:
            history.record(a_run(at))
            history.prune()

    with open_reader(path, a_clock(NOON + 40 * DAY, boot_id="z")) as reader:
        assert len(reader.runs()) == 31


def test_a_file_that_grows_too_large_loses_its_oldest_runs(path: Path) -> None:
    """It stays near its limit while every run sees other locks, and the last run is always kept."""
    limit = 400_000
    with open_history(path, a_clock(NOON + DAY)) as history:
        for number in range(60):
            run = a_check(NOON + 300 * number, 100, first=100 * number)
            history.record(run)
            history.prune(max_bytes=limit)
            assert used_bytes(history._connection) <= limit
        with open_reader(path, a_clock(NOON + DAY)) as reader:
            kept = [each["key"] for each in reader.export() if each["record"] == "hold"]
        history.prune(max_bytes=1)
        assert ask(history, holds=()).runs == 1

    assert kept == sorted(hold(n).key for n in range(6000 - len(kept), 6000))
    assert 100 <= len(kept) < 3000
    assert size(path) < 2 * limit


def test_room_is_given_back(path: Path) -> None:
    """After a large cluster is gone, the file shrinks, a part with each run."""
    with open_history(path, a_clock(NOON + 2 * KEEP_S)) as history:
        history.record(a_check(NOON, 20_000))
        history.record(a_run(NOON + 2 * KEEP_S))
        large = used_bytes(history._connection)
        for _ in range(10):
            history.prune()

    assert large > 4_000_000
    assert size(path) < 1_100_000  # what is spared for the next run, and a little


def test_lineages_without_runs_are_forgotten(path: Path) -> None:
    """Clusters that came and went leave nothing."""
    for number in range(3):
        stored(path, a_run(NOON + number, cluster_id=number))
    with open_history(path, a_clock(NOON + 2 * KEEP_S)) as history:
        history.record(a_run(NOON + 2 * KEEP_S, cluster_id=9))
        history.prune()
        count = history._connection.execute("SELECT count(*) FROM lineage").fetchone()[0]

    assert count == 1


def checks(number: int, locks: int) -> Iterator[RunRecord]:
    for each in range(number):
        at = NOON + 300 * each
        yield a_check(at, locks, marks=(a_mark(at, 100 + each),), sessions=3)


@pytest.mark.slow
def test_stable_locks_take_no_more_room_with_every_run(path: Path) -> None:
    """A week of checks every five minutes of 200 locks that stand: the locks are stored once."""
    runs = 2000
    with open_history(path, a_clock(NOON + 300 * runs)) as history:
        sizes = []
        for number, run in enumerate(checks(runs, 200)):
            history.record(run)
            if number in (0, runs // 2, runs - 1):
                sizes.append(used_bytes(history._connection))
        past = ask(history, revision=100 + runs, holds=[hold(7)], lease_ids=(8,))

    first, half, whole = sizes
    assert (whole - first) / runs < 500
    assert whole - half == pytest.approx(half - first, rel=0.2)
    assert past.runs == runs
    assert past.holds[hold(7)].first_answered_at == NOON + 0.01
    assert len(next(iter(past.readings.values()))) == 2


def test_ten_thousand_locks_are_stored_and_told_quickly(path: Path) -> None:
    """A generous bound, for busy machines: it takes a fraction of a second on an idle one."""
    locks = 10_000
    holds, leases = [hold(n) for n in range(locks)], range(1, locks + 1)
    first, second = a_check(NOON, locks), a_check(NOON + 300, locks)
    stored(path, first)

    began = time.process_time()
    with open_history(path, a_clock(NOON + 300)) as history:
        past = ask(history, holds=holds, lease_ids=leases)
        history.record(second)
        history.prune()
    took_s = time.process_time() - began

    assert len(past.holds) == len(past.readings) == locks
    assert took_s < 5
