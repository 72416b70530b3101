"""The ranges by which monitoring plugins alarm."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

_NUMBER = r"-?(?:\d+(?:\.\d*)?|\.\d+)"
_RANGE = re.compile(rf"(@)?(?:(~|{_NUMBER})?:)?({_NUMBER})?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A range of good values or, with `@`, of values that alarm."""

    low: float = 0.0
    high: float = math.inf
    alarms_inside: bool = False
    text: str
    """As it was written; perfdata repeats it."""

    def alarms(self, value: float) -> bool:
        """Return whether a value is to alarm; both ends belong to the range."""
        return (self.low <= value <= self.high) is self.alarms_inside


def parse_range(text: str) -> Range:
    """
    Return the range that a text describes.

    Examples: 10 (alarms above 10 or below 0), 10: (below 10), ~:10 (above 10), 10:20, @10:20.

    Raises:
        ValueError: In one sentence for the person who wrote it; the text is quoted in it.

    Source: the guidelines of the Monitoring Plugins project, "Threshold and ranges".
    """
    found = _RANGE.fullmatch(text)
    if found is None or text in {"", "@", ":", "@:"}:
        raise ValueError(f"{text!r} is not a range; write 10, 10:, ~:10, 10:20 or @10:20")
    inverted, start, end = found.groups()
    low = -math.inf if start == "~" else float(start or 0)
    high = math.inf if end is None else float(end)
    if low > high:
        raise ValueError(f"{text!r} ends before it begins; write the smaller number first")
    return Range(low=low, high=high, alarms_inside=bool(inverted), text=text)
