"""The demo's scenarios: leaked locks and sessions, and some that only look leaked."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from lockdoctor.demo.lock_client import LockClient, Mutex

PREFIX = b"/my-lock/"

TTL_S = 12
"""Seconds, so that two renewals are seen in about 12 s; Go's default TTL is 60 s."""

WAITERS = 3
REQUEST_INTERVAL_S = 0.7
REQUEST_TIMEOUT_S = 2.5
JOB_S = 0.8
BREAK_S = 0.2

Starter: TypeAlias = Callable[[LockClient, bytes], None]
"""Starts a scenario with its own client and the name of the lock."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """An event on one lock, and the sentence that describes it."""

    lock: bytes
    """The lock's name below the prefix."""
    story: str
    start: Starter


def leak_a_lock(client: LockClient, name: bytes) -> None:
    """Hold the lock without end, with waiters that would work and release it."""
    Mutex(client.session(TTL_S), name).queue_up()
    for _ in range(WAITERS):
        waiter = Mutex(client.session(TTL_S), name)
        waiter.queue_up()
        client.run(partial(_do_one_job, client, waiter))


def leak_sessions(client: LockClient, name: bytes) -> None:
    """Start requests continuously; each one that gives up leaves its session open."""
    client.run(partial(_send_requests, client, name))


def work_in_turns(client: LockClient, name: bytes) -> None:
    """Lock, work and unlock repeatedly in one long session."""
    client.run(partial(_work, client, Mutex(client.session(TTL_S), name)))


def crash(client: LockClient, name: bytes) -> None:
    """Take the lock and crash: its key stays on a lease without renewals."""
    session = client.session(TTL_S)
    Mutex(session, name).queue_up()
    session.orphan()


def elect(client: LockClient, name: bytes) -> None:
    """Lead, with another candidate waiting, each in its own session."""
    for candidate in (b"node-a", b"node-b"):
        Mutex(client.session(TTL_S), name, candidate).queue_up()


def write_without_lease(client: LockClient, name: bytes) -> None:
    """
    Take a custom lock without a lease, which looks like data.

    Only its own client would delete it.
    """
    client.etcd.put(name, b"deploy-17")


SCENARIOS = (
    Scenario(
        b"orders",
        f"a service holds it and never unlocks; {WAITERS} workers wait",
        leak_a_lock,
    ),
    Scenario(
        b"orders",
        f"requests try for {REQUEST_TIMEOUT_S:g} s, give up, leave sessions open",
        leak_sessions,
    ),
    Scenario(b"invoices", "a healthy worker locks, works, unlocks, over and over", work_in_turns),
    Scenario(b"backup", "its holder has crashed: the lease runs out", crash),
    Scenario(b"leader", "an election: node-a leads, node-b stands by", elect),
    Scenario(b"migration", "a key without a lease: a script's lock, or data", write_without_lease),
)


@contextlib.contextmanager
def running(
    address: str, prefix: bytes = PREFIX, scenarios: Sequence[Scenario] = SCENARIOS
) -> Iterator[None]:
    """
    Run scenarios, each with its own client; their keys stay in etcd.

    Args:
        address: Host and port of etcd.
    """
    with contextlib.ExitStack() as clients:
        for scenario in scenarios:
            client = clients.enter_context(contextlib.closing(LockClient(address)))
            scenario.start(client, prefix + scenario.lock)
        yield


def _do_one_job(client: LockClient, mutex: Mutex) -> None:
    if mutex.lock():
        client.pause(JOB_S)
        mutex.unlock()


def _send_requests(client: LockClient, name: bytes) -> None:
    while client.pause(REQUEST_INTERVAL_S):
        client.run(partial(_handle_request, client, name))


def _handle_request(client: LockClient, name: bytes) -> None:
    session = client.session(TTL_S)
    mutex = Mutex(session, name)
    if not mutex.lock(REQUEST_TIMEOUT_S):
        return  # the bug of this scenario: it does not close the session here
    mutex.unlock()
    session.close()


def _work(client: LockClient, mutex: Mutex) -> None:
    while mutex.lock() and client.pause(JOB_S):
        mutex.unlock()
        client.pause(BREAK_S)
