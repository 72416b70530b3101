"""
Formats bytes, numbers, durations and leases; the only module that escapes.

Keys, values and texts from a server are untrusted. The results contain printable characters
only: no line break, no control or escape sequence, no change of the text's direction, no
invisible character.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import humanize

from lockdoctor.domain.model.leases import NO_LEASE, LeaseId, hex_id
from lockdoctor.domain.model.locks import Lock

_NAMED = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}

_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""
Letters and symbols by name, but without a visible shape.

Source: Default_Ignorable_Code_Point in Unicode, and the empty Braille pattern.
"""

MINUTES_FROM_S = 120.0
"""Shorter durations are given in seconds, like TTLs and periods."""

_UNITS = {"second": "s", "minute": "min", "hour": "h", "day": "day"}

_PRECISION = ((10.0, 0.1), (3600.0, 1.0), (86400.0, 60.0), (30 * 86400.0, 3600.0))
"""Limit and step in seconds: a duration below a limit is rounded to its step."""


NAME_WIDTH = 120
"""Longer names lose their middle in a table; JSON and the export have the whole name."""

BRIEF_WIDTH = 60
"""Longer names lose their middle in a sentence; JSON has the whole name."""


def printable(raw: bytes) -> str:
    r"""
    Return bytes as text that is safe to show and has a unique meaning.

    Visible UTF-8 stays. A byte that is not UTF-8 becomes \xNN, as do control characters. Other
    invisible characters become \uNNNN. A backslash is doubled. A space at either end, which is
    hard to see, becomes \x20.
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
    """Return a sentence safe to show, which might quote a server's text."""
    return text if _is_plain(text) else "".join(map(_visible, text))


def shortened(text: str, width: int) -> str:
    """Return a text without its middle if it exceeds a width in characters."""
    if len(text) <= width:
        return text
    tail = (width - 1) // 2
    return f"{text[: width - 1 - tail]}…{text[-tail:]}"


def brief(raw: bytes) -> str:
    """Return bytes as in `printable`, of at most 60 characters; JSON has all of them."""
    return shortened(printable(raw), BRIEF_WIDTH)


def name(raw: bytes, width: int = NAME_WIDTH) -> str:
    """Return the name of a lock or a key, shortened and safe to show."""
    return shortened(printable(raw), width) if raw else "(empty name)"


def lock_title(lock: Lock, width: int = NAME_WIDTH) -> str:
    """Return the name of a lock, or its first key if the name is empty, shortened."""
    return name(lock.name or (lock.keys[0].key if lock.keys else b""), width)


def lease_name(lease_id: LeaseId) -> str:
    """Return a lease in etcdctl's form: lease 32698f1c0a1b2c3d, or no lease."""
    return f"lease {hex_id(lease_id)}" if lease_id != NO_LEASE else "no lease"


def duration(seconds: float, rounding: Callable[[float], int] = round) -> str:
    """Return a duration: 1.7 s, 60 s, 3 min 20 s, 3 h 20 min, 2 days 4 h, 412 days."""
    step = next((step for limit, step in _PRECISION if abs(seconds) < limit), 86400.0)
    exact = rounding(round(seconds / step, 6)) * step
    return _worded(exact)


def at_least(seconds: float) -> str:
    """Return a duration that was reached, rounded down."""
    return duration(max(0.0, seconds), math.floor)


def at_most(seconds: float) -> str:
    """Return a duration that was not exceeded, rounded up."""
    return duration(max(0.0, seconds), math.ceil)


def moment(at: float) -> str:
    """Return POSIX seconds as a time in UTC: 2026-11-24 14:05 UTC."""
    return f"{date(at)} UTC"


def date(at: float) -> str:
    """Return POSIX seconds as date and time of day, in UTC: 2026-01-01 12:05."""
    return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%d %H:%M")


def time(at: float) -> str:
    """Return POSIX seconds as a time of day: 14:05:09 UTC."""
    return datetime.fromtimestamp(at, timezone.utc).strftime("%H:%M:%S UTC")


def size(number: int) -> str:
    """Return a number of bytes: 4.1 kB, 200.0 MB."""
    return humanize.naturalsize(number).replace("Byte", "byte")


def took(seconds: float) -> str:
    """Return the duration of requests: 4 ms, 1.7 s."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else duration(seconds)


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return a count with its noun: 1 lock, 1,234 locks."""
    return f"{humanize.intcomma(number)} {noun if number == 1 else plural or noun + 's'}"


def times(number: int) -> str:
    """Return a frequency: once, 2 times."""
    return "once" if number == 1 else f"{humanize.intcomma(number)} times"


@functools.lru_cache(maxsize=4096)
def _worded(seconds: float) -> str:
    """Return a rounded duration in words; 100,000 locks have few different ones."""
    if abs(seconds) < MINUTES_FROM_S:
        return f"{seconds:g} s"
    words = humanize.precisedelta(
        timedelta(seconds=seconds), suppress=["years", "months"], format="%g"
    )
    return " ".join(map(_short_unit, words.replace(" and ", ", ").split(", ")))


def _is_plain(text: str) -> bool:
    """Return whether every character is visible ASCII, as in nearly all names."""
    return text.isascii() and text.isprintable()


def _takes_room(char: str) -> bool:
    """Return whether a character takes up columns; a lone combining mark does not."""
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
