"""Does slow work aside, in a thread that nobody has to wait for."""

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
    Do something in a thread of its own.

    The thread is a daemon: at the end of the program nobody waits for a name that is still being
    resolved, as they would for a thread of asyncio's.

    Args:
        until: The moment of time.monotonic() at which to give up.
        late: What to say where it takes longer.

    Raises:
        ProcessReadError: It takes too long; or whatever the work raises.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def settle(setter: Callable[[Any], None], what: object) -> None:
        if not outcome.done():
            setter(what)

    def tell(setter: Callable[[Any], None], what: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, setter, what)

    def run() -> None:
        try:
            result = work()
        except Exception as error:  # noqa: BLE001  # it is raised where it is waited for
            tell(outcome.set_exception, error)
        else:
            tell(outcome.set_result, result)

    threading.Thread(target=run, daemon=True).start()
    try:
        return await asyncio.wait_for(outcome, until - time.monotonic())
    except (TimeoutError, asyncio.TimeoutError):
        raise ProcessReadError(f"{late} in time") from None
