"""Users of locks in the manner of Go's concurrency package, on python-etcd3's blocking client."""

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

import etcd3  # isort: skip  # loads on today's protobuf only after etcd3_compat

KEEP_ALIVE_LOOP_S = 0.5
"""Source: retryConnWait, the period of sendKeepAliveLoop in etcd's client/v3/lease.go."""

POLL_S = 0.2
"""How often a waiter looks whether it is its turn; Go's clients watch the key before theirs."""

RPC_TIMEOUT_S = 5
MAX_AT_ONCE = 16
"""Threads of one client: its keep-alive loop, and everything that works or waits."""


@final
class LockClient:
    """
    A process that uses locks: a connection, its sessions, and all that it does at the same time.

    Every session is renewed each third of its TTL, on a grid of half a second, as Go's client
    does it, until it is closed or orphaned, or the client ends.
    """

    def __init__(self, address: str) -> None:
        """
        Begin to keep sessions alive; there are none yet.

        Args:
            address: Host and port of an etcd that speaks plain HTTP.
        """
        host, port = address.rsplit(":", 1)
        self.etcd: Any = etcd3.client(host=host, port=int(port), timeout=RPC_TIMEOUT_S)
        self.sessions: set[Session] = set()
        self._closing = threading.Event()
        self._threads = ThreadPoolExecutor(MAX_AT_ONCE)
        self.run(self._keep_alive)

    def session(self, ttl_s: int) -> Session:
        """Open a session on a lease of its own."""
        lease = self.etcd.lease(ttl_s)
        session = Session(self, lease.id, ttl_s)
        self.sessions.add(session)
        return session

    def run(self, work: Callable[[], None]) -> None:
        """Do something beside the rest; an error, such as an etcd that has gone, just ends it."""
        self._threads.submit(work)

    def pause(self, seconds: float) -> bool:
        """Wait, or return False at once when the client is closed."""
        return not self._closing.wait(seconds)

    def close(self) -> None:
        """End as a process that is killed: nothing more is renewed, no lease is revoked."""
        self._closing.set()
        # The threads first: a call on a closed channel would raise.
        self._threads.shutdown(cancel_futures=True)
        self.etcd.close()

    def _keep_alive(self) -> None:
        while self.pause(KEEP_ALIVE_LOOP_S):
            now = time.monotonic()
            due = [session for session in list(self.sessions) if session.renew_at <= now]
            if due:
                with contextlib.suppress(grpc.RpcError):  # what failed is tried again next time
                    self._renew(due)

    def _renew(self, due: list[Session]) -> None:
        """Renew in one stream; etcd answers in order, with a TTL of 0 where the lease is gone."""
        requests = [rpc.LeaseKeepAliveRequest(ID=session.lease_id) for session in due]
        answers = self.etcd.leasestub.LeaseKeepAlive(iter(requests), timeout=RPC_TIMEOUT_S)
        for answer, session in zip(answers, due, strict=False):
            session.renew_at = time.monotonic() + answer.TTL / 3
            if answer.TTL == 0:
                session.orphan()


@final
class Session:
    """
    A lease that its client keeps alive.

    Source: session.go in etcd's client/v3/concurrency.
    """

    def __init__(self, client: LockClient, lease_id: LeaseId, ttl_s: int) -> None:
        """Take over a lease that was granted just now."""
        self.client = client
        self.lease_id = lease_id
        self.renew_at = time.monotonic() + ttl_s / 3

    def orphan(self) -> None:
        """Renew it no more; etcd ends it when its time is up."""
        self.client.sessions.discard(self)

    def close(self) -> None:
        """Renew it no more, and end it now."""
        self.orphan()
        self.client.etcd.revoke_lease(self.lease_id)


@final
class Mutex:
    """
    One session's part in a lock: the key `<name>/<lease ID in hex>`; the oldest key holds.

    Source: mutex.go and election.go in etcd's client/v3/concurrency.
    """

    def __init__(self, session: Session, name: bytes, candidate: bytes = b"") -> None:
        """
        Name the lock; nothing is written yet.

        Args:
            candidate: Who stands in an election; a mutex has nobody.
        """
        self.key = b"%s/%x" % (name, session.lease_id)
        self._name = name
        self._candidate = candidate
        self._session = session
        self._client = session.client
        self._etcd = session.client.etcd

    def queue_up(self) -> None:
        """Write the key, unless it is there: the place in the queue is that of the first write."""
        ask = self._etcd.transactions
        self._etcd.transaction(
            compare=[ask.create(self.key) == 0],
            success=[ask.put(self.key, self._candidate, self._session.lease_id)],
            failure=[],
        )

    def is_held(self) -> bool:
        """Whether it is this session's turn."""
        queue = self._etcd.get_prefix(self._name + b"/", sort_order="ascend", sort_target="create")
        return any(key.key == self.key for _, key in list(queue)[:1])

    def lock(self, timeout_s: float = math.inf) -> bool:
        """
        Queue up and wait for the lock.

        Returns:
            False where the time-out came first; the key is gone then, the session lives on.
        """
        self.queue_up()
        until = time.monotonic() + timeout_s
        while not self.is_held():
            if time.monotonic() >= until or not self._client.pause(POLL_S):
                self.unlock()
                return False
        return True

    def unlock(self) -> None:
        """Delete the key; the session lives on."""
        self._etcd.delete(self.key)
