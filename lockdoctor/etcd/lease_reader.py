"""Looks up many leases: paced, concurrent, and with a value for each that could not be read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import TypeAlias

from lockdoctor.domain.leases import LeaseId, LeaseUnread, Reading, hex_id
from lockdoctor.errors import AccessDenied, ClusterError, ClusterTimeout, ClusterUnreachable
from lockdoctor.etcd.connection import Connection
from lockdoctor.etcd.etcd3_compat import rpc
from lockdoctor.etcd.messages import reading
from lockdoctor.etcd.translate import one_line
from lockdoctor.ports import Clock

OUTSTANDING = 32
"""Look-ups on their way at once. When etcd answers more slowly, fewer are asked per second."""

BURST_S = 0.02
"""The pace is kept over this time; a pause for every single look-up would cost more than it."""

MOST_TIMEOUTS = 16
"""So many look-ups out of time in a row, and it is the cluster that does not answer."""

Answer: TypeAlias = Reading | LeaseUnread


class Pace:
    """Lets through at most so many a second."""

    def __init__(self, clock: Clock, per_s: float) -> None:
        """Start with a full allowance."""
        self._clock = clock
        self._apart_s = 1 / per_s
        self._next_at = 0.0

    async def keep(self) -> None:
        """Wait for one's turn."""
        now = self._clock.now()
        turn_at = max(now, self._next_at)
        self._next_at = turn_at + self._apart_s
        if turn_at - now > BURST_S:
            await self._clock.sleep(turn_at - now)


class RpcLeaseReader:
    """Reads leases with one LeaseTimeToLive each."""

    def __init__(self, connection: Connection, clock: Clock, max_rate: float) -> None:
        """Read at most max_rate leases a second."""
        self._connection = connection
        self._clock = clock
        self._pace = Pace(clock, max_rate)
        self._timeouts = 0

    async def read(self, lease_ids: Iterable[LeaseId], *, with_keys: bool) -> AsyncIterator[Answer]:
        """
        Read leases; each answer as it comes, in no order.

        Raises:
            ClusterUnreachable: No member greets any more.
            ClusterTimeout: Many look-ups in a row were not answered in time.
        """
        ids = iter(lease_ids)
        answers: asyncio.Queue[Answer | None] = asyncio.Queue()
        crew = [
            asyncio.ensure_future(self._work(ids, answers, with_keys=with_keys))
            for _ in range(OUTSTANDING)
        ]
        everyone = asyncio.gather(*crew)
        everyone.add_done_callback(lambda _: answers.put_nowait(None))
        try:
            while (answer := await answers.get()) is not None:
                yield answer
            await everyone
        finally:
            for worker in crew:
                worker.cancel()
            await asyncio.gather(*crew, everyone, return_exceptions=True)

    async def _work(
        self, ids: Iterator[LeaseId], answers: asyncio.Queue[Answer | None], *, with_keys: bool
    ) -> None:
        for lease_id in ids:
            answers.put_nowait(await self._read_or_say_why(lease_id, with_keys=with_keys))

    async def _read_or_say_why(self, lease_id: LeaseId, *, with_keys: bool) -> Answer:
        asked_at = self._clock.now()
        try:
            answer = await self._read_what_is_allowed(lease_id, with_keys=with_keys)
        except ClusterUnreachable:
            raise
        except ClusterTimeout:
            self._timeouts += 1
            if self._timeouts >= MOST_TIMEOUTS:
                raise
            return LeaseUnread(lease_id=lease_id, asked_at=asked_at, reason="timed out")
        except AccessDenied:
            return LeaseUnread(lease_id=lease_id, asked_at=asked_at, reason="denied")
        except ClusterError as error:
            return LeaseUnread(lease_id=lease_id, asked_at=asked_at, reason=one_line(str(error)))
        self._timeouts = 0
        return answer

    async def _read_what_is_allowed(self, lease_id: LeaseId, *, with_keys: bool) -> Reading:
        """Since etcd 3.4.26 and 3.5.9 the attached keys are told only to who may read them all."""
        if not with_keys:
            return await self._look_up(lease_id, with_keys=False)
        try:
            return await self._look_up(lease_id, with_keys=True)
        except AccessDenied:
            return await self._look_up(lease_id, with_keys=False)

    async def _look_up(self, lease_id: LeaseId, *, with_keys: bool) -> Reading:
        await self._pace.keep()
        answer = await self._connection.call(
            lambda member: member.lease.LeaseTimeToLive,
            rpc.LeaseTimeToLiveRequest(ID=lease_id, keys=with_keys),
            f"look up lease {hex_id(lease_id)}",
        )
        return reading(
            answer.message, lease_id, answer.asked_at, answer.answered_at, with_keys=with_keys
        )
