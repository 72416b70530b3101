"""
Words for values: bytes, numbers, durations, leases. The only place that escapes.

Keys, values and what a server says are untrusted. What leaves this module holds printable
characters only: no line break, no control or escape sequence, nothing that turns the direction of
the text around, nothing invisible.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import humanize

from lockdoctor.domain.model.locks import Lock

_NAMED = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}

_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols by name, but nothing to see. Source: Default_Ignorable_Code_Point in Unicode,
and the empty Braille pattern."""

MINUTES_FROM_S = 120.0
"""Shorter durations are told in seconds, as TTLs are granted and periods are compared with them."""

_UNITS = {"second": "s", "minute": "min", "hour": "h", "day": "day"}

_PRECISION = ((10.0, 0.1), (3600.0, 1.0), (86400.0, 60.0), (30 * 86400.0, 3600.0))
"""Below so many seconds a duration is told to the nearest so many."""


def printable(raw: bytes) -> str:
    r"""
    Write bytes as text that is safe to show, and from which the bytes can be told again.

    Visible UTF-8 stays. A byte that is not UTF-8 becomes \xNN, as do control characters; other
    invisible characters become \uNNNN; a backslash is doubled. A space at either end, which
    nobody would see, becomes \x20.
    """
    text = raw.decode("utf-8", "surrogateescape")
    if _is_plain(text) and "\\" not in text and text == text.strip(" "):
        return text
    inner = text.strip(" ")
    lead = len(text) - len(text.lstrip(" ")) if inner else len(text)
    trail = len(text) - len(inner) - lead
    shown = "".join(r"\\" if char == "\\" else _visible(char) for char in inner)
    return r"\x20" * lead + shown + r"\x20" * trail


def safe(text: str) -> str:
    """Make a sentence safe to show that may quote what a server said."""
    return text if _is_plain(text) else "".join(map(_visible, text))


def shortened(text: str, width: int) -> str:
    """Cut the middle out of a text of more than so many characters."""
    if len(text) <= width:
        return text
    tail = (width - 1) // 2
    return f"{text[: width - 1 - tail]}…{text[-tail:]}"


def lock_title(lock: Lock) -> str:
    """Call a lock by its name, or by its first key where the name is empty."""
    if lock.name:
        return printable(lock.name)
    return printable(lock.keys[0].key) if lock.keys else "(empty name)"


def duration(seconds: float, rounding: Callable[[float], int] = round) -> str:
    """Write a duration: 1.7 s, 60 s, 3 min 20 s, 3 h 20 min, 2 days 4 h, 412 days."""
    step = next((step for limit, step in _PRECISION if abs(seconds) < limit), 86400.0)
    exact = rounding(round(seconds / step, 6)) * step
    return _worded(exact)


def at_least(seconds: float) -> str:
    """Write a duration that was reached: rounded down."""
    return duration(max(0.0, seconds), math.floor)


def at_most(seconds: float) -> str:
    """Write a duration that was not exceeded: rounded up."""
    return duration(max(0.0, seconds), math.ceil)


def moment(at: float) -> str:
    """Write a moment, POSIX seconds: 2026-11-24 14:05 UTC."""
    return f"{date(at)} UTC"


def date(at: float) -> str:
    """Write POSIX seconds as date and time of day, in UTC: 2026-01-01 12:05."""
    return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%d %H:%M")


def time(at: float) -> str:
    """Write the time of day of a moment, POSIX seconds: 14:05:09 UTC."""
    return datetime.fromtimestamp(at, timezone.utc).strftime("%H:%M:%S UTC")


def size(number: int) -> str:
    """Write how many bytes: 4.1 kB, 200.0 MB."""
    return humanize.naturalsize(number).replace("Byte", "byte")


def took(seconds: float) -> str:
    """Write what some requests took: 4 ms, 1.7 s."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else duration(seconds)


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Write how many there are: 1 lock, 1,234 locks."""
    return f"{humanize.intcomma(number)} {noun if number == 1 else plural or noun + 's'}"


def times(number: int) -> str:
    """Write how often: once, twice, 3 times."""
    return {1: "once", 2: "twice"}.get(number, f"{humanize.intcomma(number)} times")


@functools.lru_cache(maxsize=4096)
def _worded(seconds: float) -> str:
    """Write a rounded duration; 100,000 locks have few different ones."""
    if abs(seconds) < MINUTES_FROM_S:
        return f"{seconds:g} s"
    words = humanize.precisedelta(
        timedelta(seconds=seconds), suppress=["years", "months"], format="%g"
    )
    return " ".join(map(_short_unit, words.replace(" and ", ", ").split(", ")))


def _is_plain(text: str) -> bool:
    """Whether every character is visible as it is; nearly all are, and 100,000 locks have many."""
    return text.isascii() and text.isprintable()


def _takes_room(char: str) -> bool:
    """Tell a mark that stands alone, which takes no room, from a character."""
    from rich.cells import cell_len  # noqa: PLC0415  # nearly all names are plain

    return cell_len(char) > 0


def _visible(char: str) -> str:
    if char.isprintable() and char not in _BLANK and _takes_room(char):
        return char
    if char in _NAMED:
        return _NAMED[char]
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # noqa: PLR2004 - where surrogateescape puts bytes
        return rf"\x{code - 0xDC00:02x}"
    if code < 0x80:  # noqa: PLR2004 - ASCII
        return rf"\x{code:02x}"
    return rf"\u{code:04x}" if code <= 0xFFFF else rf"\U{code:08x}"  # noqa: PLR2004 - the BMP


def _short_unit(part: str) -> str:
    number, unit = part.split(" ")
    short = _UNITS[unit.removesuffix("s")]
    return f"{number} {unit if short == 'day' else short}"
