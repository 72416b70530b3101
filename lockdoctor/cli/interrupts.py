"""Ends a run early: the first Ctrl-C or a time-out with a report, the second Ctrl-C at once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import TypeVar

from lockdoctor.errors import ClusterTimeout
from lockdoctor.ports import Stop

GRACE_S = 5.0
"""How long a run that was asked to end may take to sum up before it is cut off ..."""

GRACE_SHARE = 0.1
"""... or this share of the time that it has, where that is less."""

NUMBERS = (signal.SIGINT, signal.SIGTERM)

_Result = TypeVar("_Result")


class Signals:
    """Lets the first Ctrl-C or SIGTERM end a run with a report, the second at once."""

    def __init__(self, stop: Stop) -> None:
        """Nothing has come yet."""
        self.came = False
        self._stop = stop

    async def heeded_by(self, work: Coroutine[None, None, _Result]) -> _Result:
        """Do the work; signals go to it from here on."""
        for number in NUMBERS:
            asyncio.get_running_loop().add_signal_handler(number, self._first, number)
        try:
            return await work
        finally:
            self._heed_no_more()

    def _first(self, number: signal.Signals) -> None:
        self.came = True
        self._stop.ask("Ctrl-C" if number is signal.SIGINT else number.name)
        self._heed_no_more()

    def _heed_no_more(self) -> None:
        """Let either end at once from here on, but as Ctrl-C does, which cleans up."""
        for each in NUMBERS:
            asyncio.get_running_loop().remove_signal_handler(each)
            signal.signal(each, signal.default_int_handler)


async def in_time(
    work: Coroutine[None, None, _Result],
    stop: Stop,
    timeout_s: float,
) -> _Result:
    """
    Wait for a run; ask it to end before the time is over, and cut it off if it does not.

    Whoever asks it to end, it has the grace to do so. One that is cut off sums up what it has
    seen, if it has seen anything, for which it has the same grace once more.

    Raises:
        ClusterTimeout: It was cut off, and had seen nothing.
    """
    grace_s = min(GRACE_S, timeout_s * GRACE_SHARE)
    ask_after_s = timeout_s - 2 * grace_s
    task = asyncio.ensure_future(work)
    asked = asyncio.ensure_future(stop.asked())
    timer = asyncio.get_running_loop().call_later(ask_after_s, _out_of_time, stop, timeout_s)
    try:
        await asyncio.wait({task, asked}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({task}, timeout=grace_s)
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=grace_s)
        if task.done() and not task.cancelled():
            return task.result()
        raise ClusterTimeout(f"etcd did not answer in time: {stop.reason}")
    finally:
        timer.cancel()
        asked.cancel()
        task.cancel()


def _out_of_time(stop: Stop, timeout_s: float) -> None:
    stop.ask(f"the time-out of {timeout_s:g} s for the whole run came while {stop.stage}")
