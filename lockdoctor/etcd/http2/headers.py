"""
Encodes and decodes the HPACK header blocks of unary gRPC calls.

The `hpack` library does the coding. This module tracks which bytes keep their meaning.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias
from urllib.parse import unquote_to_bytes

import hpack

from lockdoctor.etcd.http2.frames import CONTINUATION, END_HEADERS, ProtocolError

MAX_TABLE = 4096
"""Requested maximum bytes of the server's header table; it can choose fewer."""

MAX_KEPT = 64
"""Maximum stored blocks: a server has few, some of which change every second."""

MAX_BLOCK = 1 << 16
MAX_CONTINUATIONS = 64

INDEXED, LONGER_INDEX = 0x80, 0x7F
"""The bit of an indexed field, and the index that continues in further bytes."""

Fields: TypeAlias = Sequence[tuple[str, str]]


class HeaderEncoder:
    """Encodes request headers, in a few bytes once the server has stored them."""

    def __init__(self) -> None:
        """Start with a new connection."""
        self._encoder = hpack.Encoder()
        self._fields: Fields | None = None
        self._steady: bytes | None = None

    def block(self, fields: Fields) -> bytes:
        """
        Return the block for these headers, to be sent before the next block.

        A block of references only changes no table, neither the client's nor the server's.
        """
        if self._steady is not None and fields is self._fields:
            return self._steady
        block = self._encoder.encode(fields)
        is_steady = len(block) == len(fields) and all(_is_reference(byte) for byte in block)
        self._fields, self._steady = fields, block if is_steady else None
        return block

    def limit_table(self, size: int) -> None:
        """Limit the server's header table to this many bytes."""
        self._encoder.header_table_size = min(size, MAX_TABLE)
        self._steady = None


class HeaderBlock:
    """A header block in several frames."""

    def __init__(self, stream: int, flags: int, part: bytes) -> None:
        """Start with the HEADERS frame of a stream."""
        self.flags = flags
        self._stream = stream
        self._parts = [part]

    def add(self, kind: int, flags: int, stream: int, part: bytes) -> bytes | None:
        """
        Add the next frame, and return the block once it is complete.

        Raises:
            ProtocolError: The frame is another one, or the block is too long.
        """
        if kind != CONTINUATION or stream != self._stream:
            raise ProtocolError("interrupted a header block")
        self._parts.append(part)
        if len(self._parts) > MAX_CONTINUATIONS or sum(map(len, self._parts)) > MAX_BLOCK:
            raise ProtocolError("sent headers without an end")
        return b"".join(self._parts) if flags & END_HEADERS else None


class ResponseHeaders(NamedTuple):
    """The facts on a call in the headers or trailers of its response."""

    http_status: int | None
    is_grpc: bool
    grpc_status: int | None
    grpc_message: str
    block: bytes | None = None
    """The block, if the same bytes will have the same meaning the next time."""


class HeaderDecoder:
    """
    Decodes the headers and trailers of answers.

    The client allows the server a table of size 0. If the server never uses a table, a block always
    has the same meaning, and is decoded once. Otherwise every block is decoded, since each can
    change the meaning of the next ones.
    """

    def __init__(self) -> None:
        """Start with a new connection."""
        self._decoder = hpack.Decoder()
        self._kept: dict[bytes, ResponseHeaders] = {}

    def head(self, block: bytes) -> ResponseHeaders:
        """
        Return the meaning of a block; the order of a connection's blocks matters.

        Raises:
            ProtocolError: It is not HPACK, or invalid in gRPC.
        """
        found = self._kept.get(block)
        if found is not None:
            return found
        was_stateless = self._is_stateless
        try:
            head = _head(self._decoder.decode(block, raw=True))
        except hpack.HPACKError as error:
            raise ProtocolError("sent headers that cannot be decoded") from error
        if not self._is_stateless:
            self._kept.clear()
        elif was_stateless:
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            head = self._kept[block] = head._replace(block=block)
        return head

    @property
    def _is_stateless(self) -> bool:
        return self._decoder.header_table_size == 0


def _is_reference(byte: int) -> bool:
    """
    Return whether a byte is a whole indexed field, with an index from 1 to 126.

    Source: RFC 7541, 6.1.
    """
    return INDEXED < byte < INDEXED | LONGER_INDEX


def _head(fields: Iterable[tuple[bytes | str, bytes | str]]) -> ResponseHeaders:
    found: dict[bytes, bytes] = dict(fields)  # type: ignore[arg-type]  # raw means bytes
    return ResponseHeaders(
        http_status=_number(found.get(b":status")),
        is_grpc=found.get(b"content-type", b"").startswith(b"application/grpc"),
        grpc_status=_number(found.get(b"grpc-status")),
        grpc_message=unquote_to_bytes(found.get(b"grpc-message", b"")).decode("utf-8", "replace"),
    )


def _number(text: bytes | None) -> int | None:
    if text is None:
        return None
    if len(text) > 3 or not text.isdigit():  # noqa: PLR2004  # no status has more digits
        raise ProtocolError("sent a status that is no number")
    return int(text)
