"""How gently a member is asked: so many look-ups a second, and so many on their way at once."""

from __future__ import annotations

import math

from lockdoctor.ports import Clock

BURST_S = 0.002
"""The pace is kept over this time; a pause for every single look-up would cost more than it."""

FEWEST, MOST = 2, 256
"""Look-ups on their way at once. More than the most bring no higher rate, only longer queues."""

FIRST = 16
STEP = 8
BACK_OFF = 0.5

SLOWER_S = 0.005
SLOWER_TIMES = 2.0
"""
Answers are slow that take this many times the best, and this much longer: etcd has other work, or
we give it too much. As many as the most at once take an idle etcd 3.5 some 5 ms.
"""

ROUNDS_KEPT = 64
"""The best answer is one of the last so many rounds, up to twice as many: what is good changes."""


class Pace:
    """Lets through at most so many a second."""

    def __init__(self, clock: Clock, per_s: float) -> None:
        """Start with a full allowance."""
        self._clock = clock
        self._apart_s = 1 / per_s
        self._next_at = 0.0

    async def keep(self) -> None:
        """Wait for one's turn."""
        now = self._clock.now()
        turn_at = max(now, self._next_at)
        self._next_at = turn_at + self._apart_s
        if turn_at - now > BURST_S:
            await self._clock.sleep(turn_at - now)

    def due(self, most: int) -> int:
        """Say how many may go now, of so many."""
        if not self._apart_s:
            return most
        left_s = BURST_S - max(0.0, self._next_at - self._clock.now())
        return min(most, math.floor(left_s / self._apart_s) + 1) if left_s >= 0 else 0

    def spend(self, turns: int) -> None:
        """Let so many go now."""
        self._next_at = max(self._clock.now(), self._next_at) + turns * self._apart_s

    def wait_s(self) -> float:
        """Say how long it takes until a whole burst may go."""
        return max(0.0, self._next_at - self._clock.now())


class Window:
    """
    How many look-ups may be on their way at once: fewer when answers become slow.

    In rounds of as many answers as the window holds. After a slow round it is halved, after a
    good one that was in want of room it grows by a few, and doubles before the first slow one, as
    TCP does for lost packets. A member that answers slowly because it is far away is not asked
    less, for its best is slow, too.
    """

    def __init__(self, most: int = MOST) -> None:
        """Begin with a few, so that the first answers tell what is good."""
        self.size = FIRST
        self._most = most
        self._best_s = math.inf
        self._earlier_best_s = math.inf
        self._rounds = 0
        self._was_slow = False
        self._begin_round()

    def answered(self, count: int, took_s: float, *, was_full: bool) -> None:
        """
        Take notice of answers that came together.

        Args:
            took_s: How long the one that took longest was on its way.
            was_full: Whether more would have been asked, had there been room.
        """
        self._best_s = min(self._best_s, took_s)
        self._answers += count
        self._took_s += count * took_s
        self._was_full |= was_full
        if self._answers >= self.size:
            self._end_round()

    def _end_round(self) -> None:
        best_s = min(self._best_s, self._earlier_best_s)
        if self._took_s / self._answers > max(best_s * SLOWER_TIMES, best_s + SLOWER_S):
            self.size = max(FEWEST, int(self.size * BACK_OFF))
            self._was_slow = True
        elif self._was_full:
            self.size = min(self._most, self.size + (STEP if self._was_slow else self.size))
        self._rounds += 1
        if self._rounds % ROUNDS_KEPT == 0:
            self._earlier_best_s, self._best_s = self._best_s, math.inf
        self._begin_round()

    def _begin_round(self) -> None:
        self._answers = 0
        self._took_s = 0.0
        self._was_full = False
