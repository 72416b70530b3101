"""
Translate the moments that other runs stored into the time of this run.

Every stored moment is on the clock of the run that wrote it. Runs of one boot share a steady clock,
which translates their moments exactly, even if the wall clock was set in between. Other boots and
other machines share only the wall clock, which may be wrong. Runs are numbered in the order in
which they were stored, which no clock changes.
"""

from __future__ import annotations

import math
import sqlite3
from dataclasses import dataclass

from lockdoctor.domain.past.past import ClockMark
from lockdoctor.history.database.queries import inserted, sql

SKEW_S = 10.0
"""
The maximum difference between the wall clocks of two machines, or between one wall clock before and
after a boot, in seconds. NTP keeps them within one second. Their moments are widened by this much,
so that the difference proves no change.
"""

SAME_CLOCK_S = 0.001
"""
The maximum difference from reading the two clocks one after the other; a wall clock that was set
differs by more.
"""


@dataclass(frozen=True, slots=True)
class _Clock:
    """How to translate the moments of one stored clock."""

    shift_s: float
    """Seconds to add."""
    skew_s: float
    is_own: bool


class ClockTranslator:
    """Translate the moments of the file's clocks to the time of the present run."""

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
        """Return a stored moment in this run's time, as exactly as it can be placed."""
        return stored_at + self._clocks[clock_id].shift_s

    def earliest(self, clock_id: int, stored_at: float) -> float:
        """Return the earliest that a stored moment can be."""
        return self.at(clock_id, stored_at) - self._clocks[clock_id].skew_s

    def latest(self, clock_id: int, stored_at: float) -> float:
        """
        Return the latest that a stored moment can be.

        If a clock was behind after a boot, the runs stored before its first use show it: its
        moments are later than theirs. Otherwise a hold would appear older than it is.
        """
        at = self.at(clock_id, stored_at) + self._clocks[clock_id].skew_s
        return at if self.is_exact(clock_id) else max(at, self._last_end_before(clock_id))

    def is_exact(self, clock_id: int) -> bool:
        """Return whether the steady clock of this boot translates a clock's moments."""
        return self._clocks[clock_id].skew_s == 0

    def stored_by(self, clock_id: int, stored_at: float) -> float | None:
        """
        Return the latest time for a moment in the future, by the runs stored after it.

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
        """Return a moment of this run on a stored clock."""
        return at - self._clocks[clock_id].shift_s

    def own_clock(self) -> int:
        """Return the stored clock that shows this run's time; store it if it is missing."""
        own = (clock_id for clock_id, clock in self._clocks.items() if clock.is_own)
        return next(own, None) or self._add_clock()

    def _last_end_before(self, clock_id: int) -> float:
        """Return when the last run ended that was stored before a clock's first run."""
        if clock_id not in self._not_before:
            rows = self._connection.execute(sql("last_ends_before_clock"), {"clock_id": clock_id})
            ends = (self.at(row["clock_id"], row["ended_at"]) for row in rows)
            over = (end for end in ends if end <= self._present.wall_at)
            self._not_before[clock_id] = max(over, default=-math.inf)
        return self._not_before[clock_id]

    @property
    def _offset_s(self) -> float:
        """
        Return the seconds from the steady clock to this run's clock.

        The steady clock does not count where the boot has no ID.
        """
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
