"""What reaches the wire: no proxy of the environment, and pings where they are wanted."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import grpc
import grpc.aio
import pytest

from lockdoctor.demo.etcd_server import EtcdServer, ServerTls
from lockdoctor.etcd.connection.endpoints import parse_endpoint
from lockdoctor.etcd.connection.member import KeepAlive, Member
from lockdoctor.etcd.connection.settings import ConnectionSettings
from lockdoctor.etcd.connection.tls import TlsFiles
from lockdoctor.etcd.protos import rpc
from tests.etcd.certificates import Authority, self_signed
from tests.eventually import run
from tests.folders import ROOT

PROXIES = ("http_proxy", "https_proxy", "grpc_proxy", "all_proxy")


async def _scan(folder: Path, environ: dict[str, str], *options: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "lockdoctor", "scan", "--prefix", "/no/", "--no-metrics"),
        *("--window", "0", *options),
        cwd=folder,
        env=os.environ | environ | {"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    return process.returncode, out.decode()


@pytest.mark.etcd
@pytest.mark.parametrize("uses_tls", [False, True])
def test_a_proxy_of_the_environment_is_not_used(
    etcd_binary: Path, tmp_path: Path, *, uses_tls: bool
) -> None:
    """Etcd is asked directly, by both transports; a trap in the proxy's place sees nobody."""
    caught: list[bytes] = []

    async def trap(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        caught.append(await reader.read(1000))
        writer.close()

    async def story(server: EtcdServer, options: Sequence[str]) -> tuple[int | None, str]:
        async with await asyncio.start_server(trap, "127.0.0.1", 0) as proxy:
            host, port = proxy.sockets[0].getsockname()
            names = (*PROXIES, *map(str.upper, PROXIES))
            environ = dict.fromkeys(names, f"http://{host}:{port}") | {"no_proxy": ""}
            return await _scan(tmp_path, environ, "--endpoints", server.endpoint, *options)

    authority = Authority(tmp_path, "authority")
    pair = authority.sign("server")
    tls = ServerTls(cert=pair.cert, key=pair.key) if uses_tls else None
    with EtcdServer(tmp_path / "etcd", binary=etcd_binary, tls=tls) as server:
        options = ["--cacert", str(authority.cert)] if uses_tls else []
        status, said = run(story(server, options))

    assert status == 0, said
    assert caught == []


@pytest.mark.etcd
@pytest.mark.slow
@pytest.mark.parametrize("skips", [False, True])
def test_a_member_that_freezes_is_noticed_by_pings(
    etcd_binary: Path, tmp_path: Path, *, skips: bool
) -> None:
    """By the first ping after ten seconds of silence, or before; also where TLS is unverified."""

    async def story(server: EtcdServer) -> tuple[grpc.StatusCode, float]:
        loop = asyncio.get_running_loop()
        endpoint = parse_endpoint(server.endpoint, bare_uses_tls=False)
        member = Member(endpoint, TlsFiles(is_verified=not skips), 2.0, KeepAlive(0.5, 1.0))
        try:
            await member.kv.Range(rpc.RangeRequest(key=b"a"), timeout=10)
            server.freeze()
            frozen_at = loop.time()
            with pytest.raises(grpc.aio.AioRpcError) as failed:
                await member.kv.Range(rpc.RangeRequest(key=b"a"), timeout=40)
            return failed.value.code(), loop.time() - frozen_at
        finally:
            server.thaw()
            await member.close()

    pair = self_signed(tmp_path, "server")
    tls = ServerTls(cert=pair.cert, key=pair.key) if skips else None
    with EtcdServer(tmp_path / "etcd", binary=etcd_binary, tls=tls) as server:
        code, took_s = run(story(server))

    assert code is grpc.StatusCode.UNAVAILABLE
    assert took_s < 30  # the call itself would wait for 40


def test_pings_as_etcdctl_has_them() -> None:
    """Zero turns them off; the time to wait for an answer has a default."""
    assert ConnectionSettings(keepalive_time_s=0.0).keepalive is None
    keepalive = ConnectionSettings(keepalive_time_s=30.0).keepalive
    assert keepalive is not None
    options = dict(keepalive.options())
    assert options["grpc.keepalive_time_ms"] == 30_000
    assert options["grpc.keepalive_timeout_ms"] == 6_000
