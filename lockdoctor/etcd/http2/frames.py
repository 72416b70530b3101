"""
Reads HTTP/2 frames from a stream of bytes, and writes them.

Pure: it reads no socket and interprets no frame. Source: RFC 9113, sections 4 and 6.
"""

from __future__ import annotations

import struct
from typing import TypeAlias

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""The first bytes from a client."""

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS = range(5)
PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(5, 10)

END_STREAM = ACK = 0x1
END_HEADERS = 0x4
PADDED = 0x8
PRIORITIZED = 0x20

HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE = range(
    1, 6
)

CANCEL = 0x8

HEADER = struct.Struct(">BHBBI")
"""A frame header: length in two parts, type, flags, stream."""

SETTING = struct.Struct(">HI")
NUMBER = struct.Struct(">I")

MAX_PAYLOAD = 16_384
"""Maximum payload of one frame; the client keeps the default."""

MAX_NUMBER = 2**31 - 1
"""The maximum of a stream number and of a window."""

DEFAULT_WINDOW = 65_535

Frame: TypeAlias = tuple[int, int, int, bytes]
"""The type, flags, stream and payload."""


class ProtocolError(Exception):
    """The server's bytes are not supported; the message ends "the server ..."."""


class FrameReader:
    """Reads frames from a stream of bytes, wherever it was cut into chunks."""

    def __init__(self) -> None:
        """Start at the beginning of a stream."""
        self.data = b""
        """Received bytes that are not used yet, possibly after used ones."""
        self.start = 0
        """The index of the next frame in the data."""

    def feed(self, chunk: bytes) -> None:
        """Append received bytes."""
        rest = self.data[self.start :]
        self.data, self.start = rest + chunk if rest else chunk, 0

    def next(self) -> Frame | None:
        """
        Return the next frame, once it is complete; else None.

        Raises:
            ProtocolError: It is longer than the maximum payload.
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
        return kind, flags, stream & MAX_NUMBER, self.data[payload_at:end]


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Return a frame."""
    size = len(payload)
    return HEADER.pack(size >> 16, size & 0xFFFF, kind, flags, stream) + payload


def settings_frame(settings: dict[int, int]) -> bytes:
    """Return a frame with the client's settings."""
    payload = b"".join(SETTING.pack(name, value) for name, value in settings.items())
    return frame(SETTINGS, 0, 0, payload)


def window_update(stream: int, increment: int) -> bytes:
    """Return a frame that adds bytes to a window; stream 0 is the connection's."""
    return frame(WINDOW_UPDATE, 0, stream, NUMBER.pack(increment))


def reset(stream: int, code: int) -> bytes:
    """Return a frame that ends a stream."""
    return frame(RST_STREAM, 0, stream, NUMBER.pack(code))


def settings_of(payload: bytes) -> list[tuple[int, int]]:
    """
    Return settings in their order.

    Raises:
        ProtocolError: They are truncated, or a value is invalid.
    """
    if len(payload) % SETTING.size:
        raise ProtocolError("sent truncated settings")
    settings = list(SETTING.iter_unpack(payload))
    for name, value in settings:
        if name == INITIAL_WINDOW_SIZE and value > MAX_NUMBER:
            raise ProtocolError(f"set a window of {value} bytes")
        if name == MAX_FRAME_SIZE and not MAX_PAYLOAD <= value < 2**24:
            raise ProtocolError(f"set a frame size of {value} bytes")
    return settings


def number_of(payload: bytes) -> int:
    """
    Return the number at the beginning of a short frame.

    Raises:
        ProtocolError: It is truncated.
    """
    if len(payload) < NUMBER.size:
        raise ProtocolError("sent a truncated frame")
    (number,) = NUMBER.unpack_from(payload)
    return int(number)


def content_of(kind: int, flags: int, payload: bytes) -> bytes:
    """
    Return the content of a frame without padding and without HEADERS' priority.

    Raises:
        ProtocolError: They are longer than the frame.
    """
    start, padding = 0, 0
    if flags & PADDED:
        if not payload:
            raise ProtocolError("sent a truncated frame")
        start, padding = 1, payload[0]
    if kind == HEADERS and flags & PRIORITIZED:
        start += 5
    end = len(payload) - padding
    if start > end:
        raise ProtocolError("sent a frame with too much padding")
    return payload[start:end]
