"""The clock of the system, and the one of the tests."""

from __future__ import annotations

import asyncio
import time

import pytest

from lockdoctor.clock import BOOT_ID, SystemClock
from tests.fakes.cluster import FakeClock


def test_the_clock_tells_the_time_of_day() -> None:
    """The steady clock counts from the Unix epoch, as the wall clock does."""
    assert abs(SystemClock().now() - time.time()) < 5


def test_the_clock_goes_forward() -> None:
    """No moment is before an earlier one."""
    clock = SystemClock()

    moments = [clock.now() for _ in range(1000)]

    assert moments == sorted(moments)


def test_sleep_takes_its_time() -> None:
    """The clock has moved on by what was slept; a negative time is none."""

    async def story() -> float:
        clock = SystemClock()
        before = clock.now()
        await clock.sleep(-1)
        await clock.sleep(0.05)
        return clock.now() - before

    assert asyncio.run(story()) >= 0.049


def test_the_fake_clock_wakes_sleepers_in_order() -> None:
    """An hour passes at once, and everyone wakes at the moment they asked for."""
    clock, woken = FakeClock(1000.0), []

    async def sleeper(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(clock.now())

    async def story() -> None:
        await asyncio.gather(sleeper(3600), sleeper(1), sleeper(60))

    asyncio.run(story())
    assert woken == [1001.0, 1060.0, 4600.0]


def test_the_fake_clock_waits_for_those_at_work() -> None:
    """Time stands still while a task has something to do."""
    clock = FakeClock(0.0)

    async def worker() -> float:
        for _ in range(20):
            await asyncio.sleep(0)
        return clock.now()

    async def story() -> float:
        sleeping = asyncio.ensure_future(clock.sleep(5))
        finished_at = await worker()
        await sleeping
        return finished_at

    assert asyncio.run(story()) == 0.0


def test_the_fake_clock_forgets_who_gave_up() -> None:
    """A cancelled sleep does not move the clock."""
    clock = FakeClock(0.0)

    async def story() -> None:
        long = asyncio.ensure_future(clock.sleep(100))
        await asyncio.sleep(0)
        long.cancel()
        await clock.sleep(1)

    asyncio.run(story())
    assert clock.now() == 1.0


def test_a_mark_ties_the_time_to_the_boot() -> None:
    """Two marks lie equally far apart on both clocks, and name the same boot."""
    clock = SystemClock()

    first, second = clock.mark(), clock.mark()

    assert first.wall_at - first.steady_at == pytest.approx(second.wall_at - second.steady_at)
    assert abs(first.wall_at - clock.now()) < 5
    assert first.boot_id == second.boot_id


def test_the_boot_is_named_where_linux_names_it() -> None:
    """Runs of one boot can be told from those of another."""
    if not BOOT_ID.exists():
        pytest.skip(f"this system has no {BOOT_ID}")

    assert SystemClock().mark().boot_id == BOOT_ID.read_text(encoding="ascii").strip()
