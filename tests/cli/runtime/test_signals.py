"""Runs that end early."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from lockdoctor.cli.runtime.signals import NUMBERS, Signals, interrupt_at_once, run_with_timeout
from lockdoctor.errors import ClusterTimeoutError, ClusterUnreachableError
from lockdoctor.ports import StopRequest

LONG_S = 60.0


async def until_asked(stop: StopRequest) -> str:
    await stop.wait_requested()
    return f"partial: {stop.reason}"


async def for_ever(_stop: StopRequest) -> str:
    await asyncio.Event().wait()
    return "never"


def test_a_run_that_ends_by_itself_is_left_alone() -> None:
    """A run within its time brings its result."""

    async def work() -> str:
        return "whole"

    assert asyncio.run(run_with_timeout(work(), StopRequest(), LONG_S)) == "whole"


def test_errors_of_the_run_pass() -> None:
    """What the run raises is raised."""

    async def work() -> str:
        raise ClusterUnreachableError("nobody there")

    with pytest.raises(ClusterUnreachableError, match="nobody there"):
        asyncio.run(run_with_timeout(work(), StopRequest(), LONG_S))


def test_a_run_out_of_time_is_asked_to_end() -> None:
    """When the time is over, the run ends with what it has, and knows why."""
    stop = StopRequest()

    result = asyncio.run(run_with_timeout(until_asked(stop), stop, 0.05))

    assert result == ("partial: stopped by `--timeout 0.05s` while connecting to etcd")


def test_a_run_that_does_not_end_is_cut_off() -> None:
    """A run that hangs is cut off after the grace, saying why it had to end."""
    stop = StopRequest()

    with pytest.raises(ClusterTimeoutError, match=r"stopped by `--timeout 0.05s`"):
        asyncio.run(run_with_timeout(for_ever(stop), stop, 0.05))


def test_a_run_that_is_cut_off_can_sum_up() -> None:
    """What it has seen until then is not lost."""
    stop = StopRequest()

    async def work() -> str:
        try:
            return await for_ever(stop)
        except asyncio.CancelledError:
            return "what was seen"

    assert asyncio.run(run_with_timeout(work(), stop, 0.05)) == "what was seen"


def test_a_run_that_cannot_be_cut_off_is_left() -> None:
    """Not even a run that ignores being cut off is waited for."""
    stop = StopRequest()

    async def work() -> str:
        while True:
            try:
                await asyncio.sleep(0.3)
            except asyncio.CancelledError:
                continue
            return "too late"

    with pytest.raises(ClusterTimeoutError):
        asyncio.run(run_with_timeout(work(), stop, 0.05))


def test_whoever_asks_the_grace_holds() -> None:
    """A run that was asked to end for another reason is cut off as well if it hangs."""
    stop = StopRequest()
    stop.request("Ctrl-C")

    with pytest.raises(ClusterTimeoutError, match=r"Ctrl-C"):
        asyncio.run(run_with_timeout(for_ever(stop), stop, 0.5))


NAMES = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM", signal.SIGHUP: "SIGHUP"}


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """Leave the signals of whoever runs the tests as they were."""
    before = {number: signal.getsignal(number) for number in NUMBERS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", NUMBERS)
def test_the_first_signal_asks(number: signal.Signals) -> None:
    """The first signal ends the run with what it has."""
    stop = StopRequest()
    signals = Signals(stop)

    async def work() -> str:
        os.kill(os.getpid(), number)
        return await until_asked(stop)

    assert signals.run(work()) == f"partial: {NAMES[number]}"
    assert signals.received


@pytest.mark.parametrize("number", NUMBERS)
def test_a_signal_after_the_work_ends_at_once_and_cleans_up(number: signal.Signals) -> None:
    """Between two runs every signal does what Ctrl-C does."""

    async def work() -> None:
        return

    Signals(StopRequest()).run(work())
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_signal_while_the_loop_is_closed_loses_no_result(number: signal.Signals) -> None:
    """The work is done, and only its loop is not: it is told that one came, and that is all."""
    signals = Signals(StopRequest())

    async def straggler() -> None:
        try:
            await asyncio.Event().wait()
        finally:  # the loop, which is closed, cancels it
            signal.raise_signal(number)

    async def work() -> tuple[str, asyncio.Task[None]]:
        task = asyncio.ensure_future(straggler())
        await asyncio.sleep(0)
        return "whole", task

    result, _ = signals.run(work())

    assert (result, signals.received) == ("whole", True)


def test_the_second_signal_cuts_off() -> None:
    """Who waits for something that does not come has no result."""
    stop = StopRequest()

    async def work() -> str:
        os.kill(os.getpid(), signal.SIGTERM)
        await stop.wait_requested()
        os.kill(os.getpid(), signal.SIGHUP)
        return await for_ever(stop)

    with pytest.raises(KeyboardInterrupt):
        Signals(stop).run(work())


def test_what_is_cut_off_may_sum_up() -> None:
    """A treatment whose write is on its way tells so."""
    stop = StopRequest()

    async def work() -> str:
        os.kill(os.getpid(), signal.SIGINT)
        await stop.wait_requested()
        os.kill(os.getpid(), signal.SIGINT)
        try:
            return await for_ever(stop)
        except asyncio.CancelledError:
            return "not known"

    assert Signals(stop).run(work()) == "not known"


def test_work_that_cannot_be_asked_is_cut_off_by_the_first() -> None:
    """It only reads."""

    async def work() -> str:
        os.kill(os.getpid(), signal.SIGHUP)
        return await for_ever(StopRequest())

    with pytest.raises(KeyboardInterrupt):
        Signals().run(work())


def test_nohup_is_heeded() -> None:
    """Whoever had SIGHUP ignored keeps it so: in a run, after it, and outside of all."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    interrupt_at_once()
    stop = StopRequest()

    async def work() -> str:
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0.05)
        return "whole"

    assert Signals(stop).run(work()) == "whole"
    signal.raise_signal(signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    assert stop.reason is None
