"""A member that serves gRPC's own client well, and lockdoctor's faster reader as a script says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeAlias, cast

from lockdoctor.etcd.http2 import frames as h2
from lockdoctor.etcd.http2.frames import frame
from lockdoctor.etcd.protos import rpc
from tests.etcd.http2_server import RAFT_TERM, Peer, Request, asked_for, greeting, ttl_answer

Script: TypeAlias = Callable[["Session", Sequence[Request]], None]
"""Answers requests that came together on a connection of the faster reader, maybe none."""


class Session(asyncio.Protocol):
    """One connection."""

    def __init__(self, member: OddMember) -> None:
        """Wait to see who it is."""
        self.peer = Peer()
        self.member = member
        self.number = 0
        """Of the connections of the faster reader, which this one is."""
        self.asked = 0
        """Requests so far."""
        self.waiting: list[Request] = []
        """For the script to remember."""
        self._is_greeted = False
        self._is_fast = False
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self.member.connections.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        del exc
        self.lost.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Serve."""
        requests = self.peer.receive(data)
        self.asked += len(requests)
        if not self._is_greeted:
            self._greet()
        for ping in self.peer.pings:
            self.write(frame(h2.PING, h2.ACK, 0, ping))
        self.peer.pings.clear()
        if self._is_fast:
            self.member.asked += map(asked_for, requests)
            self.member.script(self, requests)
        else:
            for request in requests:
                if not self.member.refuse(self, request):
                    self.write(self.peer.answer(request.stream, self.member.reply(request)))

    def write(self, data: bytes) -> None:
        """Say something."""
        if self._transport is not None:
            self._transport.write(data)

    def close(self) -> None:
        """Hang up, after what has been said."""
        if self._transport is not None:
            self._transport.close()

    def answer(self, request: Request, keys: Sequence[bytes] = ()) -> None:
        """Answer as etcd does."""
        self.write(self.peer.answer(request.stream, ttl_answer(asked_for(request)[0], keys)))

    def _greet(self) -> None:
        """Ours is the client that wants no header table."""
        self._is_greeted = True
        self._is_fast = self.peer.settings.get(h2.HEADER_TABLE_SIZE) == 0
        if self._is_fast:
            self.number = self.member.sessions
            self.member.sessions += 1
        self.write(self.member.greeting if self._is_fast else greeting())


class OddMember:
    """The server."""

    def __init__(self, script: Script, hello: bytes | None = None) -> None:
        """
        Prepare it.

        Args:
            hello: What to greet the faster reader with.
        """
        self.script = script
        self.greeting = greeting() if hello is None else hello
        self.connections: list[Session] = []
        """All of them, those of gRPC's own client too."""
        self.sessions = 0
        """Connections of the faster reader so far."""
        self.asked: list[tuple[int, bool]] = []
        """Which leases the faster reader asked for, and whether with keys."""
        self.asked_by_rpc: list[int] = []
        self.tokens = 0
        """Tokens given so far: token-1, token-2 ..."""

    def refuse(self, session: Session, request: Request) -> bool:  # noqa: ARG002  # for others
        """Refuse a request of gRPC's own client, or do not."""
        return False

    def reply(self, request: Request) -> bytes:
        """Answer gRPC's own client."""
        if request.headers[":path"].endswith("/Status"):
            status = rpc.StatusResponse(version="3.5.0", leader=1, raftTerm=RAFT_TERM)
            status.header.member_id = 1
            serialized: bytes = status.SerializeToString()
            return serialized
        if request.headers[":path"].endswith("/Authenticate"):
            self.tokens += 1
            token: bytes = rpc.AuthenticateResponse(
                token=f"token-{self.tokens}"
            ).SerializeToString()
            return token
        lease_id, _ = asked_for(request)
        self.asked_by_rpc.append(lease_id)
        return ttl_answer(lease_id)


@asynccontextmanager
async def serving(member: OddMember) -> AsyncIterator[str]:
    """Serve, and give the address."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Session(member), "127.0.0.1", 0)
    try:
        host, port = server.sockets[0].getsockname()
        yield f"{host}:{port}"
    finally:
        server.close()
        for session in member.connections:
            session.close()
            await session.lost
