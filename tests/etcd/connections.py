"""Connections to test servers, closed again whatever happens."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc.aio

from lockdoctor.clock import SystemClock
from lockdoctor.demo.etcd_server import EtcdServer
from lockdoctor.etcd.client import MAX_RATE, EtcdCluster, connect
from lockdoctor.etcd.connection.connection import Connection
from lockdoctor.etcd.connection.settings import ConnectionSettings
from tests.etcd.etcd_writer import Writer


@asynccontextmanager
async def connected(
    *endpoints: str, max_rate: float = MAX_RATE, is_pipelined: bool = True, **settings: Any
) -> AsyncIterator[EtcdCluster]:
    """Connect a cluster."""
    cluster = await connect(
        ConnectionSettings(endpoints=endpoints, **settings),
        SystemClock(),
        max_rate,
        is_pipelined=is_pipelined,
    )
    try:
        yield cluster
    finally:
        await cluster.close()


@asynccontextmanager
async def opened(connection: Connection) -> AsyncIterator[Connection]:
    """Open a connection."""
    try:
        await connection.open()
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def writing(address: str, token: str | None = None) -> AsyncIterator[Writer]:
    """Write to a server that speaks plain HTTP."""
    async with grpc.aio.insecure_channel(address) as channel:
        yield Writer(channel, (("token", token),) if token else ())


def watchers(etcd: EtcdServer) -> float:
    """How many watches the server serves now."""
    with urllib.request.urlopen(f"{etcd.endpoint}/metrics", timeout=10) as answer:  # noqa: S310  # our own server
        line = re.search(rb"^etcd_debugging_mvcc_watcher_total (\S+)$", answer.read(), re.MULTILINE)
    return float(line[1]) if line else 0.0
