"""Looks up many leases with gRPC's client at a limited rate; failures are values."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from typing import Any, TypeAlias

from lockdoctor.domain.model.leases import FailedReading, LeaseId, Reading, hex_id
from lockdoctor.errors import (
    AccessDeniedError,
    ClusterError,
    ClusterTimeoutError,
    ClusterUnreachableError,
)
from lockdoctor.etcd.connection.attempt import FailedAttempt
from lockdoctor.etcd.connection.connection import Connection
from lockdoctor.etcd.connection.errors import one_line
from lockdoctor.etcd.connection.member import Member
from lockdoctor.etcd.convert import reading
from lockdoctor.etcd.lease_lookup.rate_limit import ConcurrencyLimit, RateLimiter
from lockdoctor.etcd.protos import rpc
from lockdoctor.ports import Clock

OUTSTANDING = 32
"""Maximum open look-ups; fewer when etcd answers more slowly."""

MAX_TIMEOUTS = 16
"""Maximum look-ups timed out in a row; then the read ends with the time-out."""

Answer: TypeAlias = Reading | FailedReading


class WorkerPool:
    """Workers that look leases up concurrently; their number varies."""

    def __init__(
        self,
        work: Callable[[], Coroutine[Any, Any, None]],
        answers: asyncio.Queue[Answer | None],
    ) -> None:
        """
        Start without workers.

        Args:
            work: The loop of each worker, until the work ends or there are too many workers.
            answers: Gets None when the last worker has ended or one has failed.
        """
        self._work = work
        self._answers = answers
        self._tasks: set[asyncio.Task[None]] = set()
        self._size = self._wanted = 0
        self._failed: BaseException | None = None

    def set_size(self, wanted: int) -> None:
        """Start workers until there are as many as wanted."""
        self._wanted = wanted
        while self._size < self._wanted:
            self._size += 1
            task = asyncio.ensure_future(self._work())
            self._tasks.add(task)
            task.add_done_callback(self._worker_ended)

    def should_exit(self) -> bool:
        """Return whether one worker must end because there are too many."""
        if self._size <= self._wanted:
            return False
        self._size -= 1
        return True

    def raise_failure(self) -> None:
        """Raise the exception of a failed worker, if any."""
        if self._failed is not None:
            raise self._failed

    async def cancel_all(self) -> None:
        """Cancel all workers."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _worker_ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            self._failed = self._failed or task.exception()
        if not self._tasks or self._failed is not None:
            self._answers.put_nowait(None)


class RpcLeaseReader:
    """Reads leases with one LeaseTimeToLive each."""

    def __init__(self, connection: Connection, clock: Clock, rate_limiter: RateLimiter) -> None:
        """Prepare to read at a limited rate."""
        self.notes: list[str] = []
        self._connection = connection
        self._clock = clock
        self._rate_limiter = rate_limiter
        self._window = ConcurrencyLimit(OUTSTANDING)
        self._timeouts = 0

    async def read(self, lease_ids: Iterable[LeaseId], *, with_keys: bool) -> AsyncIterator[Answer]:
        """
        Read leases and yield each answer, in no order.

        Raises:
            ClusterUnreachableError: No member answers.
            ClusterTimeoutError: Many look-ups in a row were not answered in time.
        """
        ids = iter(lease_ids)
        answers: asyncio.Queue[Answer | None] = asyncio.Queue()
        workers = WorkerPool(
            lambda: self._work(ids, answers, workers, with_keys=with_keys), answers
        )
        workers.set_size(self._window.size)
        try:
            while (answer := await answers.get()) is not None:
                yield answer
            workers.raise_failure()
        finally:
            await workers.cancel_all()

    async def read_one(
        self, lease_id: LeaseId, *, with_keys: bool, failure: FailedAttempt | None = None
    ) -> Answer:
        """
        Read one lease, also after a failed attempt.

        Raises:
            ClusterUnreachableError: No member answers.
            ClusterTimeoutError: Many look-ups in a row were not answered in time.
        """
        asked_at = self._clock.now() if failure is None else failure.asked_at
        try:
            answer = await self._read_what_is_allowed(lease_id, failure, with_keys=with_keys)
        except ClusterUnreachableError:
            raise
        except ClusterTimeoutError:
            self._timeouts += 1
            if self._timeouts >= MAX_TIMEOUTS:
                raise
            return FailedReading(lease_id=lease_id, asked_at=asked_at, reason="timed out")
        except AccessDeniedError:
            return FailedReading(lease_id=lease_id, asked_at=asked_at, reason="denied")
        except ClusterError as error:
            return FailedReading(lease_id=lease_id, asked_at=asked_at, reason=one_line(str(error)))
        self.reset_timeouts()
        return answer

    def reset_timeouts(self) -> None:
        """Reset the count of time-outs after an answer in time, by either reader."""
        self._timeouts = 0

    async def close(self) -> None:
        """Do not close: the connection is not this reader's own."""

    async def _work(
        self,
        ids: Iterator[LeaseId],
        answers: asyncio.Queue[Answer | None],
        workers: WorkerPool,
        *,
        with_keys: bool,
    ) -> None:
        for lease_id in ids:
            answers.put_nowait(await self.read_one(lease_id, with_keys=with_keys))
            workers.set_size(self._window.size)
            if workers.should_exit():
                return

    async def _read_what_is_allowed(
        self, lease_id: LeaseId, failure: FailedAttempt | None, *, with_keys: bool
    ) -> Reading:
        """
        Read a lease, without its keys if the user may not read them all.

        Since etcd 3.4.26 and 3.5.9, etcd lists the keys only with permission for all of them.
        """
        if not with_keys:
            return await self._look_up(lease_id, failure, with_keys=False)
        try:
            return await self._look_up(lease_id, failure, with_keys=True)
        except AccessDeniedError:
            return await self._look_up(lease_id, None, with_keys=False)

    async def _look_up(
        self, lease_id: LeaseId, failure: FailedAttempt | None, *, with_keys: bool
    ) -> Reading:
        await self._rate_limiter.acquire()
        request = rpc.LeaseTimeToLiveRequest(ID=lease_id, keys=with_keys)
        if failure is None:
            answer = await self._connection.call(_method, request, purpose(lease_id))
        else:
            answer = await self._connection.call_again(failure, _method, request)
        self._window.answered(1, answer.answered_at - answer.asked_at, was_full=True)
        return reading(
            answer.message, lease_id, answer.asked_at, answer.answered_at, with_keys=with_keys
        )


def purpose(lease_id: LeaseId) -> str:
    """Return what is tried, as the end of "could not ..."."""
    return f"look up lease {hex_id(lease_id)}"


def _method(member: Member) -> Any:
    return member.lease.LeaseTimeToLive
