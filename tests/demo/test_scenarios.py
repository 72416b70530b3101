"""Each scenario of the demo leaves in a real etcd what it says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import NamedTuple

import pytest

from lockdoctor.demo.etcd_server import EtcdServer
from lockdoctor.demo.lock_client import LockClient
from lockdoctor.demo.scenarios import (
    SCENARIOS,
    WAITERS,
    crash,
    elect,
    leak_a_lock,
    leak_sessions,
    running,
    work_in_turns,
    write_without_lease,
)
from tests.lock_clients import eventually

pytestmark = pytest.mark.etcd


class Key(NamedTuple):
    """A key as etcd has it."""

    key: bytes
    value: bytes
    lease_id: int


@pytest.fixture
def client(etcd: EtcdServer) -> Iterator[LockClient]:
    """A client that has ended when the test has."""
    with closing(LockClient(etcd.address)) as made:
        yield made


def queue(client: LockClient, name: bytes) -> list[Key]:
    """Read the keys below a lock's name, the oldest first."""
    found = client.etcd.get_prefix(name, sort_order="ascend", sort_target="create")
    return [Key(key.key, value, key.lease_id) for value, key in found]


def renewed_leases(client: LockClient) -> set[int]:
    """Name the leases that the client keeps alive."""
    return {session.lease_id for session in list(client.sessions)}


def test_a_leaked_lock_has_a_holder_and_waiters_all_kept_alive(
    client: LockClient, prefix: bytes
) -> None:
    """One key more than there are waiters, each on a lease of its own that is renewed."""
    leak_a_lock(client, prefix + b"orders")

    keys = queue(client, prefix)
    assert len(keys) == WAITERS + 1
    assert {key.key for key in keys} == {prefix + b"orders/%x" % key.lease_id for key in keys}
    assert {key.lease_id for key in keys} == renewed_leases(client)


def test_the_waiters_of_a_leaked_lock_go_on_once_it_is_freed(
    client: LockClient, prefix: bytes
) -> None:
    """Revoking the holder's lease lets every waiter do its job and leave the queue."""
    leak_a_lock(client, prefix + b"orders")

    client.etcd.revoke_lease(queue(client, prefix)[0].lease_id)

    eventually(lambda: not queue(client, prefix), within_s=30)


def test_requests_that_give_up_leave_renewed_sessions_without_keys(
    client: LockClient, prefix: bytes
) -> None:
    """Behind a held lock requests come and go, and their sessions stay."""
    crash(client, prefix + b"orders")
    leak_sessions(client, prefix + b"orders")

    def leaked() -> set[int]:
        return renewed_leases(client) - {key.lease_id for key in queue(client, prefix)}

    eventually(lambda: len(leaked()) >= 2, within_s=30)


def test_requests_that_get_the_lock_leave_nothing(client: LockClient, prefix: bytes) -> None:
    """Where nobody blocks the lock, the mistake does not show: keys and sessions are gone."""
    leak_sessions(client, prefix + b"orders")

    eventually(lambda: renewed_leases(client), within_s=20)
    eventually(lambda: not renewed_leases(client) and not queue(client, prefix), within_s=20)


def test_a_healthy_worker_takes_the_lock_again_and_again(client: LockClient, prefix: bytes) -> None:
    """The same session holds the lock, lets it go, and holds it anew."""
    work_in_turns(client, prefix + b"invoices")
    create_revisions = set()

    def has_held_twice() -> bool:
        for _, key in client.etcd.get_prefix(prefix):
            create_revisions.add(key.create_revision)
        return len(create_revisions) > 1

    eventually(has_held_twice, within_s=30)

    eventually(lambda: not queue(client, prefix), within_s=20)
    assert len(renewed_leases(client)) == 1


def test_a_crash_leaves_a_key_on_a_lease_that_nobody_renews(
    client: LockClient, prefix: bytes
) -> None:
    """The key stands as long as its lease, and nobody keeps that alive."""
    crash(client, prefix + b"backup")

    [key] = queue(client, prefix)
    assert key.lease_id
    assert renewed_leases(client) == set()


def test_an_election_has_a_leader_and_a_candidate(client: LockClient, prefix: bytes) -> None:
    """Two keys of the mutex's layout with the candidates as values, the leader's the older."""
    elect(client, prefix + b"leader")

    assert [key.value for key in queue(client, prefix)] == [b"node-a", b"node-b"]
    assert {key.lease_id for key in queue(client, prefix)} == renewed_leases(client)


def test_a_home_made_lock_has_no_lease(client: LockClient, prefix: bytes) -> None:
    """One key with a value, and nothing that would ever end it."""
    write_without_lease(client, prefix + b"migration")

    assert queue(client, prefix) == [Key(prefix + b"migration", b"deploy-17", 0)]


def test_all_scenarios_play_at_the_same_time(
    etcd: EtcdServer, client: LockClient, prefix: bytes
) -> None:
    """Every lock that a scenario names has a key while they play."""
    names = {prefix + scenario.lock for scenario in SCENARIOS}

    with running(etcd.address, prefix):
        seen: set[bytes] = set()

        def all_seen() -> bool:
            for name in names:
                if queue(client, name):
                    seen.add(name)
            return seen == names

        eventually(all_seen, within_s=20)


def test_no_story_runs_over_a_narrow_terminal() -> None:
    """Each line of the demo's introduction fits into 80 columns."""
    assert max(len(scenario.story) for scenario in SCENARIOS) <= 60
