"""One connection with many calls at once: the socket side of calls.py."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import cast

from lockdoctor import __version__
from lockdoctor.etcd.connection.member import Member
from lockdoctor.etcd.http2.call import DEADLINE_EXCEEDED, UNAVAILABLE, UnaryCall
from lockdoctor.etcd.http2.calls import Http2Client
from lockdoctor.etcd.http2.frames import ProtocolError
from lockdoctor.etcd.http2.headers import Fields
from lockdoctor.ports import Clock

ALPN = "h2"

MAX_UNREAD = 1 << 22
"""Maximum bytes in the send buffer; above it the server counts as not reading."""

SEND_TIMEOUT_S = 0.001
"""Seconds for which frames to the server wait for the next requests."""

CLOSE_TIMEOUT_S = 1.0

Receiver = Callable[[Sequence[UnaryCall], float], None]
"""Takes ended calls, possibly an empty list, and the time of their receipt."""


async def open_connection(
    member: Member, path: str, clock: Clock, timeout_s: float
) -> Http2Connection:
    """
    Open a connection to a member.

    Args:
        path: The path of the RPC method.
        timeout_s: Maximum seconds for each call.

    Raises:
        OSError: The member is not reached, or not in time.
        ProtocolError: It does not speak HTTP/2.
    """
    connection = Http2Connection(member, path, clock, timeout_s)
    try:
        await asyncio.wait_for(_connect(connection, member), member.dial_timeout_s)
    except asyncio.TimeoutError as error:
        connection.abort()
        raise TimeoutError("not in time") from error
    except BaseException:
        connection.abort()
        raise
    return connection


async def _connect(connection: Http2Connection, member: Member) -> None:
    endpoint = member.endpoint
    context = member.tls.context() if endpoint.uses_tls else None
    if context is not None:
        context.set_alpn_protocols([ALPN])
    await asyncio.get_running_loop().create_connection(
        lambda: connection,
        endpoint.host,
        endpoint.port,
        ssl=context,
        server_hostname=member.tls.name_of(endpoint.host) if context else None,
    )
    await connection.ready
    if connection.trouble is not None:
        raise connection.trouble
    if connection.lost.done():
        raise ConnectionResetError("closed before the settings arrived")


class Http2Connection(asyncio.Protocol):
    """
    Sends calls and passes on their results.

    Every call is passed back exactly once, whatever the server does.
    """

    def __init__(self, member: Member, path: str, clock: Clock, timeout_s: float) -> None:
        """Prepare to call one method of a member."""
        loop = asyncio.get_running_loop()
        self.member = member
        self.receiver: Receiver = _ignore
        """The current receiver of ended calls."""
        self.trouble: ProtocolError | None = None
        """The reason why the server is not supported, if so."""
        self.ready: asyncio.Future[None] = loop.create_future()
        """Done when the server has sent its settings or will never send them."""
        self.lost: asyncio.Future[None] = loop.create_future()
        self._calls = Http2Client()
        self._clock = clock
        self._timeout_s = timeout_s
        self._received_at = clock.now()
        self._headers = _headers(member, path, timeout_s)
        self._metadata: Fields = ()
        self._fields: Fields = self._headers
        self._is_paused = False
        self._transport: asyncio.Transport | None = None
        self._timeout_timer: asyncio.TimerHandle | None = None
        self._send_timer: asyncio.TimerHandle | None = None

    @property
    def room(self) -> int:
        """Return how many more calls are allowed now."""
        return 0 if self._is_paused else self._calls.room

    @property
    def is_spent(self) -> bool:
        """Return whether the connection can never take another call."""
        return self._calls.is_spent

    def send(self, calls: Sequence[UnaryCall], metadata: Fields) -> None:
        """Send calls, at most as many as there is room for, and note the time in each."""
        if metadata != self._metadata:
            self._metadata = metadata
            self._fields = (*self._headers, *metadata)
        now = self._clock.now()
        for call in calls:
            call.asked_at = now
        self._calls.send(calls, self._fields)
        self._send()
        if self._timeout_timer is None:
            self._wake_in(self._timeout_s)

    def cancel_all(self) -> None:
        """Drop all calls, without passing any of them on."""
        self.receiver = _ignore
        self._calls.cancel(list(self._calls.open.values()), UNAVAILABLE, "given up")
        self._calls.take_finished()
        self._send()
        self._close_if_done()

    def close_gracefully(self) -> None:
        """Send no more calls, and close after the last open call."""
        self._calls.is_closing = True
        self._close_if_done()

    def abort(self) -> None:
        """Close at once."""
        self.close_gracefully()
        if self._transport is not None:
            self._transport.abort()

    async def close(self) -> None:
        """Close, and wait until it is closed."""
        self.cancel_all()
        self.abort()
        if self._transport is not None:
            await asyncio.wait([self.lost], timeout=CLOSE_TIMEOUT_S)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the preface and settings."""
        self._transport = cast("asyncio.Transport", transport)
        encryption = transport.get_extra_info("ssl_object")
        if encryption is not None and encryption.selected_alpn_protocol() != ALPN:
            self._fail(ProtocolError("does not offer HTTP/2"))
        else:
            self._send()

    def data_received(self, data: bytes) -> None:
        """Process received bytes, and send the replies that they need."""
        self._received_at = self._clock.now()
        try:
            self._calls.receive(data)
        except ProtocolError as error:
            self._fail(error)
        if self._calls.has_settings and not self.ready.done():
            self.ready.set_result(None)
        self._deliver(self._received_at)
        if self._send_timer is None:
            self._send_timer = asyncio.get_running_loop().call_later(SEND_TIMEOUT_S, self._send)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail all open calls."""
        del exc
        self._calls.fail_all("the connection was closed")
        for future in (self.ready, self.lost):
            if not future.done():
                future.set_result(None)
        for timer in (self._timeout_timer, self._send_timer):
            if timer is not None:
                timer.cancel()
        self._deliver(self._clock.now())

    def pause_writing(self) -> None:
        """Send no more calls while the server does not read."""
        self._is_paused = True

    def resume_writing(self) -> None:
        """Allow calls again."""
        self._is_paused = False
        self._deliver(self._clock.now())

    def _send(self) -> None:
        if self._send_timer is not None:
            self._send_timer.cancel()
            self._send_timer = None
        transport, outgoing = self._transport, self._calls.take_outgoing()
        if transport is None or not outgoing or transport.is_closing():
            return
        transport.write(outgoing)
        if transport.get_write_buffer_size() > MAX_UNREAD:
            self._fail(ProtocolError("does not read the requests"))

    def _deliver(self, at: float) -> None:
        self.receiver(self._calls.take_finished(), at)
        self._close_if_done()

    def _close_if_done(self) -> None:
        if self._transport is not None and self._calls.is_closing and not self._calls.open:
            self._transport.close()

    def _fail(self, trouble: ProtocolError) -> None:
        self.trouble = self.trouble or trouble
        self._calls.fail_all("the answer was not understood")
        if self._transport is not None:
            self._transport.abort()

    def _wake_in(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._timeout_timer = loop.call_later(max(0.001, seconds), self._cancel_late_calls)

    def _cancel_late_calls(self) -> None:
        """
        End calls after their time-out.

        A connection without any received bytes meanwhile counts as dead.
        """
        self._timeout_timer = None
        now = self._clock.now()
        asked_by = now - self._timeout_s
        late = list(takewhile(lambda call: call.asked_at <= asked_by, self._calls.open.values()))
        self._calls.cancel(late, DEADLINE_EXCEEDED, "")
        self._send()
        if late and self._received_at <= late[0].asked_at:
            self._calls.fail_all("the connection was silent")
            self.abort()
        if self._calls.open:
            oldest = next(iter(self._calls.open.values()))
            self._wake_in(oldest.asked_at - asked_by)
        self._deliver(now)


def _ignore(calls: Sequence[UnaryCall], at: float) -> None:
    """Ignore calls that have no receiver."""


def _headers(member: Member, path: str, timeout_s: float) -> Fields:
    endpoint = member.endpoint
    return (
        (":method", "POST"),
        (":scheme", "https" if endpoint.uses_tls else "http"),
        (":path", path),
        (":authority", endpoint.target.removeprefix("dns:///")),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        ("user-agent", f"lockdoctor/{__version__}"),
        ("grpc-timeout", _timeout(timeout_s)),
    )


def _timeout(seconds: float) -> str:
    """Return a time-out in gRPC's form: at most eight digits, and a unit."""
    milliseconds = max(1, int(seconds * 1000))
    return f"{milliseconds}m" if milliseconds < 10**8 else f"{min(int(seconds), 10**8 - 1)}S"
