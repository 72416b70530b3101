"""One unary gRPC call: its request and its result."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lockdoctor.etcd.http2.headers import ResponseHeaders

OPEN, OK, DEADLINE_EXCEEDED, UNAVAILABLE = -1, 0, 4, 14
"""A call without a status yet, and the gRPC statuses that this client sets itself."""


@dataclass(slots=True)
class PartialResponse:
    """A partly received response."""

    head: ResponseHeaders
    body: bytearray = field(default_factory=bytearray)
    taken: int = 0
    """Bytes received since the last window update for this response."""


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
