"""The connections of the fast reader, which stops using them when they fail."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from lockdoctor.etcd.connection.attempt import Attempt
from lockdoctor.etcd.connection.connection import Connection
from lockdoctor.etcd.http2.call import OK, UnaryCall
from lockdoctor.etcd.http2.connection import Http2Connection, open_connection
from lockdoctor.etcd.http2.frames import ProtocolError
from lockdoctor.ports import Clock

MAX_MISSES = 3
"""Maximum connections in a row without a response, if gRPC's client got some."""


class Http2Pool:
    """
    One connection for new calls, and earlier ones with open calls.

    Once `notes` has a sentence, there is no connection.
    """

    def __init__(self, connection: Connection, clock: Clock, path: str) -> None:
        """Start without a connection; each will call the method of this path."""
        self.notes: list[str] = []
        self._connection = connection
        self._clock = clock
        self._path = path
        self._connections: list[Http2Connection] = []
        self._misses = 0

    async def get(self, attempt: Attempt) -> Http2Connection | None:
        """Return the connection to an attempt's member; None if it cannot be opened."""
        self._check_trouble()
        if self.notes:
            return None
        self._connections = [
            connection for connection in self._connections if not connection.lost.done()
        ]
        for connection in self._connections:
            if connection.member is attempt.member and not connection.is_spent:
                return connection
            connection.close_gracefully()
        return await self._open(attempt)

    def update(self, calls: Sequence[UnaryCall]) -> bool:
        """Update the state from ended calls; return whether one has a response."""
        self._check_trouble()
        is_answered = any(call.status == OK for call in calls)
        if is_answered:
            self._misses = 0
        return is_answered

    def disable(self, trouble: ProtocolError) -> None:
        """Use gRPC's own client for the rest of the run."""
        if not self.notes:
            self.notes.append(
                "Lease look-ups were slower, over gRPC: the server "
                f"{trouble}, which the fast reader does not support."
            )
            for connection in self._connections:
                connection.abort()

    def cancel_all(self) -> None:
        """Drop the open calls."""
        for connection in self._connections:
            connection.cancel_all()

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.gather(*(connection.close() for connection in self._connections))

    async def _open(self, attempt: Attempt) -> Http2Connection | None:
        if self._misses >= MAX_MISSES:
            self.disable(ProtocolError(f"accepted {MAX_MISSES} connections without a response"))
            return None
        self._misses += 1
        timeout_s = self._connection.attempt_s(attempt.deadline - self._clock.now())
        try:
            opened = await open_connection(attempt.member, self._path, self._clock, timeout_s)
        except OSError:
            return None
        except ProtocolError as trouble:
            self.disable(trouble)
            return None
        self._connections.append(opened)
        return opened

    def _check_trouble(self) -> None:
        for connection in self._connections:
            if connection.trouble is not None:
                self.disable(connection.trouble)
