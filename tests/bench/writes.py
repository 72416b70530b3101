"""Fills an etcd with leases and locks, fast."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from lockdoctor.domain.model.leases import LeaseId
from tests.etcd.connections import writing

AT_ONCE = 256
"""Writes on their way at once: etcd commits together what comes together."""

LEASE_TTL_S = 3600
"""Long enough to be looked up again and again."""

LOCK_TTL_S = 600
"""The longest that lockdoctor does not find fault with, lest every lock become a finding."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def grant_leases(address: str, count: int) -> list[LeaseId]:
    """Grant leases that nobody renews."""

    async def grant() -> list[LeaseId]:
        async with writing(address) as writer:
            return await _side_by_side(lambda _: writer.grant(LEASE_TTL_S), range(count))

    return asyncio.run(grant())


def take_locks(address: str, prefix: bytes, count: int, ttl_s: int = LOCK_TTL_S) -> None:
    """Take locks as Go's concurrency.Mutex lays them out, each on a lease of its own."""

    async def take() -> None:
        async with writing(address) as writer:

            async def lock(number: int) -> None:
                lease_id = await writer.grant(ttl_s)
                await writer.put(b"%s%06d/%x" % (prefix, number, lease_id), b"", lease_id)

            await _side_by_side(lock, range(count))

    asyncio.run(take())


def write_elsewhere(address: str, times: int) -> None:
    """Let the cluster's revision rise."""

    async def write() -> None:
        async with writing(address) as writer:
            await _side_by_side(lambda _: writer.put(b"/elsewhere"), range(times))

    asyncio.run(write())


def join_queue(address: str, name: bytes, count: int) -> None:
    """Contend for one lock with so many sessions: one holds, all others wait."""

    async def join() -> None:
        async with writing(address) as writer:

            async def contend(_: int) -> None:
                lease_id = await writer.grant(LOCK_TTL_S)
                await writer.put(b"%s/%x" % (name, lease_id), b"", lease_id)

            await _side_by_side(contend, range(count))

    asyncio.run(join())


async def _side_by_side(
    act: Callable[[Item], Awaitable[Result]], items: Iterable[Item]
) -> list[Result]:
    """Act on each item, so many at once; the results come in no order."""
    left = iter(items)

    async def work() -> list[Result]:
        return [await act(item) for item in left]

    crews = await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return [result for crew in crews for result in crew]
