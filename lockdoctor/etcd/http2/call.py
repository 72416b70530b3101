"""One unary gRPC call: its request and its result."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

from lockdoctor.etcd.http2.frames import ProtocolError
from lockdoctor.etcd.http2.headers import ResponseHeaders

OPEN, OK, DEADLINE_EXCEEDED, UNAVAILABLE = -1, 0, 4, 14
"""A call without a status yet, and the gRPC statuses that this client sets itself."""

PREFIX = struct.Struct(">BI")
"""The prefix of a gRPC message: whether it is compressed, and its length."""

MAX_RESPONSE = 1 << 28
"""
Maximum bytes of a response, as for a lease with a million keys.

gRPC's own client handles longer ones.
"""


@dataclass(slots=True)
class PartialResponse:
    """A partly received response."""

    head: ResponseHeaders
    body: bytearray = field(default_factory=bytearray)
    taken: int = 0
    """Bytes received since the last window update for this response."""

    def add(self, payload: bytes) -> None:
        """
        Add the content of a DATA frame.

        Raises:
            ProtocolError: The response is too long.
        """
        self.body += payload
        if len(self.body) > MAX_RESPONSE:
            raise ProtocolError("sent an answer that is too long")

    def message(self) -> bytes:
        """
        Return the one message in the body.

        Raises:
            ProtocolError: The body is not exactly one message.
        """
        if len(self.body) < PREFIX.size:
            raise ProtocolError("sent an answer without a message")
        is_compressed, size = PREFIX.unpack_from(self.body)
        if is_compressed or size != len(self.body) - PREFIX.size:
            raise ProtocolError("sent an answer that is not one plain message")
        return bytes(self.body[PREFIX.size :])


class UnaryCall:
    """One call: its request and its result."""

    __slots__ = (
        "asked_at", "body", "context", "message", "partial",
        "request", "status", "stream", "unsent",
    )  # fmt: skip

    def __init__(self, request: bytes, context: Any = None) -> None:
        """
        Prepare a call with a serialized message.

        Args:
            context: A value by which the caller recognizes the call.
        """
        self.request = request
        self.context = context
        self.asked_at = 0.0
        """The time of the request, set by the caller."""
        self.stream = 0
        self.status = OPEN
        self.message = ""
        """The server's text for a status other than OK."""
        self.body = b""
        """The serialized response, once the status is OK."""
        self.partial: PartialResponse | None = None
        self.unsent = b""
