"""Clients like those of Go's concurrency package, on python-etcd3's client."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, final

import grpc

from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.etcd.protos import rpc

import etcd3  # isort: skip  # loads on a current protobuf only after etcd.protos

KEEP_ALIVE_LOOP_S = 0.5
"""
Period of a client's keep-alive loop, as in Go.

Source: retryConnWait, the period of sendKeepAliveLoop in etcd's client/v3/lease.go.
"""

POLL_S = 0.2
"""Seconds between a waiter's checks; Go's clients watch the key before theirs."""

RPC_TIMEOUT_S = 5
MAX_AT_ONCE = 16
"""Maximum threads of one client: its keep-alive loop, its workers and waiters."""


@final
class LockClient:
    """
    A process that uses locks: its connection, its sessions and its work.

    Every session is renewed once per third of its TTL, on a grid of 0.5 s, as in Go's client. The
    renewal stops when the session is closed or orphaned, or when the client ends.
    """

    def __init__(self, address: str) -> None:
        """
        Start the keep-alive loop, without any session yet.

        Args:
            address: Host and port of an etcd without TLS.
        """
        host, port = address.rsplit(":", 1)
        self.etcd: Any = etcd3.client(host=host, port=int(port), timeout=RPC_TIMEOUT_S)
        self.sessions: set[Session] = set()
        self._closing = threading.Event()
        self._threads = ThreadPoolExecutor(MAX_AT_ONCE)
        self.run(self._keep_alive)

    def session(self, ttl_s: int) -> Session:
        """Open a session on its own lease."""
        lease = self.etcd.lease(ttl_s)
        session = Session(self, lease.id, ttl_s)
        self.sessions.add(session)
        return session

    def run(self, work: Callable[[], None]) -> None:
        """Run work in a thread; an error, such as a missing etcd, only ends it."""
        self._threads.submit(work)

    def pause(self, seconds: float) -> bool:
        """Wait for some seconds; return False at once when the client is closed."""
        return not self._closing.wait(seconds)

    def close(self) -> None:
        """End like a killed process: no more renewals, and no lease is revoked."""
        self._closing.set()
        # The threads first: a call on a closed channel would raise.
        self._threads.shutdown(cancel_futures=True)
        self.etcd.close()

    def _keep_alive(self) -> None:
        while self.pause(KEEP_ALIVE_LOOP_S):
            now = time.monotonic()
            due = [session for session in list(self.sessions) if session.renew_at <= now]
            if due:
                with contextlib.suppress(grpc.RpcError):  # the next period retries a failed renewal
                    self._renew(due)

    def _renew(self, due: list[Session]) -> None:
        """Renew leases in one stream; etcd answers in order, with TTL 0 for an ended one."""
        requests = [rpc.LeaseKeepAliveRequest(ID=session.lease_id) for session in due]
        answers = self.etcd.leasestub.LeaseKeepAlive(iter(requests), timeout=RPC_TIMEOUT_S)
        for answer, session in zip(answers, due, strict=False):
            session.renew_at = time.monotonic() + answer.TTL / 3
            if answer.TTL == 0:
                session.orphan()


@final
class Session:
    """
    A lease that its client renews.

    Source: session.go in etcd's client/v3/concurrency.
    """

    def __init__(self, client: LockClient, lease_id: LeaseId, ttl_s: int) -> None:
        """Store a lease that was just granted."""
        self.client = client
        self.lease_id = lease_id
        self.renew_at = time.monotonic() + ttl_s / 3

    def orphan(self) -> None:
        """Stop its renewals; etcd ends the lease when its TTL expires."""
        self.client.sessions.discard(self)

    def close(self) -> None:
        """Stop its renewals, and revoke the lease now."""
        self.orphan()
        self.client.etcd.revoke_lease(self.lease_id)


@final
class Mutex:
    """
    One session's part in a lock: the key `<name>/<lease ID in hex>`.

    The oldest key holds the lock.

    Source: mutex.go and election.go in etcd's client/v3/concurrency.
    """

    def __init__(self, session: Session, name: bytes, candidate: bytes = b"") -> None:
        """
        Set the lock's name without writing to etcd.

        Args:
            candidate: The candidate of an election; empty for a mutex.
        """
        self.key = b"%s/%x" % (name, session.lease_id)
        self._name = name
        self._candidate = candidate
        self._session = session
        self._client = session.client
        self._etcd = session.client.etcd

    def queue_up(self) -> None:
        """Write the key, unless it exists: the first write sets the place in the queue."""
        conditions = self._etcd.transactions
        self._etcd.transaction(
            compare=[conditions.create(self.key) == 0],
            success=[conditions.put(self.key, self._candidate, self._session.lease_id)],
            failure=[],
        )

    def is_held(self) -> bool:
        """Return whether this session holds the lock."""
        queue = self._etcd.get_prefix(self._name + b"/", sort_order="ascend", sort_target="create")
        return any(key.key == self.key for _, key in list(queue)[:1])

    def lock(self, timeout_s: float = math.inf) -> bool:
        """
        Write the key, and wait for the lock.

        Returns:
            False after the time-out; the key is deleted, and the session continues.
        """
        self.queue_up()
        until = time.monotonic() + timeout_s
        while not self.is_held():
            if time.monotonic() >= until or not self._client.pause(POLL_S):
                self.unlock()
                return False
        return True

    def unlock(self) -> None:
        """Delete the key; the session continues."""
        self._etcd.delete(self.key)
