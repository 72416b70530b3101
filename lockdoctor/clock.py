"""The only reader of the time."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from lockdoctor.domain.past.past import ClockMark

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
"""Source: proc(5), the same until the machine is booted again."""


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

    def mark(self) -> ClockMark:
        """Say how this run's time and the machine's steady clock lie to each other."""
        steady_s = self._steady_s()
        return ClockMark(
            wall_at=self._offset_s + steady_s, boot_id=self._boot_id(), steady_at=steady_s
        )

    async def sleep(self, seconds: float) -> None:
        """Wait on the event loop."""
        await asyncio.sleep(max(0.0, seconds))

    def _steady_s(self) -> float:
        return time.monotonic() if self._clock_id is None else time.clock_gettime(self._clock_id)

    def _boot_id(self) -> str | None:
        """Name the boot; None where the steady clock leaves out what the machine slept."""
        if self._clock_id is None:
            return None
        try:
            return BOOT_ID.read_text(encoding="ascii").strip() or None
        except OSError:
            return None
