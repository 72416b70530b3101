"""
Looks leases up as one of the contenders in Python, and prints what that took as JSON.

A process of its own for each turn, so that its CPU and memory are nobody else's.
"""

from __future__ import annotations

import asyncio
import json
import math
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import grpc.aio

from lockdoctor.clock import SystemClock
from lockdoctor.domain.model.leases import LeaseId, LeaseReading
from lockdoctor.etcd.client import connect
from lockdoctor.etcd.connection.settings import ConnectionSettings
from lockdoctor.etcd.protos import rpc, stubs

AT_ONCE = 64
"""Look-ups on their way at once of the client without lockdoctor."""


class Stopwatch:
    """Time and CPU from its making on."""

    def __init__(self) -> None:
        """Start."""
        self._started_at = time.monotonic()
        self._cpu_s = time.process_time()

    def result(self, found: int) -> dict[str, float]:
        """Say what was found in which time; CPU counts all threads, the kernel's part included."""
        return {
            "found": found,
            "seconds": time.monotonic() - self._started_at,
            "cpu_s": time.process_time() - self._cpu_s,
        }


async def lockdoctor(
    address: str, leases: list[LeaseId], *, is_pipelined: bool = True
) -> dict[str, float]:
    """Read them as a scan does, at any rate."""
    settings = ConnectionSettings(endpoints=(address,))
    cluster = await connect(settings, SystemClock(), math.inf, is_pipelined=is_pipelined)
    try:
        async for _ in cluster.read_leases(leases[:1], with_keys=False):
            pass  # connects
        watch = Stopwatch()
        answers = [answer async for answer in cluster.read_leases(leases, with_keys=False)]
        found = sum(isinstance(answer, LeaseReading) for answer in answers)
        return watch.result(0 if cluster.notes else found)  # a note means another way was taken
    finally:
        await cluster.close()


async def grpc_aio(address: str, leases: list[LeaseId]) -> dict[str, float]:
    """Call the bare stub, a number of calls at a time."""
    async with grpc.aio.insecure_channel(address) as channel:
        look_up = stubs.LeaseStub(channel).LeaseTimeToLive
        await look_up(rpc.LeaseTimeToLiveRequest(ID=leases[0]))  # connects
        watch = Stopwatch()
        ids = iter(leases)

        async def work() -> list[Any]:
            return [await look_up(rpc.LeaseTimeToLiveRequest(ID=lease_id)) for lease_id in ids]

        crews = await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        return watch.result(sum(answer.grantedTTL > 0 for crew in crews for answer in crew))


CLIENTS: dict[str, Callable[[str, list[LeaseId]], Awaitable[dict[str, float]]]] = {
    "lockdoctor": lockdoctor,
    "lockdoctor_grpc": partial(lockdoctor, is_pipelined=False),
    "grpc_aio": grpc_aio,
}


async def main(name: str, address: str, leases: str) -> None:
    """Let one of the clients look up the leases of a file, a decimal ID on each line."""
    text = await asyncio.to_thread(Path(leases).read_text, encoding="ascii")
    ids = [LeaseId(int(line)) for line in text.split()]
    sys.stdout.write(json.dumps(await CLIENTS[name](address, ids)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
