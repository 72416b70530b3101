"""
Reads the protobuf form of a goroutine profile.

Only the fields for the stacks are read, one by one. So a hostile file costs no more than its size,
and the rest of pprof's profile.proto is not needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from lockdoctor.domain.processes.goroutines import Stack
from lockdoctor.domain.report.processes import Frame
from lockdoctor.errors import ProcessReadError

FIRST_BYTES = (b"\x0a", b"\x5a")
"""First bytes of Go's profiles: field 11 or 1, the type of period or of samples."""

MAX_BYTES = 8 << 20
"""Maximum bytes; each stack is written once, and real processes need < 1/10."""

MAX_ENTRIES = 300_000
"""Maximum entries, above the stacks, calls, names and code lines of any process."""

MAX_NAME = 1_000
MAX_FILE = 200
MAX_INLINED = 100
"""
Maximum bytes of a function's or file's name, and calls at one code place.

The rest is omitted.
"""

MAX_CALLS = 5_000_000
"""Maximum calls over all stacks; one byte can name a call."""

_VARINT, _LENGTH = 0, 2
_SIZES = {1: 8, 5: 4}
"""Sizes in bytes of the fixed-size field kinds."""
_MAX_VARINT = 10

Field: TypeAlias = "tuple[int, int | bytes]"


@dataclass(slots=True)
class _Tables:
    """The tables to which the samples refer by number."""

    names: list[str] = field(default_factory=list)
    types: list[bytes] = field(default_factory=list)
    samples: list[bytes] = field(default_factory=list)
    locations: dict[int, bytes] = field(default_factory=dict)
    functions: dict[int, tuple[int, int]] = field(default_factory=dict)
    """The names of a function and of its file, as string numbers."""

    def add(self, number: int, value: bytes) -> None:
        match number:
            case 1:
                self.types.append(value)
            case 2:
                self.samples.append(value)
            case 4:
                self.locations[_number(value, 1)] = value
            case 5:
                names = _number(value, 2), _number(value, 4)
                self.functions[_number(value, 1)] = names
            case 6:
                self.names.append(value[:MAX_NAME].decode("utf-8", "replace"))
            case _:
                pass

    def name(self, index: int) -> str:
        if not 0 <= index < len(self.names):
            raise ProcessReadError("it is a damaged profile: a name is missing")
        return self.names[index]


def stacks(data: bytes) -> Iterator[Stack]:
    """
    Yield the stacks of a profile.

    Raises:
        ProcessReadError: It is damaged, or not a goroutine profile.

    Source: profile.proto of pprof.
    """
    tables = _tables(data)
    known: dict[int, tuple[Frame, ...]] = {}
    calls = lines = 0
    for sample in tables.samples:
        frames: list[Frame] = []
        for location in _packed(sample, 1):
            if location not in known:
                known[location] = _frames(tables, location)
                lines += len(known[location])
                if lines > MAX_ENTRIES:
                    raise ProcessReadError("it is no goroutine profile: it has over 300,000 lines")
            calls += len(known[location])
            if calls > MAX_CALLS:
                raise ProcessReadError("it is no goroutine profile: it has over five million calls")
            frames += known[location]
        yield Stack(frames=tuple(frames), count=_count(sample))


def _tables(data: bytes) -> _Tables:
    if len(data) > MAX_BYTES:
        raise ProcessReadError(
            f"it is no goroutine profile: it is bigger than {MAX_BYTES >> 20} MiB"
        )
    tables = _Tables()
    for entries, (number, value) in enumerate(_fields(data)):
        if isinstance(value, bytes):
            tables.add(number, value)
        if entries > MAX_ENTRIES:
            raise ProcessReadError("it is no goroutine profile: it has over 300,000 entries")
    kinds = [tables.name(_number(each, 1)) for each in tables.types[:1]]
    if kinds != ["goroutine"]:
        raise ProcessReadError("it is no goroutine profile, but one of something else")
    return tables


def _frames(tables: _Tables, location: int) -> tuple[Frame, ...]:
    """Return the calls at one code place, several where the compiler inlined some."""
    lines = [v for n, v in _fields(tables.locations.get(location, b"")) if n == 4]  # noqa: PLR2004
    return tuple(_frame(tables, line) for line in lines[:MAX_INLINED] if isinstance(line, bytes))


def _frame(tables: _Tables, line: bytes) -> Frame:
    function, path = tables.functions.get(_number(line, 1), (0, 0))
    file = tables.name(path).replace("\\", "/").rpartition("/")[2][-MAX_FILE:]
    number = _number(line, 2)
    return Frame(tables.name(function), f"{file}:{number}" if file else "")


def _number(message: bytes, wanted: int) -> int:
    """Return the last value of a number field, 0 if it is missing."""
    found = [v for n, v in _fields(message) if n == wanted and isinstance(v, int)]
    return found[-1] if found else 0


def _packed(message: bytes, wanted: int) -> list[int]:
    """Return all values of a repeated number field, packed or single."""
    found: list[int] = []
    for number, value in _fields(message):
        if number != wanted:
            continue
        if isinstance(value, int):
            found.append(value)
            continue
        at = 0
        while at < len(value):
            item, at = _varint(value, at)
            found.append(item)
    return found


def _count(sample: bytes) -> int:
    """Return the number of goroutines of a sample; int64 allows negative numbers."""
    count = next(iter(_packed(sample, 2)), 0)
    if count >= 1 << 31:
        raise ProcessReadError("it is a damaged profile: a count makes no sense")
    return count


def _fields(message: bytes) -> Iterator[Field]:
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield tag >> 3, value
            continue
        if kind == _LENGTH:
            size, at = _varint(message, at)
        elif kind in _SIZES:
            size = _SIZES[kind]
        else:
            raise ProcessReadError("it is no goroutine profile, or a damaged one")
        if at + size > len(message):
            raise ProcessReadError("it is no goroutine profile, or one that was cut off")
        if kind == _LENGTH:
            yield tag >> 3, message[at : at + size]
        at += size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(_MAX_VARINT):
        if at + shift >= len(message):
            raise ProcessReadError("it is no goroutine profile, or one that was cut off")
        byte = message[at + shift]
        value |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:  # noqa: PLR2004 - the last byte has its top bit unset
            return value, at + shift + 1
    raise ProcessReadError("it is no goroutine profile, or a damaged one")
