"""
HTTP/2 frames: taken out of a stream of bytes, and written.

Pure: nothing here reads a socket or knows what a frame is for. Source: RFC 9113, sections 4 and 6.
"""

from __future__ import annotations

import struct
from typing import TypeAlias

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""What a client says first."""

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS = range(5)
PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(5, 10)

END_STREAM = ACK = 0x1
END_HEADERS = 0x4
PADDED = 0x8
PRIORITISED = 0x20

HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE = range(
    1, 6
)

CANCEL = 0x8

HEADER = struct.Struct(">BHBBI")
"""Of a frame: length in two parts, type, flags, stream."""

SETTING = struct.Struct(">HI")
NUMBER = struct.Struct(">I")

MAX_PAYLOAD = 16_384
"""What a peer may send in one frame; we ask for no more than the default."""

MOST = 2**31 - 1
"""The highest number of a stream, and the largest window."""

DEFAULT_WINDOW = 65_535

Frame: TypeAlias = tuple[int, int, int, bytes]
"""Type, flags, stream, payload."""


class ProtocolError(Exception):
    """The other side does what we do not understand; the message ends "the server ..."."""


class FrameReader:
    """Takes frames out of a stream of bytes, wherever it was cut into chunks."""

    def __init__(self) -> None:
        """Start at the beginning of a stream."""
        self.data = b""
        """What has come and is not used up, and maybe some of what is."""
        self.start = 0
        """Where in it the next frame begins."""

    def feed(self, chunk: bytes) -> None:
        """Take in what came."""
        rest = self.data[self.start :]
        self.data, self.start = rest + chunk if rest else chunk, 0

    def next(self) -> Frame | None:
        """
        Give the next frame, once it is whole.

        Raises:
            ProtocolError: It is longer than we allow.
        """
        payload_at = self.start + HEADER.size
        if payload_at > len(self.data):
            return None
        high, low, kind, flags, stream = HEADER.unpack_from(self.data, self.start)
        if high or low > MAX_PAYLOAD:
            raise ProtocolError(f"sent a frame of {high << 16 | low} bytes")
        end = payload_at + low
        if end > len(self.data):
            return None
        self.start = end
        return kind, flags, stream & MOST, self.data[payload_at:end]


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Write a frame."""
    size = len(payload)
    return HEADER.pack(size >> 16, size & 0xFFFF, kind, flags, stream) + payload


def settings_frame(settings: dict[int, int]) -> bytes:
    """Write our settings."""
    payload = b"".join(SETTING.pack(name, value) for name, value in settings.items())
    return frame(SETTINGS, 0, 0, payload)


def window_update(stream: int, increment: int) -> bytes:
    """Allow the other side so many bytes more; on stream 0 for all of them together."""
    return frame(WINDOW_UPDATE, 0, stream, NUMBER.pack(increment))


def reset(stream: int, code: int) -> bytes:
    """End a stream from our side."""
    return frame(RST_STREAM, 0, stream, NUMBER.pack(code))


def settings_of(payload: bytes) -> list[tuple[int, int]]:
    """
    Read settings, in their order.

    Raises:
        ProtocolError: They break off, or a value is none that may be.
    """
    if len(payload) % SETTING.size:
        raise ProtocolError("sent settings that break off")
    settings = list(SETTING.iter_unpack(payload))
    for name, value in settings:
        if name == INITIAL_WINDOW_SIZE and value > MOST:
            raise ProtocolError(f"set a window of {value} bytes")
        if name == MAX_FRAME_SIZE and not MAX_PAYLOAD <= value < 2**24:
            raise ProtocolError(f"set a frame size of {value} bytes")
    return settings


def number_of(payload: bytes) -> int:
    """
    Read the number that a short frame begins with.

    Raises:
        ProtocolError: It breaks off.
    """
    if len(payload) < NUMBER.size:
        raise ProtocolError("sent a frame that breaks off")
    (number,) = NUMBER.unpack_from(payload)
    return int(number)


def content_of(kind: int, flags: int, payload: bytes) -> bytes:
    """
    Take the padding, and the priority of HEADERS, off the content of a frame.

    Raises:
        ProtocolError: They are longer than the frame.
    """
    start, padding = 0, 0
    if flags & PADDED:
        if not payload:
            raise ProtocolError("sent a frame that breaks off")
        start, padding = 1, payload[0]
    if kind == HEADERS and flags & PRIORITISED:
        start += 5
    end = len(payload) - padding
    if start > end:
        raise ProtocolError("sent a frame of which the padding is longer than itself")
    return payload[start:end]
