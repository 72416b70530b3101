"""
A member that shows its status and its members to root alone, before a real etcd.

It stands for etcd 3.4.42 to 3.4.45, which are not to be had as Go modules: what they deny is
denied, everything else is answered by the server behind.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio

from lockdoctor.etcd.protos import rpc

ONLY_FOR_ROOT = frozenset({"/etcdserverpb.Maintenance/Status", "/etcdserverpb.Cluster/MemberList"})
ALARM = "/etcdserverpb.Maintenance/Alarm"
AUTHENTICATE = "/etcdserverpb.Auth/Authenticate"
STREAMS = frozenset({"/etcdserverpb.Watch/Watch", "/etcdserverpb.Lease/LeaseKeepAlive"})


class GuardedMember(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc has no types
    """Passes each call on as bytes, but those that only root may make."""

    def __init__(self, behind: grpc.aio.Channel, only_for_root: frozenset[str]) -> None:
        """Ask another server."""
        self.denied: list[str] = []
        """The calls that were denied."""
        self.broken: dict[str, grpc.StatusCode] = {}
        """The calls that fail in another way."""
        self._behind = behind
        self._only_for_root = only_for_root
        self._tokens_of_root: set[str] = set()

    def service(self, handler_call_details: Any) -> Any:
        """Choose how to answer a call."""
        method: str = handler_call_details.method
        if method in STREAMS:
            return grpc.stream_stream_rpc_method_handler(self._stream(method))
        return grpc.unary_unary_rpc_method_handler(self._call(method))

    def _call(self, method: str) -> Any:
        ask = self._behind.unary_unary(method)

        async def answer(request: bytes, context: Any) -> bytes:
            sent = _metadata(context)
            if method in self._only_for_root and sent.get("token") not in self._tokens_of_root:
                self.denied.append(method)
                code, text = _DENIED if sent.get("token") else _NO_USER
                await context.abort(code, f"etcdserver: {text}")
            if method in self.broken:
                await context.abort(self.broken[method], "broken")
            try:
                reply: bytes = await ask(request, metadata=tuple(sent.items()))
            except grpc.aio.AioRpcError as error:
                await context.abort(error.code(), error.details())
            if method == AUTHENTICATE:
                self._note_root(request, reply)
            return reply

        return answer

    def _note_root(self, request: bytes, reply: bytes) -> None:
        if rpc.AuthenticateRequest.FromString(request).name == "root":
            self._tokens_of_root.add(rpc.AuthenticateResponse.FromString(reply).token)

    def _stream(self, method: str) -> Any:
        ask = self._behind.stream_stream(method)

        async def answer(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
            call = ask(requests, metadata=tuple(_metadata(context).items()))
            try:
                async for reply in call:
                    yield reply
            except grpc.aio.AioRpcError as error:
                await context.abort(error.code(), error.details())

        return answer


_DENIED = (grpc.StatusCode.PERMISSION_DENIED, "permission denied")
_NO_USER = (grpc.StatusCode.INVALID_ARGUMENT, "user name is empty")


@asynccontextmanager
async def guarded_member(
    address: str, only_for_root: frozenset[str] = ONLY_FOR_ROOT
) -> AsyncIterator[tuple[str, GuardedMember]]:
    """Serve before the server at an address; gives the endpoint."""
    async with grpc.aio.insecure_channel(address) as behind:
        member = GuardedMember(behind, only_for_root)
        server = grpc.aio.server()
        server.add_generic_rpc_handlers((member,))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            yield f"127.0.0.1:{port}", member
        finally:
            await server.stop(None)


def _metadata(context: Any) -> dict[str, str]:
    """What the client sent besides the request; gRPC's own headers are not passed on."""
    return {
        name: value
        for name, value in context.invocation_metadata()
        if name in {"hasleader", "token"}
    }
