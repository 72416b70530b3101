"""Looks up many leases by gRPC's own client: paced, and a value for each that cannot be read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any, TypeAlias

from lockdoctor.domain.leases import LeaseId, LeaseUnread, Reading, hex_id
from lockdoctor.errors import AccessDenied, ClusterError, ClusterTimeout, ClusterUnreachable
from lockdoctor.etcd.connection import Connection, Failure
from lockdoctor.etcd.etcd3_compat import rpc
from lockdoctor.etcd.member import Member
from lockdoctor.etcd.messages import reading
from lockdoctor.etcd.pacing import Pace
from lockdoctor.etcd.translate import one_line
from lockdoctor.ports import Clock

OUTSTANDING = 32
"""Look-ups on their way at once. When etcd answers more slowly, fewer are asked per second."""

MOST_TIMEOUTS = 16
"""So many look-ups out of time in a row, and it is the cluster that does not answer."""

Answer: TypeAlias = Reading | LeaseUnread


class RpcLeaseReader:
    """Reads leases with one LeaseTimeToLive each."""

    def __init__(self, connection: Connection, clock: Clock, pace: Pace) -> None:
        """Read at a pace."""
        self.notes: list[str] = []
        self._connection = connection
        self._clock = clock
        self._pace = pace
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

    async def read_one(
        self, lease_id: LeaseId, *, with_keys: bool, failure: Failure | None = None
    ) -> Answer:
        """
        Read one lease, where an attempt has failed already after that one.

        Raises:
            ClusterUnreachable: No member greets any more.
            ClusterTimeout: Many look-ups in a row were not answered in time.
        """
        asked_at = self._clock.now() if failure is None else failure.asked_at
        try:
            answer = await self._read_what_is_allowed(lease_id, failure, with_keys=with_keys)
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
        self.heard()
        return answer

    def heard(self) -> None:
        """Take notice that a look-up was answered in time, by whatever way."""
        self._timeouts = 0

    async def close(self) -> None:
        """Leave the connection open: it is not this reader's own."""

    async def _work(
        self, ids: Iterator[LeaseId], answers: asyncio.Queue[Answer | None], *, with_keys: bool
    ) -> None:
        for lease_id in ids:
            answers.put_nowait(await self.read_one(lease_id, with_keys=with_keys))

    async def _read_what_is_allowed(
        self, lease_id: LeaseId, failure: Failure | None, *, with_keys: bool
    ) -> Reading:
        """Since etcd 3.4.26 and 3.5.9 the attached keys are told only to who may read them all."""
        if not with_keys:
            return await self._look_up(lease_id, failure, with_keys=False)
        try:
            return await self._look_up(lease_id, failure, with_keys=True)
        except AccessDenied:
            return await self._look_up(lease_id, None, with_keys=False)

    async def _look_up(
        self, lease_id: LeaseId, failure: Failure | None, *, with_keys: bool
    ) -> Reading:
        await self._pace.keep()
        request = rpc.LeaseTimeToLiveRequest(ID=lease_id, keys=with_keys)
        if failure is None:
            answer = await self._connection.call(_method, request, what(lease_id))
        else:
            answer = await self._connection.call_again(failure, _method, request)
        return reading(
            answer.message, lease_id, answer.asked_at, answer.answered_at, with_keys=with_keys
        )


def what(lease_id: LeaseId) -> str:
    """Say what is tried, as the end of "could not ..."."""
    return f"look up lease {hex_id(lease_id)}"


def _method(member: Member) -> Any:
    return member.lease.LeaseTimeToLive
