"""Waits that somebody may cut short."""

from __future__ import annotations

import asyncio

from lockdoctor.ports import Clock, Stop


async def pause(clock: Clock, stop: Stop, seconds: float) -> None:
    """Wait, but no longer than until somebody asks to stop."""
    sleep = asyncio.ensure_future(clock.sleep(max(0.0, seconds)))
    asked = asyncio.ensure_future(stop.asked())
    _, pending = await asyncio.wait({sleep, asked}, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
