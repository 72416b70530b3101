"""How gently a member is asked."""

from __future__ import annotations

import heapq
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockdoctor.etcd.lease_lookup.rate_limit import (
    BURST_S,
    HEAD_START_S,
    INITIAL_OPEN,
    MAX_OPEN,
    MIN_OPEN,
    ROUNDS_KEPT,
    SLOWER_S,
    STEP,
    ConcurrencyLimit,
    RateLimiter,
)
from tests.eventually import run
from tests.fakes.cluster import FakeClock

MOMENTS_S = st.floats(1e-5, 10.0)
ANSWERS = st.lists(st.tuples(st.integers(1, 400), MOMENTS_S, st.booleans()), max_size=200)


def answer(window: ConcurrencyLimit, took_s: float, rounds: int = 1) -> int:
    """Let full windows be answered."""
    for _ in range(rounds):
        window.answered(window.size, took_s, was_full=True)
    return window.size


@given(ANSWERS)
def test_a_window_has_bounds(answers: list[tuple[int, float, bool]]) -> None:
    """Whatever the answers take, some look-ups are on their way, and never too many."""
    window = ConcurrencyLimit()
    for count, took_s, was_full in answers:
        window.answered(count, took_s, was_full=was_full)
        assert MIN_OPEN <= window.size <= MAX_OPEN


@given(MOMENTS_S, st.integers(1, 300))
def test_steady_answers_open_it(took_s: float, rounds: int) -> None:
    """A member that is far away is asked as much as one that is near, after a few rounds."""
    window = ConcurrencyLimit()
    sizes = [answer(window, took_s) for _ in range(rounds)]
    assert sizes == [min(MAX_OPEN, INITIAL_OPEN * 2 ** (done + 1)) for done in range(rounds)]


@given(MOMENTS_S, st.integers(1, 40))
def test_a_window_that_was_too_large_opens_with_care(took_s: float, good_rounds: int) -> None:
    """Once answers were slow, by the same few with each good round."""
    window = ConcurrencyLimit()
    answer(window, took_s, 10)
    closed = answer(window, max(took_s * 2, took_s + SLOWER_S) * 1.01, 10)
    sizes = [answer(window, took_s) for _ in range(good_rounds)]
    assert sizes == [min(MAX_OPEN, closed + STEP * (done + 1)) for done in range(good_rounds)]


