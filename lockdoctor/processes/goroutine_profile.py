"""Reads a goroutine profile of a Go process, in any of its three forms."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import islice

from lockdoctor.domain.processes.goroutines import Stack, count_goroutines, keeps_a_lease_alive
from lockdoctor.domain.report.processes import Frame, GoroutineCounts
from lockdoctor.errors import ProcessReadError
from lockdoctor.processes import profile_pb2

MAX_BYTES = 64 << 20
"""Maximum bytes of a profile; Go itself stops writing debug=2 there."""

MAX_LINES = 2_000_000
MAX_LINE = 4_096
MAX_FRAMES = 1_000
MAX_WORDS = 8
MAX_GOROUTINES = 400_000
"""
Limits above those of any real profile.

They limit lines, bytes of one, calls of a stack, arguments of a call, and goroutines that are
listed singly. Go prints 100 to 128 calls, and 64 MiB hold about 150,000 goroutines.
"""

_GZIP = b"\x1f\x8b"
_WEB_PAGE = re.compile(rb"<[!a-zA-Z]")
_GOROUTINE = re.compile(r"goroutine (\d+)\b[^\[]{0,100}\[([^\]]{0,200})\]")
_MINUTES = re.compile(r", (\d{1,9}) minutes\b")
_WORD = re.compile(r"\b0x([0-9a-f]{1,16})\b(?!\?)")
"""
An argument of a call; with `?` after it, it is a stale register value.

