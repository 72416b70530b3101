"""Follows the keys of a prefix through breaks, and reports missed changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc
import grpc.aio

from lockdoctor.domain.inference.queue_activity import (
    GapReason,
    KeyDeleted,
    KeyPut,
    WatchEvent,
    WatchGap,
    WatchProgress,
)
from lockdoctor.etcd.connection.attempt import Attempt, KeyRange
from lockdoctor.etcd.connection.connection import Connection
from lockdoctor.etcd.connection.errors import printable
from lockdoctor.etcd.convert import lock_key, range_of
from lockdoctor.etcd.protos import kv, rpc
from lockdoctor.ports import Clock

PROGRESS_INTERVAL_S = 1.0
"""Seconds without an event after which etcd is asked for its progress."""

RESPONSE_TIMEOUT_S = 3.0
"""Seconds without an answer to that request after which a member counts as gone."""

PROGRESS_REQUEST = rpc.WatchRequest.FromString(b"\x1a\x00")
"""
Field 3 with an empty message, a request for progress since etcd 3.4.

etcd3's messages are older, but protobuf keeps unknown fields. Tested on 3.4.23 and 3.5.1.
"""


class KeyWatch:
    """One watch on a prefix, resumed from the last revision seen after each break."""

    def __init__(
        self, connection: Connection, clock: Clock, prefix: bytes, from_revision: int
    ) -> None:
        """Prepare to follow all changes from this revision on."""
        self._connection = connection
        self._clock = clock
        self._range = range_of(prefix)
        self._keys = KeyRange(prefix)
        self._what = f"watch the keys below {printable(prefix)}"
        self._next_revision = from_revision
        self._oldest_kept = 1
        self._unconfirmed: int | None = None

    async def events(self) -> AsyncIterator[WatchEvent]:
        """
        Yield events until closed.

        Raises:
            ClusterUnreachableError: No member answers within the command time-out.
            AccessDeniedError: The role may not read the prefix.
            WrongClusterError: Another cluster than the run's has answered.
        """
        attempt = self._connection.new_attempt(self._what, self._keys)
        while True:
            stream = _Stream(attempt)
            try:
                await stream.write(self._request())
                while response := await self._next_response(stream):
                    self._connection.require_cluster(response, attempt)
                    for event in self._events(response):
                        yield event
                    if response.canceled and not response.compact_revision:
                        raise self._cancellation(response, attempt)
                    attempt = self._connection.new_attempt(self._what, self._keys)
                    if response.canceled:
                        break
            except grpc.aio.AioRpcError as error:
                attempt = await self._connection.next_attempt(attempt, error)
            finally:
                await stream.close()

    def _request(self) -> Any:
        """
        Return the request, which starts one revision earlier than needed.

        Since 3.5.8, etcd reports no progress to a watch that waits for a future revision.
        Source: progressIfSync in etcd's server/storage/mvcc/watchable_store.go.
        """
        start, end = self._range
        from_revision = max(self._oldest_kept, self._next_revision - 1)
        return rpc.WatchRequest(
            create_request=rpc.WatchCreateRequest(
                key=start, range_end=end, start_revision=from_revision
            )
        )

    async def _next_response(self, stream: _Stream) -> Any:
        """Wait for a response, and request the progress until one arrives."""
        response = await stream.read(PROGRESS_INTERVAL_S)
        if response is None:
            self._unconfirmed = None
            await stream.write(PROGRESS_REQUEST)
            response = await stream.read(RESPONSE_TIMEOUT_S)
        if response is None:
            raise _broken("it fell silent")
        if _is_progress(response) and self._unconfirmed is None:
            await stream.write(PROGRESS_REQUEST)
        return response

    def _events(self, response: Any) -> Iterator[WatchEvent]:
        seen_at = self._clock.now()
        self._oldest_kept = max(self._oldest_kept, response.compact_revision)
        if response.compact_revision > self._next_revision:
            self._next_revision = response.compact_revision
            yield WatchGap(seen_at=seen_at, why=GapReason.COMPACTED)
        needed = [e for e in response.events if e.kv.mod_revision >= self._next_revision]
        for event in needed:
            yield _event(event, seen_at)
            self._next_revision = event.kv.mod_revision + 1
        if _is_progress(response):
            yield from self._confirm(response.header.revision, seen_at)

    def _confirm(self, revision: int, seen_at: float) -> Iterator[WatchProgress]:
        """
        Yield a progress only after the answer to a second request.

        Before 3.4.25 and 3.5.8, a progress could overtake events.
        Source: etcd PR 15248.
        """
        confirmed, self._unconfirmed = self._unconfirmed, revision
        if confirmed is not None:
            self._unconfirmed = None
            self._next_revision = max(self._next_revision, confirmed + 1)
            yield WatchProgress(seen_at=seen_at, revision=confirmed)

    def _cancellation(self, response: Any, attempt: Attempt) -> grpc.aio.AioRpcError:
        """
        Turn etcd's refusal or end of a watch into a failed call.

        An expired token is called "permission denied" here, so the first one is worth a new token.
        Source: isWatchPermitted in etcd's server/etcdserver/api/v3rpc/watch.go.
        """
        reason = response.cancel_reason or "the watch was cancelled"
        if "permission denied" in reason and attempt.number == 1 and attempt.token:
            return _broken(reason, grpc.StatusCode.UNAUTHENTICATED)
        if "permission denied" in reason:
            return _broken(reason, grpc.StatusCode.PERMISSION_DENIED)
        return _broken(reason)


class _Stream:
    """One Watch RPC with a separate reader: a canceled read would end the RPC."""

    def __init__(self, attempt: Attempt) -> None:
        self._call = attempt.member.watch.Watch(metadata=attempt.metadata)
        self._reading: asyncio.Future[Any] | None = None
        self._writing: asyncio.Future[Any] | None = None

    async def write(self, request: Any) -> None:
        # Not wait_for: before Python 3.12 it can swallow the cancellation of the watch.
        self._writing = asyncio.ensure_future(self._call.write(request))
        done, _ = await asyncio.wait({self._writing}, timeout=RESPONSE_TIMEOUT_S)
        if not done:
            raise _broken("it takes no request")
        try:
            self._writing.result()
        except asyncio.InvalidStateError:
            return  # the call has ended; the next read reports the reason
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.INTERNAL:
                raise
            # The error of grpc.aio when a call ends during a write.
            raise _broken("it ended during a request") from error

    async def read(self, timeout_s: float) -> Any:
        """Wait for the next response; return None after the time-out."""
        if self._reading is None:
            self._reading = asyncio.ensure_future(self._call.read())
        done, _ = await asyncio.wait({self._reading}, timeout=timeout_s)
        if not done:
            return None
        response, self._reading = self._reading.result(), None
        if response is grpc.aio.EOF:
            raise _broken("it was closed")
        return response

    async def close(self) -> None:
        self._call.cancel()
        unfinished = [future for future in (self._reading, self._writing) if future is not None]
        for future in unfinished:
            future.cancel()  # a write that waits for the call to begin would never end
        await asyncio.gather(*unfinished, return_exceptions=True)


def _is_progress(response: Any) -> bool:
    return not (response.events or response.created or response.canceled)


def _event(event: Any, seen_at: float) -> KeyPut | KeyDeleted:
    if event.type == kv.Event.EventType.Value("PUT"):
        return KeyPut(seen_at=seen_at, key=lock_key(event.kv))
    return KeyDeleted(seen_at=seen_at, key=event.kv.key, revision=event.kv.mod_revision)


def _broken(why: str, code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), details=why)