@given(MOMENTS_S, st.integers(1, 40))
def test_slow_answers_close_it(took_s: float, good_rounds: int) -> None:
    """Within a few rounds to the fewest, and it opens again when answers are good again."""
    window = ConcurrencyLimit()
    opened = answer(window, took_s, good_rounds)
    slow_s = max(took_s * 2, took_s + SLOWER_S) * 1.01
    assert answer(window, slow_s) == max(MIN_OPEN, opened // 2)
    answer(window, took_s)
    assert answer(window, slow_s, 10) == MIN_OPEN
    assert answer(window, took_s, 40) == MAX_OPEN


@given(MOMENTS_S, st.floats(0, SLOWER_S * 0.99))
def test_small_differences_do_not_matter(took_s: float, more_s: float) -> None:
    """A few milliseconds more are the network's, or a neighbour's."""
    window = ConcurrencyLimit()
    answer(window, took_s)
    assert answer(window, took_s + more_s, 20) >= INITIAL_OPEN


def test_a_window_that_is_not_used_does_not_open() -> None:
    """Where the rate_limiter allows less, how much the member could take is not known."""
    window = ConcurrencyLimit()
    for _ in range(100):
        window.answered(INITIAL_OPEN, 0.001, was_full=False)
    assert window.size == INITIAL_OPEN


def test_a_way_that_became_longer() -> None:
    """What was good long ago is forgotten: the member is not punished for ever."""
    window = ConcurrencyLimit()
    answer(window, 0.001, 50)
    assert answer(window, 0.1, 10) == MIN_OPEN
    assert answer(window, 0.1, 3 * ROUNDS_KEPT) == MAX_OPEN


def look_up(per_s: float, busy_from_s: float, busy_per_s: float, until_s: float) -> list[int]:
    """
    Let a member answer one look-up after the other, and tell how many were on their way.

    Args:
        per_s: What it can answer.
        busy_from_s: When it gets other work ...
        busy_per_s: ... and can answer only so many.
    """
    window, now, free_at = ConcurrencyLimit(), 0.0, 0.0
    on_their_way: list[tuple[float, float]] = []
    sizes = []
    while now < until_s:
        while len(on_their_way) < window.size:
            free_at = max(now, free_at) + 1 / (per_s if now < busy_from_s else busy_per_s)
            heapq.heappush(on_their_way, (free_at, now))
        now, asked_at = heapq.heappop(on_their_way)
        window.answered(1, now - asked_at, was_full=True)
        sizes.append(window.size)
    return sizes


@pytest.mark.parametrize(("per_s", "most"), [(60_000, MAX_OPEN), (20_000, 128), (5_000, 64)])
def test_the_queue_that_we_make_ourselves_stays_short(per_s: float, most: int) -> None:
    """A member is given what it answers in some milliseconds, and not much less."""
    sizes = look_up(per_s, busy_from_s=2, busy_per_s=per_s, until_s=2)[2000:]
    assert most / 2 < max(sizes) <= most
    assert sum(sizes) / len(sizes) > most / 4


def test_a_member_that_gets_other_work_is_asked_less() -> None:
    """As soon as it is slow."""
    sizes = look_up(per_s=60_000, busy_from_s=0.5, busy_per_s=600, until_s=2)
    assert sum(size == MAX_OPEN for size in sizes) > 20_000
    assert max(sizes[-200:]) <= 30


@given(st.floats(1, 1e5), st.integers(1, 300))
def test_the_pace_is_kept_in_bursts_too(per_s: float, most: int) -> None:
    """Never more in any time than the rate_limiter allows in it, two bursts, and the head start."""
    clock = FakeClock(0.0)
    rate_limiter = RateLimiter(clock, per_s)
    burst = math.floor(BURST_S * per_s) + 1

    async def story() -> int:
        gone = 0
        for _ in range(50):
            due = rate_limiter.available(most)
            assert due <= most
            assert due == 0 or due >= min(most, burst)
            rate_limiter.consume(due)
            gone += due
            assert gone <= (clock.now() + HEAD_START_S + 2 * BURST_S) * per_s * 1.000_001 + 1
            await clock.sleep(rate_limiter.wait_s() or BURST_S / 3)
        return gone

    gone = run(story())
    if most > 2 * burst:
        assert gone >= clock.now() * per_s - 1


def test_who_wakes_up_late_keeps_the_pace() -> None:
    """A timer that rings a millisecond late, each time, makes nothing slower."""
    clock = FakeClock(0.0)
    rate_limiter = RateLimiter(clock, 5000)

    async def story() -> int:
        gone = 0
        while clock.now() < 1:
            due = rate_limiter.available(64)
            rate_limiter.consume(due)
            gone += due
            await clock.sleep(rate_limiter.wait_s() + 0.001)
        return gone

    assert run(story()) == pytest.approx(5000 * (1 + HEAD_START_S), abs=30)


def test_the_head_start_comes_once() -> None:
    """Whatever is not used up at the beginning remains, but nothing is added."""
    clock = FakeClock(0.0)
    rate_limiter = RateLimiter(clock, 5000)

    async def story() -> int:
        gone = 0
        for _ in range(10):
            gone += rate_limiter.available(100)
            rate_limiter.consume(rate_limiter.available(100))
            await clock.sleep(3600)
        return gone

    assert run(story()) <= 500 + 5 * 22


def test_no_pace() -> None:
    """Nothing is waited for."""
    rate_limiter = RateLimiter(FakeClock(), math.inf)
    rate_limiter.consume(10**9)
    assert (rate_limiter.available(7), rate_limiter.wait_s()) == (7, 0)


@pytest.mark.parametrize("per_s", [0.5, 5000.0])
def test_turns_one_by_one_and_in_bursts_share_the_pace(per_s: float) -> None:
    """What one way has used up, the other does not have."""
    clock = FakeClock(0.0)
    rate_limiter = RateLimiter(clock, per_s)

    async def story() -> None:
        rate_limiter.consume(math.floor(HEAD_START_S * per_s))
        for _ in range(100):
            await rate_limiter.acquire()
            rate_limiter.consume(1)

    run(story())
    assert clock.now() == pytest.approx(200 / per_s, abs=2.5 / per_s + 2 * BURST_S)
