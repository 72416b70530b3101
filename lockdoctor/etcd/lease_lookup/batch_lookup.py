"""One fast reading of many leases: the next requests, and their results."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.etcd.connection.attempt import Attempt, FailedAttempt
from lockdoctor.etcd.connection.call_log import LookupLog, is_logging
from lockdoctor.etcd.connection.connection import Connection
from lockdoctor.etcd.connection.errors import is_permission_denied, rpc_error
from lockdoctor.etcd.http2.call import OK, UnaryCall
from lockdoctor.etcd.http2.connection import Http2Connection
from lockdoctor.etcd.http2.pool import Http2Pool
from lockdoctor.etcd.lease_lookup.codec import LookupContext, decode_results, request
from lockdoctor.etcd.lease_lookup.grpc_reader import Answer, RpcLeaseReader, purpose
from lockdoctor.etcd.lease_lookup.rate_limit import ConcurrencyLimit, RateLimiter

BATCH_DELAY_S = 0.002
"""Seconds between batches; each batch costs time as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupDependencies:
    """The parts with which a batch reads; the next batch uses the same."""

    connection: Connection
    pool: Http2Pool
    grpc_reader: RpcLeaseReader
    rate_limiter: RateLimiter
    window: ConcurrencyLimit


class LookupBatch:
    """One reading of many leases."""

    def __init__(
        self, dependencies: LookupDependencies, ids: Iterator[LeaseId], *, with_keys: bool
    ) -> None:
        """Prepare to read leases."""
        self._dependencies = dependencies
        self._ids = ids
        self._with_keys = with_keys
        self._has_more = True
        self._pending: deque[tuple[LeaseId, bool]] = deque()
        """Leases to be requested next, and whether with their keys."""
        self._in_flight = 0
        self._received: list[tuple[Sequence[UnaryCall], float]] = []
        self._answers: list[Answer] = []
        self._grpc_tasks: set[asyncio.Task[Answer]] = set()
        self._failed: BaseException | None = None
        self._is_full = False
        self._is_brief = False
        """Whether the wait will end before single answers would be worth passing on."""
        self._waker: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._log = LookupLog() if is_logging() else None

    async def answers(self) -> list[Answer]:
        """
        Wait for some answers; an empty list means the end.

        Raises:
            ClusterError: As RpcLeaseReader.read does.
            WrongClusterError: Another cluster than the run's has answered.
        """
        while True:
            received, self._received = self._received, []
            is_held_back = await self._send_more()
            for calls, at in received:
                self._process(calls, at)
            if self._failed is not None:
                raise self._failed
            if self._answers:
                answers, self._answers = self._answers, []
                return answers
            if not (self._busy or self._received or self._pending or self._has_more):
                return []
            if self._busy or is_held_back:
                await self._wait(self._dependencies.rate_limiter.wait_s() if is_held_back else None)

    async def close(self) -> None:
        """Drop the open look-ups."""
        self._dependencies.pool.cancel_all()
        if self._log is not None:
            self._log.write("Lease/LeaseTimeToLive")
        for task in self._grpc_tasks:
            task.cancel()
        await asyncio.gather(*self._grpc_tasks, return_exceptions=True)

    @property
    def _busy(self) -> int:
        """Return the number of open look-ups."""
        return self._in_flight + len(self._grpc_tasks)

    async def _send_more(self) -> bool:
        """
        Send as many look-ups at once as window and rate allow.

        Returns:
            Whether the rate limit holds back look-ups that the window allows.
        """
        dependencies = self._dependencies
        room = dependencies.window.size - self._busy
        available = dependencies.rate_limiter.available(max(room, 0))
        self._is_full = available >= room
        self._pull(max(available, 1))
        if not self._pending:
            return False
        if not available:
            return room > 0
        attempt = dependencies.connection.new_attempt("look up leases")
        connection = await dependencies.pool.get(attempt)
        room = connection.room if connection is not None else 0
        if connection is not None and room:
            self._send(connection, attempt, min(available, room))
        elif not self._in_flight:
            for lease_id, with_keys in self._next(available):
                self._read_by_grpc(lease_id, with_keys=with_keys)
        return False

    def _pull(self, most: int) -> None:
        """Fill the pending look-ups up to this number, without those left to gRPC."""
        if self._dependencies.pool.notes:
            self._has_more = False
        missing = most - len(self._pending)
        if self._has_more and missing > 0:
            pulled = [(lease_id, self._with_keys) for lease_id in islice(self._ids, missing)]
            self._pending.extend(pulled)
            self._has_more = len(pulled) == missing

    def _next(self, most: int) -> list[tuple[LeaseId, bool]]:
        return [self._pending.popleft() for _ in range(min(most, len(self._pending)))]

    def _send(self, connection: Http2Connection, attempt: Attempt, most: int) -> None:
        lookups = [
            UnaryCall(request(lease_id, with_keys=with_keys), (lease_id, with_keys, attempt))
            for lease_id, with_keys in self._next(most)
        ]
        self._in_flight += len(lookups)
        self._dependencies.rate_limiter.consume(len(lookups))
        connection.receiver = self._receive
        connection.send(lookups, attempt.metadata)

    def _receive(self, calls: Sequence[UnaryCall], at: float) -> None:
        if calls:
            self._in_flight -= len(calls)
            self._received.append((calls, at))
            if calls[0].status == OK:  # a broken connection is not a fast answer
                took_s = at - calls[0].asked_at
                self._dependencies.window.answered(len(calls), took_s, was_full=self._is_full)
        if self._is_brief:
            return
        if self._in_flight <= self._dependencies.window.size // 2:
            self._wake()
        elif self._waker is not None and self._timer is None:
            self._wake_in(BATCH_DELAY_S)

    def _process(self, calls: Sequence[UnaryCall], at: float) -> None:
        if self._log is not None and calls:
            attempt: Attempt = calls[0].context[2]  # of one connection, hence of one member
            self._log.add(attempt.member.endpoint, (call.status for call in calls))
        readings, failed = decode_results(calls, at, self._dependencies.connection.require_cluster)
        self._answers += readings
        for call, trouble in failed:
            if trouble is None:
                self._retry(call)
                continue
            self._dependencies.pool.disable(trouble)
            lease_id, with_keys, _ = call.context
            self._read_by_grpc(lease_id, with_keys=with_keys)
        if self._dependencies.pool.update(calls):
            self._dependencies.grpc_reader.reset_timeouts()

    def _retry(self, call: UnaryCall) -> None:
        context: LookupContext = call.context
        lease_id, with_keys, attempt = context
        error = rpc_error(call.status, call.message)
        if with_keys and is_permission_denied(error):
            self._pending.append((lease_id, False))
            return
        failure = FailedAttempt(attempt._replace(what=purpose(lease_id)), call.asked_at, error)
        self._read_by_grpc(lease_id, with_keys=with_keys, failure=failure)

    def _read_by_grpc(
        self, lease_id: LeaseId, *, with_keys: bool, failure: FailedAttempt | None = None
    ) -> None:
        reading = self._dependencies.grpc_reader.read_one(
            lease_id, with_keys=with_keys, failure=failure
        )
        task = asyncio.ensure_future(reading)
        self._grpc_tasks.add(task)
        task.add_done_callback(self._grpc_done)

    def _grpc_done(self, task: asyncio.Task[Answer]) -> None:
        self._grpc_tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            self._answers.append(task.result())
        else:
            self._failed = self._failed or error
        self._wake()

    async def _wait(self, pause_s: float | None) -> None:
        """
        Wait until there is enough work, but not for long.

        Args:
            pause_s: Seconds of the rate limit, if it held back look-ups before. To ask the limit
                again might return no pause, and then the wait would never end.
        """
        self._waker = asyncio.get_running_loop().create_future()
        self._is_brief = pause_s is not None and pause_s <= BATCH_DELAY_S
        if pause_s is not None:
            self._wake_in(pause_s)
        try:
            await self._waker
        finally:
            self._waker = None
            self._is_brief = False
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def _wake_in(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._wake)

    def _wake(self) -> None:
        if self._waker is not None and not self._waker.done():
            self._waker.set_result(None)
