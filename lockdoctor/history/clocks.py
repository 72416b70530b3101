"""
Tells what other runs wrote in the time of this one.

Every moment in the file stands on the clock of the run that wrote it. Runs of one boot share a
steady clock, through which their moments are translated exactly, whatever was done to the wall
clock in between. Of other boots and other machines there is only the wall clock, and it may be off.
Runs are numbered in the order in which they were stored, which no clock changes.
"""

from __future__ import annotations

import math
import sqlite3
from dataclasses import dataclass
from functools import lru_cache

from lockdoctor.domain.past.past import ClockMark
from lockdoctor.history.database.queries import inserted, sql

SKEW_S = 10.0
"""How far apart two machines' wall clocks may be, or one's before and after a boot: NTP keeps them
within one second. Their moments are taken as that much wider, so that the difference proves
nothing."""

SAME_CLOCK_S = 0.001
"""The two clocks are read one after the other; a wall clock that was set differs by more."""

CACHE_SIZE = 16_384
"""Of the values that 100,000 locks have in common, so many are kept to be told again."""


@dataclass(frozen=True, slots=True)
class _Clock:
    """How to tell the moments of one stored clock."""

    shift_s: float
    """To be added."""
    skew_s: float
    is_own: bool


class ClockTranslator:
    """The clocks of the file, as seen from the present run."""

    def __init__(self, connection: sqlite3.Connection, present: ClockMark) -> None:
        """Read the clocks of the file."""
        self._connection = connection
        self._present = present
        self._not_before: dict[int, float] = {}
        self._clocks = {
            row["id"]: self._seen(row["boot_id"], row["offset_s"])
            for row in connection.execute(sql("clocks"))
        }

    def at(self, clock_id: int, stored_at: float) -> float:
        """Tell a stored moment in this run's time, as well as is known."""
        return _shared(stored_at + self._clocks[clock_id].shift_s)

    def earliest(self, clock_id: int, stored_at: float) -> float:
        """Tell the earliest that a stored moment can be."""
        return _shared(self.at(clock_id, stored_at) - self._clocks[clock_id].skew_s)

    def latest(self, clock_id: int, stored_at: float) -> float:
        """
        Tell the latest that a stored moment can be.

        A clock that was behind after a boot is told by the runs that were stored before it was
        used: its moments lie after theirs. Else a hold would look older than it is.
        """
        at = _shared(self.at(clock_id, stored_at) + self._clocks[clock_id].skew_s)
        return at if self.is_exact(clock_id) else max(at, self._last_end_before(clock_id))

    def is_exact(self, clock_id: int) -> bool:
        """Whether the moments of a clock are translated by the steady clock of this boot."""
        return self._clocks[clock_id].skew_s == 0

    def stored_by(self, clock_id: int, stored_at: float) -> float | None:
        """
        Tell by when a run had been stored that wrote a moment which lies in the future.

        The first run that was stored after it and has ended by now gives the bound.

        Returns:
            The latest that the moment can be; None where no run has been stored since.
        """
        written = {"clock_id": clock_id, "at": stored_at}
        for row in self._connection.execute(sql("runs_stored_since"), written):
            if self.at(row["clock_id"], row["ended_at"]) <= self._present.wall_at:
                return self.latest(row["clock_id"], row["ended_at"]) + SKEW_S
        return None

    def stored(self, clock_id: int, at: float) -> float:
        """Tell a moment of this run on a stored clock."""
        return at - self._clocks[clock_id].shift_s

    def own_clock(self) -> int:
        """Find the stored clock that shows this run's time, or store it."""
        own = (clock_id for clock_id, clock in self._clocks.items() if clock.is_own)
        return next(own, None) or self._add_clock()

    def _last_end_before(self, clock_id: int) -> float:
        """Tell when the last run ended that was stored before the first run of a clock."""
        if clock_id not in self._not_before:
            rows = self._connection.execute(sql("last_ends_before_clock"), {"clock_id": clock_id})
            ends = (self.at(row["clock_id"], row["ended_at"]) for row in rows)
            over = (end for end in ends if end <= self._present.wall_at)
            self._not_before[clock_id] = max(over, default=-math.inf)
        return self._not_before[clock_id]

    @property
    def _offset_s(self) -> float:
        """From the steady clock to this run's; none counts where the boot has no name."""
        present = self._present
        return present.wall_at - present.steady_at if present.boot_id else 0.0

    def _add_clock(self) -> int:
        clock = {"boot_id": self._present.boot_id, "offset_s": self._offset_s}
        clock_id = inserted(self._connection, "add_clock", clock)
        self._clocks[clock_id] = self._seen(self._present.boot_id, self._offset_s)
        return clock_id

    def _seen(self, boot_id: str | None, offset_s: float) -> _Clock:
        is_same_boot = boot_id == self._present.boot_id
        shift_s = self._offset_s - offset_s if is_same_boot else 0.0
        return _Clock(
            shift_s=shift_s,
            skew_s=0.0 if is_same_boot and boot_id else SKEW_S,
            is_own=is_same_boot and abs(shift_s) <= SAME_CLOCK_S,
        )


@lru_cache(CACHE_SIZE)
def _shared(moment: float) -> float:
    """Give one object for equal moments: many leases are looked at in one."""
    return moment
