"""Wait for a time, or until a stop is requested."""

from __future__ import annotations

import asyncio

from lockdoctor.ports import Clock, StopRequest


async def pause(clock: Clock, stop: StopRequest, seconds: float) -> None:
    """Wait for some seconds, or until a stop is requested."""
    sleep = asyncio.ensure_future(clock.sleep(max(0.0, seconds)))
    asked = asyncio.ensure_future(stop.wait_requested())
    _, pending = await asyncio.wait({sleep, asked}, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
