"""What the demo plays: locks and sessions that leak, and some that only look as if they did."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from lockdoctor.demo.lock_client import LockClient, Mutex

PREFIX = b"/my-lock/"

TTL_S = 12
"""Short, so that two renewals are seen in some 12 s; Go's sessions ask for 60 unless told."""

WAITERS = 3
REQUEST_INTERVAL_S = 0.7
REQUEST_TIMEOUT_S = 2.5
JOB_S = 0.8
BREAK_S = 0.2

Begin: TypeAlias = Callable[[LockClient, bytes], None]
"""Sets a scenario going: a client of its own, and the name of the lock."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Something that happens to one lock, and the sentence that says so."""

    lock: bytes
    """Its name below the prefix."""
    story: str
    begin: Begin


def leak_a_lock(client: LockClient, name: bytes) -> None:
    """Hold the lock for ever, with workers in the queue who would do their job and leave."""
    Mutex(client.session(TTL_S), name).queue_up()
    for _ in range(WAITERS):
        waiter = Mutex(client.session(TTL_S), name)
        waiter.queue_up()
        client.run(partial(_do_one_job, client, waiter))


def leak_sessions(client: LockClient, name: bytes) -> None:
    """Let requests come all the time; the session of each that gives up is left open."""
    client.run(partial(_let_requests_come, client, name))


def work_in_turns(client: LockClient, name: bytes) -> None:
    """Lock, work and unlock again and again in one long session."""
    client.run(partial(_work, client, Mutex(client.session(TTL_S), name)))


def crash(client: LockClient, name: bytes) -> None:
    """Take the lock and die: what is left is a key on a lease that nobody renews."""
    session = client.session(TTL_S)
    Mutex(session, name).queue_up()
    session.orphan()


def elect(client: LockClient, name: bytes) -> None:
    """Lead, with another candidate standing by, each in a session of its own."""
    for candidate in (b"node-a", b"node-b"):
        Mutex(client.session(TTL_S), name, candidate).queue_up()


def write_without_lease(client: LockClient, name: bytes) -> None:
    """Take a home-made lock that nothing but its owner will ever delete: it looks like data."""
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
    Play scenarios, each by a client of its own; what they leave in etcd is left there.

    Args:
        address: Host and port of etcd.
    """
    with contextlib.ExitStack() as clients:
        for scenario in scenarios:
            client = clients.enter_context(contextlib.closing(LockClient(address)))
            scenario.begin(client, prefix + scenario.lock)
        yield


def _do_one_job(client: LockClient, mutex: Mutex) -> None:
    if mutex.lock():
        client.pause(JOB_S)
        mutex.unlock()


def _let_requests_come(client: LockClient, name: bytes) -> None:
    while client.pause(REQUEST_INTERVAL_S):
        client.run(partial(_handle_request, client, name))


def _handle_request(client: LockClient, name: bytes) -> None:
    session = client.session(TTL_S)
    mutex = Mutex(session, name)
    if not mutex.lock(REQUEST_TIMEOUT_S):
        return  # the mistake: the session should be closed on this path, too
    mutex.unlock()
    session.close()


def _work(client: LockClient, mutex: Mutex) -> None:
    while mutex.lock() and client.pause(JOB_S):
        mutex.unlock()
        client.pause(BREAK_S)
