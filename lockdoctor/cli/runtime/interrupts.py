"""Ends a run early after a signal or a time-out, with a report if possible."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

from lockdoctor.cli.runtime.signals import heeded, interrupt_at_once, note
from lockdoctor.cli.runtime.streams import print_message
from lockdoctor.errors import ClusterTimeoutError
from lockdoctor.ports import StopRequest

GRACE_S = 5.0
"""Maximum seconds for a run to end after the request; then it is canceled."""

GRACE_SHARE = 0.1
"""The same limit as a share of the run's time, where that is less."""

_Result = TypeVar("_Result")


def run_writing(signals: Signals, work: Coroutine[None, None, _Result]) -> _Result:
    """
    Run work that writes to etcd, and say where to look if two signals ended it.

    Raises:
        KeyboardInterrupt: Two signals arrived. The journal has every write that was begun.
    """
    try:
        return signals.run(work)
    except KeyboardInterrupt:
        print_message("interrupted: `lockdoctor journal` shows whether anything was written")
        raise


class Signals:
    """
    Runs work in an event loop, and handles Ctrl-C, SIGTERM and SIGHUP.

    The first signal requests an early end with the results so far. The second cancels the waits.
    """

    def __init__(self, stop: StopRequest | None = None) -> None:
        """
        Start without a signal.

        Args:
            stop: Requests the early end. Without it the first signal cancels the work, which only
                reads and has no report of its own.
        """
        self.came = False
        self._stop = stop
        self._task: asyncio.Task[Any] | None = None

    def run(self, work: Coroutine[None, None, _Result]) -> _Result:
        """
        Run the work, and return its result.

        Raises:
            KeyboardInterrupt: It was canceled without a result.
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
    Wait for a run, and end it before the time-out.

    The run first gets a request to end, then GRACE_S seconds, or the time's share GRACE_SHARE,
    until it is canceled. After that it has the same time again to report the results so far, if
    any.

    Raises:
        ClusterTimeoutError: It was canceled without a result.
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
