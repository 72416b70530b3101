"""One unary gRPC call: what it asks, and what has come of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lockdoctor.etcd.http2.headers import ResponseHeaders

OPEN, OK, DEADLINE_EXCEEDED, UNAVAILABLE = -1, 0, 4, 14
"""Of gRPC's statuses, those that are given here and not by the server; and before there is one."""


@dataclass(slots=True)
class PartialResponse:
    """An answer of which only a part has come."""

    head: ResponseHeaders
    body: bytearray = field(default_factory=bytearray)
    taken: int = 0
    """Bytes that came since the server was allowed to send so many more."""


class UnaryCall:
    """One call: what it asks, and what has come of it."""

    __slots__ = (
        "about", "asked_at", "body", "coming", "message", "request", "status", "stream", "unsent",
    )  # fmt: skip

    def __init__(self, request: bytes, about: Any = None) -> None:
        """
        Ask with a serialized message.

        Args:
            about: Whatever helps whoever asks to know the call again.
        """
        self.request = request
        self.about = about
        self.asked_at = 0.0
        """For whoever asks: when that was."""
        self.stream = 0
        self.status = OPEN
        self.message = ""
        """What the server says of a status other than OK."""
        self.body = b""
        """The serialized answer, once the status is OK."""
        self.coming: PartialResponse | None = None
        self.unsent = b""