Source: printArgs in Go's runtime/traceback.go, since Go 1.18.
"""
_CREATOR = re.compile(r" in goroutine (\d+)$")


def counts_of(raw: bytes) -> GoroutineCounts:
    """
    Count the goroutines of a profile in any of its three forms.

    Raises:
        ProcessReadError: It is not a goroutine profile, or a damaged one.

    Source: writeRuntimeProfile and writeProtoProfile in Go's runtime/pprof, goroutineheader in
    runtime/traceback.go; profile.proto of pprof.
    """
    data = _unpacked(raw)
    head = data[:200].lstrip()
    if head.startswith(b"goroutine profile: total "):
        return _summed(data)
    if _GOROUTINE.match(head.decode("utf-8", "replace")):
        is_whole = len(data) < MAX_BYTES and data.endswith(b"\n")
        return count_goroutines(_each(_lines(data)), is_whole=is_whole)
    if data[:1] in profile_pb2.FIRST_BYTES and not _WEB_PAGE.match(head):
        return count_goroutines(profile_pb2.stacks(data))
    raise ProcessReadError(f"it is no goroutine profile: {_what(head)}")


def _unpacked(raw: bytes) -> bytes:
    if not raw.startswith(_GZIP):
        return raw
    unpacking = zlib.decompressobj(wbits=31)
    try:
        data = unpacking.decompress(raw, MAX_BYTES)
    except zlib.error as error:
        raise ProcessReadError("it is a damaged gzip file") from error
    if unpacking.unconsumed_tail:
        raise ProcessReadError(f"it is bigger than {MAX_BYTES >> 20} MiB when unpacked")
    if not unpacking.eof:
        raise ProcessReadError("it is a gzip file that was cut off")
    return data


def _what(head: bytes) -> str:
    if not head:
        return "it is empty"
    if _WEB_PAGE.match(head):
        return "it is a web page"
    if re.match(rb"heap profile:|threadcreate profile:|--- (?:mutex|contention):", head):
        return "it is a profile of something else"
    return "its first bytes are not those of one"


def _lines(data: bytes) -> Iterator[str]:
    for number, line in enumerate(io.BytesIO(data)):
        if number >= MAX_LINES:
            raise ProcessReadError("it is no goroutine profile: it has over two million lines")
        yield line[:MAX_LINE].rstrip(b"\r\n").decode("utf-8", "replace")


def _summed(data: bytes) -> GoroutineCounts:
    """Count debug=1: each different stack once, with its number of goroutines."""
    lines = _lines(data.lstrip())
    total = int(re.sub(r"\D", "", next(lines)[:60]) or 0)
    counts = count_goroutines(_shared(lines))
    if counts.goroutines == 0 < total:
        raise ProcessReadError("it is a goroutine profile without a goroutine")
    return counts if counts.goroutines >= total else replace(counts, is_whole=False)


def _shared(lines: Iterator[str]) -> Iterator[Stack]:
    count, frames = 0, list[Frame]()
    for line in lines:
        if line.startswith("#\t"):
            parts = [part for part in line.split("\t") if part]
            if len(parts) > 2 and len(frames) < MAX_FRAMES:  # noqa: PLR2004 - "#", the address, the name, the place
                frames.append(_frame(parts[2].rpartition("+0x")[0] or parts[2], parts[-1]))
            continue
        number, at, _ = line.partition(" @ ")
        if at and number.isascii() and number.isdigit() and len(number) < 10:  # noqa: PLR2004
            if count:
                yield Stack(frames=tuple(frames), count=count)
            count, frames = int(number), []
    if count:
        yield Stack(frames=tuple(frames), count=count)


def _each(lines: Iterator[str]) -> Iterator[Stack]:
    """Yield the stacks of debug=2: each goroutine singly."""
    found: _Goroutine | None = None
    goroutines = 0
    for line in lines:
        if line.startswith("goroutine ") and (header := _GOROUTINE.match(line)):
            if found:
                yield found.stack
            found = _Goroutine(header)
            goroutines += 1
            if goroutines > MAX_GOROUTINES:
                raise ProcessReadError("it is no goroutine profile: its goroutines are too many")
        elif found:
            found.take(line)
    if found:
        yield found.stack


class _Goroutine:
    """One goroutine of debug=2, filled line by line."""

    def __init__(self, header: re.Match[str]) -> None:
        minutes = _MINUTES.search(header[2])
        self._number = int(header[1][:18])
        self._blocked_s = 60 * int(minutes[1]) if minutes else 0
        self._started_by: int | None = None
        self._frames: list[Frame] = []
        self._words: set[int] = set()
        self._function = ""
        self._is_own = True

    def take(self, line: str) -> None:
        if line.startswith("[originating from "):
            self._is_own = False  # stacks of its ancestors, which GODEBUG can request
        elif not self._is_own:
            pass
        elif line.startswith("created by "):
            creator = _CREATOR.search(line)
            self._started_by = int(creator[1][:18]) if creator else None
            self._function = ""
        elif line.startswith("\t"):
            if self._function and len(self._frames) < MAX_FRAMES:
                self._frames.append(_frame(self._function, line.strip()))
            self._function = ""
        elif line.endswith(")"):
            at = _arguments_at(line)
            self._function = line[:at]
            if keeps_a_lease_alive(self._function):
                found = islice(_WORD.finditer(line, at), MAX_WORDS)
                self._words |= {int(word[1], 16) for word in found}

    @property
    def stack(self) -> Stack:
        return Stack(
            frames=tuple(self._frames),
            number=self._number,
            started_by=self._started_by,
            blocked_s=self._blocked_s,
            words=frozenset(self._words),
        )


def _arguments_at(line: str) -> int:
    """Return the index of the arguments' parenthesis: main.(*T).Do({0x1, (...)}, 0x2)."""
    start = line.rfind("/") + 1
    while (at := line.find("(", start)) >= 0:
        if line[at : at + 2] != "(*" or at == 0 or line[at - 1] != ".":
            return at
        start = at + 1
    return len(line)


@lru_cache(maxsize=1 << 14)
def _frame(function: str, place: str) -> Frame:
    """Return a frame with file and line: /src/jobs/main.go:17 +0x2a is main.go:17."""
    file = place.rpartition(" +0x")[0] or place
    return Frame(function, file.replace("\\", "/").rpartition("/")[2])
