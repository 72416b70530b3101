"""The server's side of HTTP/2, as bytes in and bytes out: for tests that need an odd server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import hpack

from lockdoctor.etcd.http2 import frames as h2
from lockdoctor.etcd.http2.call import PREFIX
from lockdoctor.etcd.http2.frames import FrameReader, frame, settings_frame
from lockdoctor.etcd.protos import rpc

HEADERS = ((":status", "200"), ("content-type", "application/grpc"))
TRAILERS = (("grpc-status", "0"), ("grpc-message", ""))

RAFT_TERM = 7


@dataclass
class Request:
    """One request, as it comes in."""

    stream: int
    headers: dict[str, str]
    message: bytes = b""
    is_whole: bool = False


@dataclass
class Peer:
    """What the other side has said, and the words to answer it."""

    settings: dict[int, int] = field(default_factory=dict)
    resets: list[int] = field(default_factory=list)
    """Streams that the client gave up."""
    allowed: dict[int, int] = field(default_factory=dict)
    """By how many bytes the client has opened each window."""
    pongs: list[bytes] = field(default_factory=list)
    pings: list[bytes] = field(default_factory=list)
    is_acknowledged: bool = False
    """Whether the client has taken our settings."""

    def __post_init__(self) -> None:
        """Await the preface."""
        self._preface = h2.PREFACE
        self._frames = FrameReader()
        self._decoder = hpack.Decoder()
        self._encoder = hpack.Encoder()
        self.requests: dict[int, Request] = {}
        """By stream; some are not whole yet."""

    def receive(self, data: bytes) -> list[Request]:
        """Take in what the client sent; give the requests that are whole now."""
        expected, self._preface = self._preface[: len(data)], self._preface[len(data) :]
        assert data.startswith(expected)
        self._frames.feed(data[len(expected) :])
        whole = []
        while (found := self._frames.next()) is not None:
            request = self._take(*found)
            if request is not None and request.is_whole:
                whole.append(request)
        return whole

    def headers(self, fields: Iterable[tuple[str, str]]) -> bytes:
        """Code headers, without a memory if the client wants none."""
        return self._encoder.encode(list(fields))

    def answer(self, stream: int, message: bytes) -> bytes:
        """Answer with one message, as etcd does."""
        return (
            frame(h2.HEADERS, h2.END_HEADERS, stream, self.headers(HEADERS))
            + data_frames(stream, message)
            + frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, stream, self.headers(TRAILERS))
        )

    def refuse(self, stream: int, status: int, text: str) -> bytes:
        """Answer with nothing but a status."""
        fields = (*HEADERS, ("grpc-status", str(status)), ("grpc-message", text))
        flags = h2.END_HEADERS | h2.END_STREAM
        return frame(h2.HEADERS, flags, stream, self.headers(fields))

    def _take(self, kind: int, flags: int, stream: int, payload: bytes) -> Request | None:
        if kind == h2.SETTINGS and not flags & h2.ACK:
            self._set(dict(h2.settings_of(payload)))
        elif kind == h2.SETTINGS:
            self.is_acknowledged = True
        elif kind == h2.HEADERS:
            headers = {str(name): str(value) for name, value in self._decoder.decode(payload)}
            self.requests[stream] = Request(stream, headers)
        elif kind == h2.DATA:
            request = self.requests[stream]
            request.message += payload
            request.is_whole = bool(flags & h2.END_STREAM)
            return request
        elif kind == h2.RST_STREAM:
            self.resets.append(stream)
        elif kind == h2.WINDOW_UPDATE:
            self.allowed[stream] = self.allowed.get(stream, 0) + h2.number_of(payload)
        elif kind == h2.PING:
            (self.pongs if flags & h2.ACK else self.pings).append(payload)
        return None

    def _set(self, settings: dict[int, int]) -> None:
        self.settings |= settings
        self._encoder.header_table_size = settings.get(h2.HEADER_TABLE_SIZE, 4096)


def greeting(settings: dict[int, int] | None = None) -> bytes:
    """Write what a server says first."""
    return settings_frame(settings or {}) + frame(h2.SETTINGS, h2.ACK, 0)


def data_frames(stream: int, message: bytes, size: int = h2.MAX_PAYLOAD) -> bytes:
    """Write a message with its prefix, in frames of a size."""
    body = PREFIX.pack(0, len(message)) + message
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(frame(h2.DATA, 0, stream, part) for part in parts)


def ttl_of(lease_id: int) -> tuple[int, int]:
    """Say which TTLs, remaining and granted, our servers give to a lease."""
    granted = 10 + lease_id % 1000
    return lease_id % granted, granted


def ttl_answer(lease_id: int, keys: Iterable[bytes] = ()) -> bytes:
    """Write the message with these TTLs."""
    remaining, granted = ttl_of(lease_id)
    answer = rpc.LeaseTimeToLiveResponse(
        ID=lease_id, TTL=remaining, grantedTTL=granted, keys=list(keys)
    )
    answer.header.raft_term = RAFT_TERM
    serialized: bytes = answer.SerializeToString()
    return serialized


def asked_for(request: Request) -> tuple[int, bool]:
    """Read which lease a request is about, and whether its keys are wanted."""
    message = rpc.LeaseTimeToLiveRequest.FromString(request.message[PREFIX.size :])
    return message.ID, message.keys
