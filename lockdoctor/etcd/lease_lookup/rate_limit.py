"""How gently a member is asked: so many look-ups a second, and so many on their way at once."""

from __future__ import annotations

import math

from lockdoctor.ports import Clock

BURST_S = 0.002
"""
What the pace allows in this time goes at once; a pause for every single look-up would cost more
than it. Who comes late, as timers let one, catches up with as much.
"""

HEAD_START_S = 0.1
"""
A run's first look-ups are not held back, as many as the pace allows in this time; the window holds
them back enough. A check of some hundred locks is over before a pause would spare anybody.
"""

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


class RateLimiter:
    """Lets through at most so many a second, after a head start."""

    def __init__(self, clock: Clock, per_s: float) -> None:
        """Start with the head start."""
        self._clock = clock
        self._apart_s = 1 / per_s
        self._burst = math.floor(BURST_S * per_s) + 1 if self._apart_s else 0
        self._ahead = math.floor(HEAD_START_S * per_s) if self._apart_s else 0
        self._next_at = 0.0

    async def keep(self) -> None:
        """Wait for one's turn."""
        if self._ahead:
            self._ahead -= 1
            return
        now = self._clock.now()
        turn_at = max(now, self._next_at)
        self._next_at = turn_at + self._apart_s
        if turn_at - now > BURST_S:
            await self._clock.sleep(turn_at - now)

    def due(self, most: int) -> int:
        """Say how many may go now, of so many: those, or a whole burst, or none."""
        if not self._apart_s or self._ahead >= most:
            return most
        left_s = BURST_S - max(-BURST_S, self._next_at - self._clock.now())
        may_go = self._ahead + (math.floor(left_s / self._apart_s) + 1 if left_s >= 0 else 0)
        return min(most, may_go) if may_go >= min(most, self._burst) else 0

    def spend(self, turns: int) -> None:
        """Let so many go now."""
        ahead = min(turns, self._ahead)
        self._ahead -= ahead
        late_at_most = max(self._clock.now() - BURST_S, self._next_at)
        self._next_at = late_at_most + (turns - ahead) * self._apart_s

    def wait_s(self) -> float:
        """Say how long it takes until a whole burst may go."""
        return max(0.0, self._next_at - self._clock.now())


class ConcurrencyLimit:
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
