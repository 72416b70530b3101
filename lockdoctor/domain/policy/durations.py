"""Durations as people write them: 90s, 5m, 1h30m."""

from __future__ import annotations

import math
import re

_UNITS_S = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86400.0,
}


_PART = r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h|d)"


_DURATION = re.compile(rf"(?:{_PART})+", re.ASCII)


def parse_duration(text: str) -> float:
    """
    Return the seconds of a duration such as 90s, 5m, 1h30m, 2d, 500ms, 1.5h, 0.

    Returns:
        Seconds.

    Raises:
        ValueError: In one sentence for the person who wrote it; the text is quoted in it.

    Source: ParseDuration of Go's time package; the unit d (24 hours) is lockdoctor's.
    """
    if text == "0":
        return 0.0
    if text.startswith("-"):
        raise ValueError(f"{text!r} is negative; write a duration like 90s")
    if re.fullmatch(r"\d+\.?\d*|\.\d+", text, re.ASCII):
        raise ValueError(f"{text!r} has no unit; write {text}s for seconds, {text}m for minutes")
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{text!r} is not a duration; write 90s, 5m, 1h30m or 2d")
    seconds = sum(
        float(number) * _UNITS_S[unit] for number, unit in re.findall(_PART, text, re.ASCII)
    )
    if not math.isfinite(seconds):
        raise ValueError(f"{text[:20] + '...'!r} is too long; write a shorter duration")
    return seconds
