"""
HPACK header blocks of unary gRPC calls: the request's, and what the answer's say.

The `hpack` library codes and decodes; what is here knows when the same bytes mean the same again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias
from urllib.parse import unquote_to_bytes

import hpack

from lockdoctor.etcd.http2.frames import ProtocolError

MAX_TABLE = 4096
"""Bytes of entries that we ask a server to remember; it may want fewer."""

MAX_KEPT = 64
"""Blocks whose meaning is kept: a server has a handful, some of which change every second."""

INDEXED, LONGER_INDEX = 0x80, 0x7F
"""The bit of an indexed field, and the index that says that it goes on in further bytes."""

Fields: TypeAlias = Sequence[tuple[str, str]]


class HeaderEncoder:
    """Codes the headers of requests; once the server remembers all of them, in a few bytes."""

    def __init__(self) -> None:
        """Begin with a connection."""
        self._encoder = hpack.Encoder()
        self._fields: Fields | None = None
        self._steady: bytes | None = None
        self.are_steady = False
        """Whether the last block stays right until other headers, or a smaller table, come."""

    def block(self, fields: Fields) -> bytes:
        """
        Write headers, to be sent before any other block is asked for.

        A block of nothing but references changes no table, neither ours nor the server's.
        """
        if self._steady is not None and fields is self._fields:
            return self._steady
        block = self._encoder.encode(fields)
        is_steady = len(block) == len(fields) and all(_is_reference(byte) for byte in block)
        self._fields, self._steady = fields, block if is_steady else None
        self.are_steady = is_steady
        return block

    def limit_table(self, size: int) -> None:
        """Let the server remember at most so many bytes."""
        self._encoder.header_table_size = min(size, MAX_TABLE)
        self._steady, self.are_steady = None, False


class ResponseHeaders(NamedTuple):
    """What the headers or trailers of an answer say of a call."""

    http_status: int | None
    is_grpc: bool
    grpc_status: int | None
    grpc_message: str
    block: bytes | None = None
    """The block that means this, where the same bytes will mean the same next time."""


class HeaderDecoder:
    """
    Decodes the headers and trailers of answers.

    We ask servers to remember nothing (a table of no size). Where one keeps to that, a block
    means the same whenever it comes, and is decoded once. Where one does not, every block is
    decoded, for each may change what the next ones mean.
    """

    def __init__(self) -> None:
        """Begin with a connection."""
        self._decoder = hpack.Decoder()
        self._kept: dict[bytes, ResponseHeaders] = {}

    def head(self, block: bytes) -> ResponseHeaders:
        """
        Say what a block means; every block of a connection, in its order.

        Raises:
            ProtocolError: It is not HPACK, or means nothing to gRPC.
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
    """Whether it is a whole indexed field: the index is one of 1 to 126 (RFC 7541, 6.1)."""
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
