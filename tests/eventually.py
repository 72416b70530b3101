"""Waiting in tests: until something holds, and never longer than said."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

PAUSE_S = 0.02


async def eventually(holds: Callable[[], bool], *, within_s: float) -> None:
    """Wait until something holds, while other tasks run; fail where it does not in time."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {within_s} s"
        await asyncio.sleep(PAUSE_S)


def run(story: Coroutine[Any, Any, T], *, within_s: float = 60.0) -> T:
    """Run a coroutine to its end, or fail when it takes too long."""
    return asyncio.run(asyncio.wait_for(story, within_s))
