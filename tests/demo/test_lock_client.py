"""The demo's lock users against a real etcd."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from lockdoctor.demo.etcd_server import EtcdServer
from lockdoctor.demo.lock_client import LockClient, Mutex, Session
from tests.lock_clients import eventually

pytestmark = pytest.mark.etcd


@pytest.fixture
def client(etcd: EtcdServer) -> Iterator[LockClient]:
    """A client that has ended when the test has."""
    with closing(LockClient(etcd.address)) as made:
        yield made


def remaining_s(client: LockClient, session: Session) -> int:
    """Ask etcd for the remaining TTL of a session's lease; -1 where it is gone."""
    return int(client.etcd.get_lease_info(session.lease_id).TTL)


def test_an_open_session_outlives_its_ttl(client: LockClient) -> None:
    """A session is renewed until it is closed: much later than its TTL, its lease is there."""
    session = client.session(2)
    renewed = []

    def has_been_renewed_often() -> bool:
        renewed.append(session.renew_at)
        return len(set(renewed)) > 4

    eventually(has_been_renewed_often, within_s=20)

    assert remaining_s(client, session) >= 0


def test_closing_a_session_ends_its_lease_at_once(client: LockClient) -> None:
    """A closed session leaves no lease behind."""
    session = client.session(60)

    session.close()

    assert remaining_s(client, session) == -1


def test_an_orphaned_session_runs_out(client: LockClient) -> None:
    """A session that nobody renews any more ends by itself."""
    session = client.session(2)

    session.orphan()

    eventually(lambda: remaining_s(client, session) == -1, within_s=20)


def test_a_revoked_session_is_noticed(client: LockClient) -> None:
    """A client stops to renew a lease that somebody else has revoked."""
    session = client.session(2)

    client.etcd.revoke_lease(session.lease_id)

    eventually(lambda: session not in client.sessions, within_s=20)


def test_a_mutex_is_laid_out_as_gos(client: LockClient, prefix: bytes) -> None:
    """The key is the name, a slash and the unpadded lease ID; it is empty and on the lease."""
    session = client.session(60)
    mutex = Mutex(session, prefix + b"lock")

    mutex.queue_up()

    value, key = client.etcd.get(prefix + b"lock/%x" % session.lease_id)
    assert (value, key.lease_id) == (b"", session.lease_id)


def test_a_candidate_is_the_value_of_its_key(client: LockClient, prefix: bytes) -> None:
    """An election's keys carry who stands for it."""
    mutex = Mutex(client.session(60), prefix + b"leader", b"node-a")

    mutex.queue_up()

    assert client.etcd.get(mutex.key)[0] == b"node-a"


def test_the_oldest_key_holds_whatever_the_lease(client: LockClient, prefix: bytes) -> None:
    """Who came first has the lock, also where its lease is the younger one."""
    older_lease, younger_lease = client.session(60), client.session(60)
    first = Mutex(younger_lease, prefix + b"lock")
    second = Mutex(older_lease, prefix + b"lock")

    first.queue_up()
    second.queue_up()

    assert (first.is_held(), second.is_held()) == (True, False)


def test_queueing_up_twice_keeps_the_place(client: LockClient, prefix: bytes) -> None:
    """A second write by the same session leaves the key as it was."""
    mutex = Mutex(client.session(60), prefix + b"lock")
    mutex.queue_up()
    before = client.etcd.get(mutex.key)[1].mod_revision

    mutex.queue_up()

    assert client.etcd.get(mutex.key)[1].mod_revision == before


def test_a_lock_that_times_out_leaves_the_queue(client: LockClient, prefix: bytes) -> None:
    """Who gives up deletes the key and keeps the session."""
    Mutex(client.session(60), prefix + b"lock").lock()
    session = client.session(60)
    late = Mutex(session, prefix + b"lock")

    assert not late.lock(timeout_s=0.3)
    assert client.etcd.get(late.key)[0] is None
    assert remaining_s(client, session) > 0


def test_an_unlock_lets_the_next_one_in(client: LockClient, prefix: bytes) -> None:
    """A waiter gets the lock when its holder unlocks."""
    first = Mutex(client.session(60), prefix + b"lock")
    second = Mutex(client.session(60), prefix + b"lock")
    first.lock()
    has_locked = threading.Event()
    second.queue_up()
    client.run(lambda: has_locked.set() if second.lock() else None)

    first.unlock()

    assert has_locked.wait(20)


def test_closing_a_client_ends_its_waiters(etcd: EtcdServer, prefix: bytes) -> None:
    """A client with somebody waiting for a lock can be closed; it does not wait along."""
    client = LockClient(etcd.address)
    Mutex(client.session(60), prefix + b"lock").lock()
    waiter = Mutex(client.session(60), prefix + b"lock")
    has_ended = threading.Event()
    client.run(lambda: has_ended.set() if not waiter.lock() else None)

    client.close()

    assert has_ended.wait(20)
