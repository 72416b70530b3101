"""The clock: the only module that reads the time."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from lockdoctor.domain.past.past import ClockMark

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
"""Changes with each boot of the machine. Source: proc(5)."""


class SystemClock:
    """
    Give the wall-clock time at the start of the run, plus the time since then.

    The time since then is from CLOCK_BOOTTIME, which never steps. It also counts while the machine
    is suspended: a plain monotonic clock would make leases look too old afterwards.
    """

    def __init__(self) -> None:
        """Read the steady clock and the wall clock once, together."""
        self._clock_id = getattr(time, "CLOCK_BOOTTIME", None)
        self._offset_s = time.time() - self._steady_s()

    def now(self) -> float:
        """Return seconds since the Unix epoch."""
        return self._offset_s + self._steady_s()

    def mark(self) -> ClockMark:
        """Return this run's time together with the machine's steady clock."""
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
        """Return the boot ID; None where the steady clock does not count a suspend."""
        if self._clock_id is None:
            return None
        try:
            return BOOT_ID.read_text(encoding="ascii").strip() or None
        except OSError:
            return None
