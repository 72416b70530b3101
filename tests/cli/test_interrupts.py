"""Runs that end early."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from lockdoctor.cli.interrupts import Signals, in_time
from lockdoctor.errors import ClusterTimeout, ClusterUnreachable
from lockdoctor.ports import Stop

LONG_S = 60.0


async def until_asked(stop: Stop) -> str:
    await stop.asked()
    return f"partial: {stop.reason}"


async def for_ever(_stop: Stop) -> str:
    await asyncio.Event().wait()
    return "never"


def test_a_run_that_ends_by_itself_is_left_alone() -> None:
    """A run within its time brings its result."""

    async def work() -> str:
        return "whole"

    assert asyncio.run(in_time(work(), Stop(), LONG_S)) == "whole"


def test_errors_of_the_run_pass() -> None:
    """What the run raises is raised."""

    async def work() -> str:
        raise ClusterUnreachable("nobody there")

    with pytest.raises(ClusterUnreachable, match="nobody there"):
        asyncio.run(in_time(work(), Stop(), LONG_S))


def test_a_run_out_of_time_is_asked_to_end() -> None:
    """When the time is over, the run ends with what it has, and knows why."""
    stop = Stop()

    result = asyncio.run(in_time(until_asked(stop), stop, 0.05))

    assert result == (
        "partial: the time-out of 0.05 s for the whole run came while connecting to etcd"
    )


def test_a_run_that_does_not_end_is_cut_off() -> None:
    """A run that hangs is cut off after the grace, saying why it had to end."""
    stop = Stop()

    with pytest.raises(ClusterTimeout, match=r"the time-out of 0.05 s for the whole run came"):
        asyncio.run(in_time(for_ever(stop), stop, 0.05))


def test_a_run_that_is_cut_off_can_sum_up() -> None:
    """What it has seen until then is not lost."""
    stop = Stop()

    async def work() -> str:
        try:
            return await for_ever(stop)
        except asyncio.CancelledError:
            return "what was seen"

    assert asyncio.run(in_time(work(), stop, 0.05)) == "what was seen"


def test_a_run_that_cannot_be_cut_off_is_left() -> None:
    """Not even a run that ignores being cut off is waited for."""
    stop = Stop()

    async def work() -> str:
        while True:
            try:
                await asyncio.sleep(0.3)
            except asyncio.CancelledError:
                continue
            return "too late"

    with pytest.raises(ClusterTimeout):
        asyncio.run(in_time(work(), stop, 0.05))


def test_whoever_asks_the_grace_holds() -> None:
    """A run that was asked to end for another reason is cut off as well if it hangs."""
    stop = Stop()
    stop.ask("Ctrl-C")

    with pytest.raises(ClusterTimeout, match=r"Ctrl-C"):
        asyncio.run(in_time(for_ever(stop), stop, 0.5))


@pytest.mark.parametrize(
    ("number", "name"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")]
)
def test_the_first_signal_asks(number: signal.Signals, name: str) -> None:
    """The first signal ends the run with what it has."""
    stop = Stop()
    signals = Signals(stop)

    async def work() -> str:
        os.kill(os.getpid(), number)
        return await until_asked(stop)

    assert asyncio.run(signals.heeded_by(work())) == f"partial: {name}"
    assert signals.came


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_after_the_work_ends_at_once_and_cleans_up(number: signal.Signals) -> None:
    """Between two runs SIGTERM does what Ctrl-C does."""

    async def work() -> None:
        return

    asyncio.run(Signals(Stop()).heeded_by(work()))
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)


def test_the_second_signal_ends_at_once() -> None:
    """After the first signal Ctrl-C is Python's own again."""
    stop = Stop()

    async def work() -> str:
        os.kill(os.getpid(), signal.SIGTERM)
        await stop.asked()
        os.kill(os.getpid(), signal.SIGINT)
        return await for_ever(stop)

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(Signals(stop).heeded_by(work()))
