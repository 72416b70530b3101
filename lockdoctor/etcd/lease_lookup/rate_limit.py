"""Limits the load on a member: look-ups per second, and open look-ups."""

from __future__ import annotations

import math

from lockdoctor.ports import Clock

BURST_S = 0.002
"""
Seconds of the rate that are sent as one burst.

A pause for every look-up would cost more than the look-up. A late timer makes up for as much.
"""

HEAD_START_S = 0.1
"""
Seconds of the rate that a run's first look-ups get without pauses.

The window limits them enough. A check of some hundred locks ends before a pause would help.
"""

MIN_OPEN, MAX_OPEN = 2, 256
"""Bounds of open look-ups; more of them only make queues longer."""

INITIAL_OPEN = 16
STEP = 8
BACK_OFF = 0.5

SLOWER_S = 0.005
SLOWER_TIMES = 2.0
"""
An answer is slow if it takes this many times the best and this much longer.

Then etcd has other work, or too many look-ups. An idle etcd 3.5 takes about 5 ms for MAX_OPEN
look-ups at once.
"""

ROUNDS_KEPT = 64
"""The best answer is from the last N to 2 N rounds, since conditions change."""


class RateLimiter:
    """Limits look-ups per second, after a head start."""

    def __init__(self, clock: Clock, per_s: float) -> None:
        """Start with the full head start."""
        self._clock = clock
        self._apart_s = 1 / per_s
        self._burst = math.floor(BURST_S * per_s) + 1 if self._apart_s else 0
        self._ahead = math.floor(HEAD_START_S * per_s) if self._apart_s else 0
        self._next_at = 0.0

    async def acquire(self) -> None:
        """Wait until one look-up is allowed."""
        if self._ahead:
            self._ahead -= 1
            return
        now = self._clock.now()
        turn_at = max(now, self._next_at)
        self._next_at = turn_at + self._apart_s
        if turn_at - now > BURST_S:
            await self._clock.sleep(turn_at - now)

    def available(self, max_count: int) -> int:
        """Return how many look-ups may go now: all, a whole burst, or 0."""
        if not self._apart_s or self._ahead >= max_count:
            return max_count
        left_s = BURST_S - max(-BURST_S, self._next_at - self._clock.now())
        may_go = self._ahead + (math.floor(left_s / self._apart_s) + 1 if left_s >= 0 else 0)
        return min(max_count, may_go) if may_go >= min(max_count, self._burst) else 0

    def consume(self, turns: int) -> None:
        """Count look-ups that go now."""
        ahead = min(turns, self._ahead)
        self._ahead -= ahead
        late_at_most = max(self._clock.now() - BURST_S, self._next_at)
        self._next_at = late_at_most + (turns - ahead) * self._apart_s

    def wait_s(self) -> float:
        """Return the seconds until a whole burst may go."""
        return max(0.0, self._next_at - self._clock.now())


class ConcurrencyLimit:
    """
    Limits the number of open look-ups, and lowers it when answers become slow.

    A round has as many answers as the window holds. A slow round halves the window. A good round
    that needed room adds a few. Before the first slow round it doubles, as TCP does for lost
    packets. A distant member that answers slowly is not limited more, since its best is slow too.
    """

    def __init__(self, max_open: int = MAX_OPEN) -> None:
        """Start with a few, so that the first answers show the best time."""
        self.size = INITIAL_OPEN
        self._max_open = max_open
        self._best_s = math.inf
        self._earlier_best_s = math.inf
        self._rounds = 0
        self._was_slow = False
        self._begin_round()

    def answered(self, count: int, took_s: float, *, was_full: bool) -> None:
        """
        Adjust the window after answers that arrived together.

        Args:
            took_s: Seconds of the slowest of them.
            was_full: Whether the window held back more look-ups.
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
            self.size = max(MIN_OPEN, int(self.size * BACK_OFF))
            self._was_slow = True
        elif self._was_full:
            self.size = min(self._max_open, self.size + (STEP if self._was_slow else self.size))
        self._rounds += 1
        if self._rounds % ROUNDS_KEPT == 0:
            self._earlier_best_s, self._best_s = self._best_s, math.inf
        self._begin_round()

    def _begin_round(self) -> None:
        self._answers = 0
        self._took_s = 0.0
        self._was_full = False
