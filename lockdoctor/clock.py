"""The only reader of the time."""

from __future__ import annotations

import asyncio
import time


class SystemClock:
    """
    Wall-clock time at the start of the run, moved on by a clock that never steps.

    CLOCK_BOOTTIME also counts while the machine is suspended; a plain monotonic clock would
    make leases look older than they are after a suspend.
    """

    def __init__(self) -> None:
        """Tie the steady clock to the wall clock once."""
        self._clock_id = getattr(time, "CLOCK_BOOTTIME", None)
        self._offset_s = time.time() - self._steady_s()

    def now(self) -> float:
        """Seconds since the Unix epoch."""
        return self._offset_s + self._steady_s()

    async def sleep(self, seconds: float) -> None:
        """Wait on the event loop."""
        await asyncio.sleep(max(0.0, seconds))

    def _steady_s(self) -> float:
        return time.monotonic() if self._clock_id is None else time.clock_gettime(self._clock_id)
