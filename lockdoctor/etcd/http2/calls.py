"""
Unary gRPC calls over one HTTP/2 connection, as bytes in and bytes out.

Pure: the owner of the socket passes received bytes in and sends the outgoing ones. Any bytes from
the server result in responses, in failed calls, or in ProtocolError.

Sources: RFC 9113; gRPC over HTTP2 (doc/PROTOCOL-HTTP2.md in grpc's repository).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from lockdoctor.etcd.http2 import frames as h2
from lockdoctor.etcd.http2.call import OK, UNAVAILABLE, PartialResponse, UnaryCall
from lockdoctor.etcd.http2.frames import FrameReader, ProtocolError, frame
from lockdoctor.etcd.http2.headers import Fields, HeaderBlock, HeaderDecoder, ResponseHeaders
from lockdoctor.etcd.http2.send import RequestWriter
from lockdoctor.etcd.http2.templates import ResponseTemplate, response_template

STREAM_WINDOW = 1 << 20
"""
Receive window of one response in bytes.

A lease with 20,000 keys has a response four times as long.
"""

CONNECTION_WINDOW = 1 << 24

TRY_AGAIN = {429, 502, 503, 504}
"""
HTTP statuses of a proxy while the server is away.

Source: doc/http-grpc-status-mapping.md in grpc's repository.
"""


class Http2Client:
    """The calls of one connection."""

    def __init__(self) -> None:
        """Start as a client; the server's settings are the first response."""
        self.has_settings = False
        """Whether the server has sent its settings; calls are allowed only afterwards."""
        self.is_closing = False
        """Whether the server refuses further calls on this connection."""
        self.open: dict[int, UnaryCall] = {}
        """The open calls by stream, in the order of their requests."""
        self._writer = RequestWriter()
        self._finished: list[UnaryCall] = []
        self._frames = FrameReader()
        self._decoder = HeaderDecoder()
        self._max_open = h2.MAX_NUMBER
        self._allowed = CONNECTION_WINDOW
        self._block: HeaderBlock | None = None
        """The block that continues in the next frame."""
        self._template: ResponseTemplate | None = None
        self._writer.queue(h2.PREFACE + h2.settings_frame(SETTINGS))
        self._writer.queue(h2.window_update(0, CONNECTION_WINDOW - h2.DEFAULT_WINDOW))

    @property
    def room(self) -> int:
        """Return how many more calls are allowed now."""
        if not self.has_settings or self.is_spent:
            return 0
        left = (h2.MAX_NUMBER - self._writer.next_stream) // 2 + 1
        return max(0, min(self._max_open - len(self.open), left))

    @property
    def is_spent(self) -> bool:
        """Return whether the connection can never take another call."""
        return self.is_closing or self._writer.next_stream > h2.MAX_NUMBER

    def send(self, calls: Sequence[UnaryCall], fields: Fields) -> None:
        """Queue calls with these headers, at most as many as there is room for."""
        self._writer.send(calls, fields)
        opened = self.open
        for call in calls:
            opened[call.stream] = call

    def cancel(self, calls: Iterable[UnaryCall], status: int, why: str) -> None:
        """End calls from the client's side."""
        for call in calls:
            self._writer.queue(h2.reset(call.stream, h2.CANCEL))
            self._fail(call, status, why)

    def fail_all(self, why: str) -> None:
        """Fail all open calls after the loss of the connection."""
        self.is_closing = True
        for call in list(self.open.values()):
            self._fail(call, UNAVAILABLE, why)

    def take_outgoing(self) -> bytes:
        """Return the bytes to send now, and remove them from the queue."""
        return self._writer.take()

    def take_finished(self) -> list[UnaryCall]:
        """Return the calls that have ended since the last time, in order of their end."""
        finished, self._finished = self._finished, []
        return finished

    def receive(self, chunk: bytes) -> None:
        """
        Process bytes from the server.

        Raises:
            ProtocolError: The connection is no longer usable; see lose().
        """
        self._frames.feed(chunk)
        try:
            while True:
                if self._template is not None and self._block is None:
                    self._match_template(self._template)
                received = self._frames.next()
                if received is None:
                    return
                self._handle(*received)
        except ProtocolError as error:
            raise (
                error if self.has_settings else ProtocolError("does not speak HTTP/2")
            ) from error

    def _match_template(self, template: ResponseTemplate) -> None:
        """Process the next responses while they match the template."""
        frames = self._frames
        answered, end = template.take(frames.data, frames.start, self.open)
        self._finished += answered
        self._allowed -= end - frames.start - len(answered) * template.overhead
        frames.start = end
        if self._allowed < CONNECTION_WINDOW // 2:
            self._allow_more()

    def _handle(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if self._block is not None:
            self._continue(self._block, kind, flags, stream, payload)
        elif not self.has_settings and kind != h2.SETTINGS:
            raise ProtocolError("sent a frame before its settings")
        elif kind in self._handlers:
            self._handlers[kind](self, flags, stream, payload)

    def _headers(self, flags: int, stream: int, payload: bytes) -> None:
        if flags & (h2.PADDED | h2.PRIORITIZED):
            payload = h2.content_of(h2.HEADERS, flags, payload)
        if flags & h2.END_HEADERS:
            self._handle_head(flags, stream, payload)
        else:
            self._block = HeaderBlock(stream, flags, payload)

    def _continue(
        self, started: HeaderBlock, kind: int, flags: int, stream: int, part: bytes
    ) -> None:
        block = started.add(kind, flags, stream, part)
        if block is not None:
            self._block = None
            self._handle_head(started.flags, stream, block)

    def _handle_head(self, flags: int, stream: int, block: bytes) -> None:
        head = self._decoder.head(block)
        if head.block is None:
            self._template = None  # from now on the same bytes can have another meaning
        call = self._call(stream)
        if call is None:
            return
        ends = flags & h2.END_STREAM
        if call.partial is None:
            if head.http_status is not None and head.http_status < 200 and not ends:  # noqa: PLR2004
                return  # RFC 9110, 15.2: a further response follows
            self._begin_response(call, head)
        elif not ends or head.http_status is not None:
            raise ProtocolError("sent headers in the middle of an answer")
        if ends and call.partial is not None and stream in self.open:
            self._end(call, call.partial, head)

    def _begin_response(self, call: UnaryCall, head: ResponseHeaders) -> None:
        """Process the headers of a response, which are also trailers if the stream ends."""
        call.partial = PartialResponse(head)
        if head.http_status in TRY_AGAIN and head.grpc_status is None:
            self._writer.queue(h2.reset(call.stream, h2.CANCEL))
            self._fail(call, UNAVAILABLE, f"HTTP status {head.http_status}")
        elif head.http_status != 200 or not head.is_grpc:  # noqa: PLR2004
            raise ProtocolError(f"answered with HTTP status {head.http_status}, not as gRPC")

    def _end(self, call: UnaryCall, partial: PartialResponse, head: ResponseHeaders) -> None:
        if head.grpc_status is None:
            raise ProtocolError("ended an answer without a status")
        if head.grpc_status == OK:
            call.body = partial.message()
            self._store_template(partial.head, head)
        if call.unsent:
            self._writer.queue(h2.reset(call.stream, h2.CANCEL))
        call.status, call.message = head.grpc_status, head.grpc_message
        self._close(call)

    def _store_template(self, head: ResponseHeaders, trailers: ResponseHeaders) -> None:
        """Store these headers and trailers as the template for later responses."""
        if head.block is not None and trailers.block is not None and trailers is not head:
            self._template = response_template(head.block, trailers.block)

    def _data(self, flags: int, stream: int, payload: bytes) -> None:
        size = len(payload)
        call = self._call(stream)
        self._allowed -= size
        if self._allowed < CONNECTION_WINDOW // 2:
            self._allow_more()
        if flags & h2.PADDED:
            payload = h2.content_of(h2.DATA, flags, payload)
        if call is None:
            return
        partial = call.partial
        if partial is None or flags & h2.END_STREAM:
            raise ProtocolError("sent an answer without headers or trailers")
        partial.add(payload)
        partial.taken += size
        if partial.taken > STREAM_WINDOW // 2:
            self._writer.queue(h2.window_update(call.stream, partial.taken))
            partial.taken = 0

    def _allow_more(self) -> None:
        self._writer.queue(h2.window_update(0, CONNECTION_WINDOW - self._allowed))
        self._allowed = CONNECTION_WINDOW

    def _reset(self, flags: int, stream: int, payload: bytes) -> None:
        del flags
        code = h2.number_of(payload)
        call = self._call(stream)
        if call is not None:
            self._fail(call, UNAVAILABLE, f"the stream was reset, code {code}")

    def _settings(self, flags: int, stream: int, payload: bytes) -> None:
        if stream:
            raise ProtocolError("sent settings of a stream")
        if flags & h2.ACK:
            return
        for name, value in h2.settings_of(payload):
            self._set(name, value)
        self.has_settings = True
        self._writer.queue(frame(h2.SETTINGS, h2.ACK, 0))

    def _set(self, name: int, value: int) -> None:
        if name == h2.HEADER_TABLE_SIZE:
            self._writer.limit_table(value)
        elif name == h2.MAX_CONCURRENT_STREAMS:
            self._max_open = value
        elif name == h2.INITIAL_WINDOW_SIZE:
            self._writer.set_windows(value)

    def _ping(self, flags: int, stream: int, payload: bytes) -> None:
        if stream or len(payload) != 8:  # noqa: PLR2004  # RFC 9113, 6.7
            raise ProtocolError("sent an invalid ping")
        if not flags & h2.ACK:
            self._writer.queue(frame(h2.PING, h2.ACK, 0, payload))

    def _goaway(self, flags: int, stream: int, payload: bytes) -> None:
        del flags
        if stream:
            raise ProtocolError("sent GOAWAY for a stream")
        self.is_closing = True
        last = h2.number_of(payload) & h2.MAX_NUMBER
        for call in [call for number, call in self.open.items() if number > last]:
            self._fail(call, UNAVAILABLE, "the server closes the connection")

    def _window_update(self, flags: int, stream: int, payload: bytes) -> None:
        del flags
        increment = h2.number_of(payload) & h2.MAX_NUMBER
        if not increment:
            raise ProtocolError("opened a window by 0 bytes")
        if stream:
            self._call(stream)
        self._writer.open_window(stream, increment)

    def _refuse(self, flags: int, stream: int, payload: bytes) -> None:
        del flags, stream, payload
        raise ProtocolError("sent a frame that only clients send, or that was not requested")

    def _call(self, stream: int) -> UnaryCall | None:
        """Return the call of a stream; None if it has ended on the client's side."""
        call = self.open.get(stream)
        if call is None and (stream >= self._writer.next_stream or not stream & 1):
            raise ProtocolError("sent a response without a request")
        return call

    def _fail(self, call: UnaryCall, status: int, why: str) -> None:
        call.status, call.message = status, why
        self._close(call)

    def _close(self, call: UnaryCall) -> None:
        del self.open[call.stream]
        self._writer.drop(call.stream)
        self._finished.append(call)

    _handlers: ClassVar[dict[int, Callable[[Http2Client, int, int, bytes], None]]] = {
        h2.DATA: _data,
        h2.HEADERS: _headers,
        h2.RST_STREAM: _reset,
        h2.SETTINGS: _settings,
        h2.PUSH_PROMISE: _refuse,
        h2.PING: _ping,
        h2.GOAWAY: _goaway,
        h2.WINDOW_UPDATE: _window_update,
        h2.CONTINUATION: _refuse,
    }
    """The handler of each frame type; other types are ignored (RFC 9113, 5.5)."""


SETTINGS = {
    h2.HEADER_TABLE_SIZE: 0,
    h2.ENABLE_PUSH: 0,
    h2.INITIAL_WINDOW_SIZE: STREAM_WINDOW,
}
"""
The client's settings: no header table, no pushes, and large windows.

For the header table see HeaderDecoder.
"""
