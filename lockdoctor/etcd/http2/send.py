"""
The outgoing requests of one HTTP/2 connection, within the server's windows.

Pure, and the counterpart of the receiving side in calls.py. Source: RFC 9113, 5.2 (flow control).
"""

from __future__ import annotations

from collections.abc import Sequence

from lockdoctor.etcd.http2 import frames as h2
from lockdoctor.etcd.http2.call import PREFIX, UnaryCall
from lockdoctor.etcd.http2.frames import ProtocolError, frame
from lockdoctor.etcd.http2.headers import Fields, HeaderEncoder

MAX_AT_ONCE = h2.MAX_PAYLOAD
"""Maximum bytes in one frame, which every server accepts."""


class RequestWriter:
    """Writes requests, each as far as the server's windows allow."""

    def __init__(self) -> None:
        """Start with the defaults that every server accepts."""
        self.next_stream = 1
        self._out: list[bytes] = []
        self._headers = HeaderEncoder()
        self._window = h2.DEFAULT_WINDOW
        """Bytes that the server accepts for all requests together."""
        self._windows = h2.DEFAULT_WINDOW
        """Bytes that it accepts for each new request."""
        self._blocked: dict[int, tuple[UnaryCall, int]] = {}
        """By stream: partly sent calls, and the rest of each one's window."""

    def queue(self, frames: bytes) -> None:
        """Queue frames that no window limits."""
        self._out.append(frames)

    def take(self) -> bytes:
        """Return the bytes to send now, and remove them from the queue."""
        out, self._out = self._out, []
        return b"".join(out)

    def send(self, calls: Sequence[UnaryCall], fields: Fields) -> None:
        """Queue requests with these headers, each on a stream of its own."""
        for call in calls:
            stream = call.stream = self.next_stream
            self.next_stream = stream + 2
            self._out.append(_headers(stream, self._headers.block(fields)))
            message = PREFIX.pack(0, len(call.request)) + call.request
            if len(message) <= min(self._windows, self._window, MAX_AT_ONCE):
                self._window -= len(message)
                self._out.append(frame(h2.DATA, h2.END_STREAM, stream, message))
            else:
                call.unsent = message
                self._blocked[stream] = call, self._windows
        self._send_blocked()

    def drop(self, stream: int) -> None:
        """Send no more of a request."""
        self._blocked.pop(stream, None)

    def limit_table(self, size: int) -> None:
        """Limit the header table to the server's maximum in bytes."""
        self._headers.limit_table(size)

    def set_windows(self, size: int) -> None:
        """Set the window of each request, including the open ones."""
        more = size - self._windows
        self._windows = size
        self._blocked = {s: (call, room + more) for s, (call, room) in self._blocked.items()}
        self._send_blocked()

    def open_window(self, stream: int, increment: int) -> None:
        """
        Add to the window of one request or, on stream 0, of all together.

        Raises:
            ProtocolError: The window exceeds its maximum.
        """
        call, room = self._blocked.get(stream, (None, 0))
        if stream == 0:
            self._window += increment
        elif call is not None:
            self._blocked[stream] = call, room + increment
        if max(self._window, room + increment) > h2.MAX_NUMBER:
            raise ProtocolError("opened a window too far")
        self._send_blocked()

    def _send_blocked(self) -> None:
        """Send the rest of blocked requests as far as their windows allow."""
        for stream, (call, takes) in list(self._blocked.items()):
            room = takes
            while (size := min(len(call.unsent), room, self._window, MAX_AT_ONCE)) > 0:
                part, call.unsent = call.unsent[:size], call.unsent[size:]
                self._window -= size
                room -= size
                flags = 0 if call.unsent else h2.END_STREAM
                self._out.append(frame(h2.DATA, flags, stream, part))
            if call.unsent:
                self._blocked[stream] = call, room
            else:
                del self._blocked[stream]


def _headers(stream: int, block: bytes) -> bytes:
    """Return the header frames of a request; a long token can need several."""
    part, block = block[:MAX_AT_ONCE], block[MAX_AT_ONCE:]
    frames = [frame(h2.HEADERS, 0 if block else h2.END_HEADERS, stream, part)]
    while block:
        part, block = block[:MAX_AT_ONCE], block[MAX_AT_ONCE:]
        frames.append(frame(h2.CONTINUATION, 0 if block else h2.END_HEADERS, stream, part))
    return b"".join(frames)
