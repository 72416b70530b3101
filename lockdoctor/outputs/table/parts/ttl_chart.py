"""Draws the remaining TTL of a lease over time, in characters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lockdoctor.domain.inference.ttl_timeline import TtlSegment
from lockdoctor.outputs.text.values import duration

LEVELS = " ▁▂▃▄▅▆▇█"
HEIGHT = 6
LABEL_WIDTH = 8
MIN_WIDTH = 20
LEADER_MARK = "^"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """The chart of one lease's remaining TTL between two times."""

    teeth: Sequence[TtlSegment]
    granted_ttl_s: int
    since: float
    until: float
    leader_changes: Sequence[float] = ()
    """The times at which a new leader was first seen."""

    def lines(self, width: int) -> Iterator[str]:
        """Yield the lines of the chart: a bar where the remaining TTL is known."""
        plot = max(MIN_WIDTH, width - LABEL_WIDTH - 2)
        bars = [self._level(column, plot) for column in range(plot)]
        for row in reversed(range(HEIGHT)):
            drawn = "".join(_cell(level, row) for level in bars)
            label = duration(self.granted_ttl_s) if row == HEIGHT - 1 else ""
            yield f"{label:>{LABEL_WIDTH}} ┤{drawn}".rstrip()
        yield f"{'0 s':>{LABEL_WIDTH}} └{'─' * plot}"
        if self.leader_changes:
            yield " " * (LABEL_WIDTH + 2) + self._marks(plot).rstrip()
        ago = f"{duration(self.until - self.since)} ago"
        yield " " * (LABEL_WIDTH + 2) + ago + "now".rjust(plot - len(ago))

    def _level(self, column: int, plot: int) -> int | None:
        """Return a bar's height in eighths of a character: the maximum TTL in its column."""
        step = (self.until - self.since) / plot
        begins = self.since + column * step
        left = [
            tooth.left_s(max(begins, tooth.since))
            for tooth in self.teeth
            if tooth.since <= begins + step and tooth.until >= begins
        ]
        if not left:
            return None
        share = min(1.0, max(0.0, max(left) / self.granted_ttl_s))
        return max(1, round(share * HEIGHT * 8))

    def _marks(self, plot: int) -> str:
        row = [" "] * plot
        for moment in self.leader_changes:
            at = int((moment - self.since) / (self.until - self.since) * plot)
            row[min(plot - 1, max(0, at))] = LEADER_MARK
        return "".join(row)


def _cell(level: int | None, row: int) -> str:
    if level is None:
        return " "
    return LEVELS[min(8, max(0, level - row * 8))]
