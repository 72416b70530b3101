"""Reads the fields for the stacks of a goroutine profile in protobuf."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

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

MAX_COUNT = 1 << 31

FIELDS = {
    "Profile": (
        "1* Type type, 2* Sample sample, 4* Location location, 5* Function function, 6* bytes name"
    ),
    "Type": "1 int64 name",
    "Sample": "1* uint64 location, 2* int64 count",
    "Location": "1 uint64 id, 4* Line line",
    "Line": "1 uint64 function, 2 int64 number",
    "Function": "1 uint64 id, 2 int64 name, 4 int64 file",
}
"""
The fields that are read, by message: number (with a star if it repeats), type and name.

Source: profile.proto of pprof.
"""


def _profile_class() -> Any:
    """Build the class of Profile from FIELDS."""
    file = descriptor_pb2.FileDescriptorProto(name="profile.proto")
    for name, fields in FIELDS.items():
        message = file.message_type.add(name=name)
        for text in fields.split(", "):
            number, kind, field = text.split()
            message.field.add(
                name=field,
                number=int(number.rstrip("*")),
                label="LABEL_REPEATED" if number.endswith("*") else "LABEL_OPTIONAL",
                type="TYPE_MESSAGE" if kind in FIELDS else f"TYPE_{kind.upper()}",
                type_name=kind if kind in FIELDS else None,
            )
    built = descriptor_pool.DescriptorPool().AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(built.message_types_by_name["Profile"])


_Profile = _profile_class()


def stacks(data: bytes) -> Iterator[Stack]:
    """
    Yield the stacks of a profile.

    Raises:
        ProcessReadError: It is damaged, or not a goroutine profile.
    """
    profile = _parsed(data)
    tables = _Tables(profile)
    calls = 0
    for sample in profile.sample:
        frames: list[Frame] = []
        for location in sample.location:
            at_location = tables.frames(location)
            calls += len(at_location)
            if calls > MAX_CALLS:
                raise ProcessReadError("it is no goroutine profile: it has over five million calls")
            frames += at_location
        count = sample.count[0] if sample.count else 0
        if not 0 <= count < MAX_COUNT:
            raise ProcessReadError("it is a damaged profile: a count makes no sense")
        yield Stack(frames=tuple(frames), count=count)


def _parsed(data: bytes) -> Any:
    if len(data) > MAX_BYTES:
        raise ProcessReadError(
            f"it is no goroutine profile: it is bigger than {MAX_BYTES >> 20} MiB"
        )
    try:
        profile = _Profile.FromString(data)
    except DecodeError as error:
        raise ProcessReadError("it is a damaged profile, or one that was cut off") from error
    if sum(len(entries) for _, entries in profile.ListFields()) > MAX_ENTRIES:
        raise ProcessReadError("it is no goroutine profile: it has over 300,000 entries")
    return profile


class _Tables:
    """The tables to which the samples refer by number."""

    def __init__(self, profile: Any) -> None:
        self._names: list[str] = [
            name[:MAX_NAME].decode("utf-8", "replace") for name in profile.name
        ]
        if [self._name(kind.name) for kind in profile.type[:1]] != ["goroutine"]:
            raise ProcessReadError("it is no goroutine profile, but one of something else")
        self._functions = {each.id: each for each in profile.function}
        self._locations = {each.id: each for each in profile.location}
        self._frames: dict[int, tuple[Frame, ...]] = {}
        self._lines = 0

    def frames(self, location: int) -> tuple[Frame, ...]:
        """Return the calls at one code place, several where the compiler inlined some."""
        if location not in self._frames:
            found = self._locations.get(location)
            lines = found.line[:MAX_INLINED] if found else ()
            self._lines += len(lines)
            if self._lines > MAX_ENTRIES:
                raise ProcessReadError("it is no goroutine profile: it has over 300,000 lines")
            self._frames[location] = tuple(map(self._frame, lines))
        return self._frames[location]

    def _frame(self, line: Any) -> Frame:
        found = self._functions.get(line.function)
        function, path = (found.name, found.file) if found else (0, 0)
        file = self._name(path).replace("\\", "/").rpartition("/")[2][-MAX_FILE:]
        return Frame(self._name(function), f"{file}:{line.number}" if file else "")

    def _name(self, index: int) -> str:
        if not 0 <= index < len(self._names):
            raise ProcessReadError("it is a damaged profile: a name is missing")
        return self._names[index]
