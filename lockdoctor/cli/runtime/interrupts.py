"""Ends a run early: the first signal or a time-out with a report, the second signal sooner."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

from lockdoctor.cli.runtime.signals import heeded, interrupt_at_once, note
from lockdoctor.errors import ClusterTimeoutError
from lockdoctor.ports import StopRequest

GRACE_S = 5.0
"""How long a run that was asked to end may take to sum up before it is cut off ..."""

GRACE_SHARE = 0.1
"""... or this share of the time that it has, where that is less."""

_Result = TypeVar("_Result")


class Signals:
    """
    Does work in an event loop, and heeds Ctrl-C, SIGTERM and SIGHUP meanwhile.

    The first signal asks the work to end with what it has, the second cuts off what it waits for.
    """

    def __init__(self, stop: StopRequest | None = None) -> None:
        """
        Nothing has come yet.

        Args:
            stop: Asks the work to end. Without it the first signal cuts the work off: it only
                reads, and has no report of its own.
        """
        self.came = False
        self._stop = stop
        self._task: asyncio.Task[Any] | None = None

    def run(self, work: Coroutine[None, None, _Result]) -> _Result:
        """
        Do the work.

        Raises:
            KeyboardInterrupt: It was cut off, and had nothing to report.
        """
        try:
            return asyncio.run(self._heeding(work))
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
        finally:
            interrupt_at_once()

    async def _heeding(self, work: Coroutine[None, None, _Result]) -> _Result:
        loop, numbers = asyncio.get_running_loop(), heeded()
        self._task = asyncio.current_task()
        for number in numbers:
            loop.add_signal_handler(number, self._heed, number)
        try:
            return await work
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)
                # The loop is closed first, and no report is lost.
                signal.signal(number, lambda late, _: self._note(signal.Signals(late)))

    def _heed(self, number: signal.Signals) -> None:
        if self._task is not None and (self.came or self._stop is None):
            self._task.cancel()
        self._note(number)
        if self._stop is not None:
            self._stop.request("Ctrl-C" if number is signal.SIGINT else number.name)

    def _note(self, number: signal.Signals) -> None:
        self.came = True
        note(number)


async def run_with_timeout(
    work: Coroutine[None, None, _Result],
    stop: StopRequest,
    timeout_s: float,
) -> _Result:
    """
    Wait for a run; ask it to end before the time is over, and cut it off if it does not.

    Whoever asks it to end, it has the grace to do so. One that is cut off sums up what it has
    seen, if it has seen anything, for which it has the same grace once more.

    Raises:
        ClusterTimeoutError: It was cut off, and had seen nothing.
    """
    grace_s = min(GRACE_S, timeout_s * GRACE_SHARE)
    ask_after_s = timeout_s - 2 * grace_s
    task = asyncio.ensure_future(work)
    asked = asyncio.ensure_future(stop.wait_requested())
    timer = asyncio.get_running_loop().call_later(ask_after_s, _out_of_time, stop, timeout_s)
    try:
        await asyncio.wait({task, asked}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({task}, timeout=grace_s)
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=grace_s)
        if task.done() and not task.cancelled():
            return task.result()
        raise ClusterTimeoutError(f"etcd did not answer in time: {stop.reason}")
    finally:
        timer.cancel()
        asked.cancel()
        task.cancel()


def _out_of_time(stop: StopRequest, timeout_s: float) -> None:
    stop.request(f"the time-out of {timeout_s:g} s for the whole run came while {stop.stage}")
