"""Runs slow work in a daemon thread that does not delay the end of the program."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from lockdoctor.errors import ProcessReadError

T = TypeVar("T")


async def run_in_thread(work: Callable[[], T], *, until: float, late: str = "no answer") -> T:
    """
    Run work in its own thread, and return its result.

    The thread is a daemon. So the end of the program does not wait for a name look-up, as it would
    for a thread of asyncio's.

    Args:
        until: The moment of time.monotonic() at which to give up.
        late: The text of the error when the work takes longer.

    Raises:
        ProcessReadError: The work takes too long. The work's own exceptions are raised too.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def settle(setter: Callable[[Any], None], what: object) -> None:
        if not outcome.done():
            setter(what)

    def deliver(setter: Callable[[Any], None], what: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: no caller waits
            loop.call_soon_threadsafe(settle, setter, what)

    def run() -> None:
        try:
            result = work()
        except Exception as error:  # noqa: BLE001  # it is raised in the waiting caller
            deliver(outcome.set_exception, error)
        else:
            deliver(outcome.set_result, result)

    threading.Thread(target=run, daemon=True).start()
    try:
        return await asyncio.wait_for(outcome, until - time.monotonic())
    except (TimeoutError, asyncio.TimeoutError):
        raise ProcessReadError(f"{late} in time") from None
