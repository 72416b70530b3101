"""
Puts keys, or looks leases up, for some seconds, and prints what that took as JSON.

Each is a process of its own: neither waits for the other's Python.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

import grpc.aio

from lockdoctor.clock import SystemClock
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.etcd.client import connect
from lockdoctor.etcd.connection.settings import ConnectionSettings
from lockdoctor.etcd.protos import rpc, stubs

WRITERS = 8
PAUSE_S = 0.005
"""Between two puts of one writer: a service that writes, not a storm."""

KEYS = 100


async def puts(address: str, seconds: str) -> dict[str, list[float]]:
    """Put small values from several writers; how long each put took, in milliseconds."""
    took_ms: list[float] = []
    async with grpc.aio.insecure_channel(address) as channel:
        put = stubs.KVStub(channel).Put
        await put(rpc.PutRequest(key=b"/load/0"))  # connects
        until = time.monotonic() + float(seconds)

        async def write(writer: int) -> None:
            number = 0
            while (began_at := time.monotonic()) < until:
                number += 1
                key = b"/load/%d/%d" % (writer, number % KEYS)
                await put(rpc.PutRequest(key=key, value=b"v" * 100))
                took_ms.append((time.monotonic() - began_at) * 1000)
                await asyncio.sleep(PAUSE_S)

        await asyncio.gather(*map(write, range(WRITERS)))
    return {"took_ms": took_ms}


async def look_ups(address: str, leases: str, seconds: str, max_rate: str) -> dict[str, float]:
    """Look the leases of a file up again and again, as a scan does."""
    text = await asyncio.to_thread(Path(leases).read_text, encoding="ascii")
    ids = [LeaseId(int(line)) for line in text.split()]
    cluster = await connect(
        ConnectionSettings(endpoints=(address,)), SystemClock(), float(max_rate)
    )
    answered = 0
    began_at = time.monotonic()
    until = began_at + float(seconds)
    try:
        while time.monotonic() < until:
            async for _ in cluster.read_leases(ids, with_keys=False):
                answered += 1
                if time.monotonic() >= until:
                    break
    finally:
        await cluster.close()
    return {"rate": answered / (time.monotonic() - began_at)}


async def main(what: str, *words: str) -> None:
    """Do one of the two."""
    figures = await puts(*words) if what == "puts" else await look_ups(*words)
    sys.stdout.write(json.dumps(figures))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
