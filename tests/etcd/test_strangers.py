"""Servers that are not etcd: kine, another gRPC server, a web server."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from lockdoctor.clock import SystemClock
from lockdoctor.errors import ClusterError
from lockdoctor.etcd.connection.settings import ConnectionSettings
from lockdoctor.etcd.protos import rpc
from lockdoctor.etcd.selfcheck import inspect
from lockdoctor.ports import StopRequest
from tests.etcd.connections import connected
from tests.eventually import run
from tests.folders import ROOT

KINE = {
    "Maintenance/Status": rpc.StatusResponse(version="3.6.11", dbSize=4096),
    "KV/Range": rpc.RangeResponse(header={"revision": 7}),
    "Cluster/MemberList": rpc.MemberListResponse(members=[{"name": "kine"}]),
    "Maintenance/Alarm": "alarm is not supported",
    "Lease/LeaseLeases": "lease leases is not supported",
    "Lease/LeaseTimeToLive": "lease time to live is not supported",
    "Lease/LeaseRevoke": "lease revoke is not supported",
}
"""
What kine answers; it registers no Auth service. A text is an error with the status UNKNOWN.

Source: pkg/server of k3s-io/kine, August 2026.
"""

OLD_KINE = {**KINE, "Maintenance/Status": None}
"""Before its release of September 2021 it had no Maintenance service."""


class Answering(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc has no types
    """Answers calls of etcd's services, and no other."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        """Answer so, by the ends of the methods' paths."""
        self._answers = {f"/etcdserverpb.{name}": answer for name, answer in answers.items()}

    def service(self, details: Any) -> Any:
        """Find the answer; None is "unimplemented"."""
        answer = self._answers.get(details.method)
        if answer is None:
            return None

        async def call(request: bytes, context: Any) -> bytes:
            del request
            if isinstance(answer, str):
                await context.abort(grpc.StatusCode.UNKNOWN, answer)
            serialized: bytes = answer.SerializeToString()
            return serialized

        return grpc.unary_unary_rpc_method_handler(call)


@asynccontextmanager
async def answering(answers: Mapping[str, Any]) -> AsyncIterator[str]:
    """Serve on a free port, and give the address."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Answering(answers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


async def refused(address: str) -> str:
    try:
        async with connected(address, command_timeout_s=2) as cluster:
            await cluster.keys(b"/")
            await cluster.leases()
    except ClusterError as error:
        return str(error)
    pytest.fail("it was taken for etcd")


@pytest.mark.parametrize("kine", [KINE, OLD_KINE])
def test_kine(kine: Mapping[str, Any]) -> None:
    """It is said what it lacks, and by which answer that is known."""

    async def story() -> str:
        async with answering(kine) as address:
            return await refused(address)

    said = run(story())
    assert "this is not etcd" in said
    assert "it answers 'lease leases is not supported' to LeaseLeases" in said
    assert "it has no lease API" in said
    assert "is the port right" not in said


def test_kine_in_a_self_check() -> None:
    """The same sentence."""

    async def story() -> str | None:
        async with answering(KINE) as address:
            settings = ConnectionSettings(endpoints=(address,), command_timeout_s=2)
            facts = await inspect(settings, SystemClock(), [b"/"], StopRequest())
            return facts.members[0].refusal

    assert "it has no lease API" in (run(story()) or "")


def test_another_grpc_server() -> None:
    """It has none of etcd's services."""

    async def story() -> str:
        async with answering({}) as address:
            return await refused(address)

    said = run(story())
    assert "this is not etcd (it answers 'Method not found!' to LeaseLeases)" in said
    assert "it has no lease API" in said


def test_a_web_server() -> None:
    """One that speaks HTTP/1.1 alone, where another port is meant."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async def story() -> str:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            host, port = server.sockets[0].getsockname()
            return await refused(f"{host}:{port}")

    assert "an HTTP server answers there, but not etcd: is the port right?" in run(story())


def test_a_scan_of_kine(tmp_path: Path) -> None:
    """One sentence, and the status of a cluster that could not be examined."""

    async def story() -> tuple[int | None, bytes, bytes]:
        async with answering(KINE) as address:
            options = ["--prefix", "/", "--endpoints", address, "--command-timeout", "2s"]
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "lockdoctor", "scan", *options),
                cwd=tmp_path,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            out, err = await process.communicate()
            return process.returncode, out, err

    status, out, err = run(story())
    assert (status, out, err.count(b"\n")) == (3, b"", 1)
    assert b"it has no lease API" in err


def test_a_lease_call_that_is_not_supported() -> None:
    """It is said as well where it turns out in the middle of a run."""
    half = {
        **KINE,
        "Maintenance/Status": rpc.StatusResponse(header={"cluster_id": 5}, leader=1),
        "KV/Range": rpc.RangeResponse(header={"cluster_id": 5, "revision": 7}),
    }

    async def story() -> str:
        async with answering(half) as address:
            return await refused(address)

    said = run(story())
    assert "is not etcd: it answers 'lease leases is not supported' when asked to list" in said
