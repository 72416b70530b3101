"""From keys to locks: who holds, who waits, under every recipe."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockdoctor.domain.model.leases import NO_LEASE, LeaseId
from lockdoctor.domain.model.locks import Basis, Kind, KnownKind, Lock, LockKey, Recipe
from lockdoctor.domain.policy.policy import Policy, Rule
from lockdoctor.domain.recipes.grouping import claim, is_plain, locks, queue_of, recipe_of
from tests.factories.reports import HOLDER, a_key

PYTHON_VALUE = uuid.uuid1().bytes


def only(keys: list[LockKey], prefix: bytes = b"/") -> Lock:
    (lock,) = locks(keys, prefix)
    return lock


def test_the_oldest_contender_holds_a_mutex() -> None:
    """Go's mutex is held by the lowest create revision; the rest wait in that order."""
    keys = [
        a_key(lock=b"/l/q", lease_id=lease, create_revision=rev)
        for lease, rev in ((9, 30), (7, 10), (8, 20))
    ]
    lock = only(keys)

    assert lock.recipe is Recipe.GO_MUTEX
    assert lock.name == b"/l/q"
    assert [key.lease_id for key in lock.keys] == [7, 8, 9]
    assert lock.queue_is_whole


def test_candidates_make_it_an_election() -> None:
    """The same keys with values are an election, which is held long by design."""
    lock = only(
        [
            a_key(lock=b"/e", lease_id=7, value=b"node-1"),
            a_key(lock=b"/e", lease_id=8, value=b"node-2"),
        ]
    )

    assert (lock.recipe, lock.kind) == (Recipe.GO_ELECTION, Kind.ELECTION)


def test_a_name_ending_in_a_slash_keeps_it() -> None:
    """NewMutex("/my-lock/") writes /my-lock//<lease>: the name keeps its slash."""
    lock = only([a_key(lock=b"/my-lock/", lease_id=7)], b"/my-lock/")

    assert lock.name == b"/my-lock/"
    assert lock.queue_is_whole


def test_an_older_key_below_the_name_holds_the_queue() -> None:
    """Go's mutex waits for every older key below its name, those of a nested lock included."""
    nested = a_key(lock=b"/a/b", lease_id=5, create_revision=3)
    outer = a_key(lock=b"/a", lease_id=6, create_revision=9)
    first, second = locks([nested, outer], b"/a")

    assert first.name == b"/a"
    assert first.holder == nested
    assert first.foreign_holder
    assert first.waiters == (outer,)
    assert second.holder == nested
    assert not second.foreign_holder


def test_a_younger_key_below_the_name_does_not_matter() -> None:
    """A nested lock that came later blocks nobody."""
    outer = a_key(lock=b"/a", lease_id=6, create_revision=1)
    nested = a_key(lock=b"/a/b", lease_id=5, create_revision=9)
    first, _ = locks([outer, nested], b"/a")

    assert first.holder == outer
    assert not first.waiters


def test_names_that_begin_alike_are_two_locks() -> None:
    """/l/order and /l/orders have nothing to do with each other."""
    keys = [a_key(lock=b"/l/order", lease_id=7), a_key(lock=b"/l/orders", lease_id=8)]

    assert [lock.name for lock in locks(keys, b"/l/")] == [b"/l/order", b"/l/orders"]


def test_one_lease_may_hold_many_locks() -> None:
    """A session that holds two locks appears as the holder of both."""
    found = locks([a_key(lock=b"/l/a", lease_id=7), a_key(lock=b"/l/b", lease_id=7)], b"/l/")

    assert [lock.holder.lease_id for lock in found if lock.holder] == [7, 7]


def test_a_prefix_inside_a_queue_names_no_holder_for_sure() -> None:
    """A scan that may miss older contenders says so."""
    assert not only([a_key(lock=b"/l/q", lease_id=7)], b"/l/q/0").queue_is_whole
    assert not only([a_key(lock=b"/l/q", lease_id=7)], b"/l/q/7").queue_is_whole
    assert only([a_key(lock=b"/l/q", lease_id=7)], b"/l/q/").queue_is_whole
    assert only([a_key(lock=b"/l/q", lease_id=7)], b"/l/q").queue_is_whole


def test_a_contender_without_its_lease_stays_in_the_queue() -> None:
    """A key whose name ends like a lease ID, and which has no lease, is still a contender."""
    bare = a_key(b"/l/q/694d7aef9c2b3a01", lease_id=NO_LEASE, create_revision=1)
    waiting = a_key(lock=b"/l/q", lease_id=8, create_revision=2)
    lock = only([bare, waiting])

    assert lock.recipe is Recipe.GO_MUTEX
    assert lock.holder == bare
    assert lock.waiters == (waiting,)


def test_a_negative_lease_id_is_written_as_go_writes_it() -> None:
    """Go prints a negative lease ID with its sign."""
    assert claim(a_key(b"/l/q/-7", lease_id=LeaseId(-7))).recipe is Recipe.GO_MUTEX


def test_python_etcd3_is_known_by_its_value() -> None:
    """
    Sixteen bytes of a uuid1 on a lease are python-etcd3's.

    Without a lease they may be a record, except where python-etcd3 writes its locks.
    """
    lock = only([a_key(b"/locks/x", value=PYTHON_VALUE)])

    assert (lock.recipe, lock.kind, lock.name) == (Recipe.PYTHON_ETCD3, Kind.LOCK, b"/locks/x")
    bare = only([a_key(b"/locks/x", value=PYTHON_VALUE, lease_id=NO_LEASE)])
    record = only([a_key(b"/ids/x", value=PYTHON_VALUE, lease_id=NO_LEASE)])
    assert (bare.recipe, bare.kind) == (Recipe.PYTHON_ETCD3, Kind.LOCK)
    assert (record.recipe, record.kind) == (Recipe.UNLEASED_KEY, Kind.UNKNOWN)


@pytest.mark.parametrize(
    "value",
    [str(uuid.uuid1()).encode(), uuid.uuid4().bytes, b""],
    ids=["etcd3gw", "tooz", "node"],
)
def test_the_kind_of_single_keys_is_a_guess(value: bytes) -> None:
    """
    etcd3gw writes a uuid's text, tooz its bytes, node's etcd3 nothing; so do services.

    Only the policy makes a lock of such a key, and it is remembered that it was stated.
    """
    key = a_key(b"/locks/x", value=value)
    (guessed,) = locks([key], b"/")
    (stated,) = locks([key], b"/", Policy(rules=(Rule(b"", {"kind": Kind.LOCK}),)))

    assert (guessed.recipe, guessed.kind, guessed.kind_is_stated) == (
        Recipe.SINGLE_KEY,
        Kind.UNKNOWN,
        False,
    )
    assert (stated.kind, stated.kind_is_stated) == (Kind.LOCK, True)


def rw_key(kind: str, number: int, *, written: int | None = None) -> LockKey:
    """A reader's or writer's key of the read-write lock /rw, in the order of the numbers."""
    key = a_key(
        b"/rw/%s/%d" % (kind.encode(), 1_763_942_400_000_000_000 + number),
        lease_id=number,
        create_revision=number,
    )
    return replace(key, mod_revision=written or number)


def test_readers_before_the_first_writer_hold_a_read_write_lock_together() -> None:
    """Go's RWMutex lets many readers in; a writer waits for all, later readers for the writer."""
    keys = [rw_key("read", 1), rw_key("read", 2), rw_key("write", 3), rw_key("read", 4)]
    lock = only(keys)

    assert (lock.recipe, lock.kind, lock.name) == (Recipe.RW_MUTEX, Kind.LOCK, b"/rw")
    assert (lock.holder, lock.sharers, lock.waiters) == (keys[0], (keys[1],), tuple(keys[2:]))


def test_a_writer_holds_a_read_write_lock_alone() -> None:
    """Nobody shares it with a writer, and the last write counts, not the creation."""
    writer, reader = rw_key("write", 9, written=10), rw_key("read", 1, written=11)
    lock = only([reader, writer])

    assert (lock.holder, lock.sharers, lock.waiters) == (writer, (), (reader,))


def test_a_read_write_lock_tells_when_its_attempt_began() -> None:
    """The key's last part is the client's time in nanoseconds."""
    lock = only([rw_key("read", 0)])

    assert lock.holder is not None
    assert recipe_of(lock).written_at(lock.holder) == 1_763_942_400.0


def test_keys_of_a_double_barrier_are_no_locks() -> None:
    """Go's DoubleBarrier has many empty keys at once; none is called a lock of its own."""
    key = a_key(b"/barrier/waiters/1763942400000000000", value=b"")

    assert claim(key).recipe is Recipe.LEASED_KEY


def decimal_key(place: bytes, lease: int, value: bytes = b"{}", **fields: Any) -> LockKey:
    """A key that ends in its lease, in decimal."""
    return a_key(b"%s/%d" % (place, lease), lease_id=lease, value=value, **fields)


def test_vitess_locks_are_ordered_by_their_last_write() -> None:
    """A folder of keys that end in their lease, in decimal; who wrote first holds."""
    late = decimal_key(b"/vt/keyspaces/main/locks", 70, create_revision=1, version=10)
    early = decimal_key(b"/vt/keyspaces/main/locks", 80, create_revision=5)
    lock = only([late, early])

    assert (lock.recipe, lock.kind) == (Recipe.VITESS, Kind.LOCK)
    assert lock.name == b"/vt/keyspaces/main"
    assert (lock.holder, lock.waiters) == (early, (late,))


def test_a_prefix_inside_a_vitess_folder_cuts_the_queue() -> None:
    """The whole queue is in view only from the folder's name on."""
    key = decimal_key(b"/vt/locks", 77)

    assert only([key], b"/vt/locks/").queue_is_whole
    assert not only([key], b"/vt/locks/7").queue_is_whole


def test_elections_of_vitess_and_node_are_held_by_design() -> None:
    """Both write the lease in decimal, below a folder that tells an election."""
    vitess = only([decimal_key(b"/vt/elections/vtctld/locks", 70)])
    node = only([decimal_key(b"app:election/cron", lease, b"me") for lease in (70, 80)], b"app:")

    assert (vitess.recipe, vitess.kind) == (Recipe.VITESS_ELECTION, Kind.ELECTION)
    assert vitess.name == b"/vt/elections/vtctld"
    assert (node.recipe, node.kind) == (Recipe.NODE_ELECTION, Kind.ELECTION)
    assert (node.name, len(node.waiters)) == (b"app:election/cron", 1)


def test_another_number_than_the_own_lease_is_no_vitess_lock() -> None:
    """Only the key's own lease makes it one: any other number is somebody's data."""
    assert claim(a_key(b"/vt/locks/7", lease_id=8, value=b"{}")).recipe is Recipe.LEASED_KEY
    assert only([a_key(b"/vt/locks/7", lease_id=NO_LEASE)]).kind is Kind.UNKNOWN


NO_OWN_LEASE = {
    "mutex": (b"/l/q/694d7aef9c2b3a01", b""),
    "election": (b"/l/q/694d7aef9c2b3a01", b"node-1"),
    "rw-mutex": (b"/l/q/read/1763942400000000000", b""),
    "vitess": (b"/l/q/locks/123", b"{}"),
    "vitess-election": (b"/l/elections/q/locks/123", b"{}"),
    "node-election": (b"/l/election/q/123", b"node-1"),
}


@pytest.mark.parametrize(("name", "value"), NO_OWN_LEASE.values(), ids=NO_OWN_LEASE.keys())
def test_a_key_without_a_lease_is_a_locks_only_beside_one_that_proves_the_layout(
    name: bytes, value: bytes
) -> None:
    """Digits at the end may be anybody's; in a queue of keys on leases they hold it up."""
    bare = a_key(name, lease_id=NO_LEASE, value=value, create_revision=1)
    place = name.rpartition(b"/")[0]
    is_decimal = b"read" not in name and not name.endswith(b"3a01")
    own = place + (b"/%d" % HOLDER if is_decimal else b"/%x" % HOLDER)
    if b"read" in name:
        own = b"/l/q/write/1763942400000000001"
    alone = only([bare])
    queue = only([bare, a_key(own, value=value, create_revision=9)])

    assert alone.kind is Kind.UNKNOWN
    assert is_plain(alone)
    assert queue.kind in {Kind.LOCK, Kind.ELECTION}
    assert (queue.holder, len(queue.waiters)) == (bare, 1)


def test_what_blocks_a_mutex_from_outside_keeps_its_own_kind() -> None:
    """Go's Mutex waits for a registration below its name, too: that makes no lock of it."""
    waiting = a_key(lock=b"/svc", lease_id=9, create_revision=9)
    kinds = {
        a_key(b"/svc/x", lease_id=5, value=b"", create_revision=1): Kind.UNKNOWN,
        a_key(b"/svc/70", lease_id=70, value=b"10.0.0.7:80", create_revision=1): Kind.REGISTRATION,
        a_key(b"/svc/x", lease_id=NO_LEASE, value=b"x", create_revision=1): Kind.UNKNOWN,
        a_key(lock=b"/svc/x", lease_id=5, create_revision=1): Kind.LOCK,
    }
    for older, kind in kinds.items():
        lock = next(each for each in locks([older, waiting], b"/") if each.name == b"/svc")

        assert (lock.foreign_holder, lock.foreign_kind) == (True, kind)
        found = (lock.kind_of(older).kind, lock.kind_of(waiting).kind)
        assert found == (kind, Kind.LOCK)


PATRONI_MEMBER = b'{"conn_url": "postgres://a:5432/postgres", "api_url": "http://a:8008/patroni"}'
PATRONI_CONFIG = b'{"ttl": 30, "loop_wait": 10, "retry_timeout": 10}'


def a_patroni(*, leader_lease: int = 7) -> dict[bytes, LockKey]:
    """The keys of one Patroni cluster, by their names."""
    said = {
        b"leader": (b"node-a", leader_lease),
        b"members/node-a": (PATRONI_MEMBER, 7),
        b"members/node-b": (PATRONI_MEMBER, 8),
        b"config": (PATRONI_CONFIG, NO_LEASE),
        b"initialize": (b"7301234567890123456", NO_LEASE),
        b"history": (b"[]", NO_LEASE),
        b"status": (b'{"optime": 1}', NO_LEASE),
        b"sync": (b'{"leader": "node-a"}', NO_LEASE),
        b"optime/leader": (b"1", NO_LEASE),
    }
    return {
        name: a_key(b"/service/pg/" + name, lease_id=lease, value=value)
        for name, (value, lease) in said.items()
    }


@pytest.mark.parametrize("lease", [7, NO_LEASE], ids=["leased", "without a lease"])
def test_patronis_keys_are_known_beside_each_other(lease: int) -> None:
    """The leader is an election with or without its lease; its data stay data."""
    found = {lock.name: lock for lock in locks(list(a_patroni(leader_lease=lease).values()), b"/")}
    kinds = {name.removeprefix(b"/service/pg/"): lock.known_kind for name, lock in found.items()}

    election = KnownKind(Kind.ELECTION, Basis.LAYOUT)
    assert kinds.pop(b"leader") == election
    assert found[b"/service/pg/leader"].recipe is Recipe.PATRONI
    members = {kinds.pop(b"members/node-a"), kinds.pop(b"members/node-b")}
    assert members == {KnownKind(Kind.REGISTRATION, Basis.LAYOUT)}
    assert set(kinds.values()) == {KnownKind(Kind.DATA, Basis.LAYOUT)}


def test_patronis_leader_is_known_by_the_configuration_alone() -> None:
    """All members may be gone: the leader key without a lease is stuck all the same."""
    keys = a_patroni(leader_lease=NO_LEASE)
    left = [keys[b"leader"], keys[b"config"]]
    leader = next(lock for lock in locks(left, b"/") if lock.name.endswith(b"leader"))

    assert (leader.recipe, leader.kind) == (Recipe.PATRONI, Kind.ELECTION)


@pytest.mark.parametrize("lease", [7, NO_LEASE], ids=["leased", "without a lease"])
def test_the_queue_of_patronis_leader_is_that_of_its_key(lease: int) -> None:
    """`show /service/pg/leader` finds the lock by its key, which shows nothing of Patroni."""
    keys = a_patroni(leader_lease=lease)
    leader = next(
        lock for lock in locks(list(keys.values()), b"/") if lock.recipe is Recipe.PATRONI
    )

    assert queue_of(leader) == claim(keys[b"leader"])


def test_a_leader_key_alone_is_not_patronis() -> None:
    """A member of another cluster, or a value that no Patroni writes, proves nothing."""
    keys = a_patroni(leader_lease=NO_LEASE)
    leader, member = keys[b"leader"], keys[b"members/node-b"]
    for beside in (
        [],
        [replace(member, key=b"/service/b/members/node-b")],
        [replace(member, value=b"x", value_size=1)],
    ):
        lock = next(
            each for each in locks([leader, *beside], b"/") if each.name.endswith(b"leader")
        )

        assert lock.known_kind == KnownKind(Kind.UNKNOWN, Basis.UNKNOWN)


def test_other_keys_are_reported_as_what_they_are() -> None:
    """A key in no lock's shape is never dropped."""
    assert claim(a_key(b"/x", value=b"10.0.0.7:8080")).recipe is Recipe.LEASED_KEY
    assert claim(a_key(b"/x", value=b"x", lease_id=NO_LEASE)).recipe is Recipe.UNLEASED_KEY
    assert only([a_key(b"/x", value=b"10.0.0.7:8080")]).kind is Kind.UNKNOWN


def test_the_policy_says_what_a_lock_is_for() -> None:
    """The policy's word beats the shape's."""
    (lock,) = locks(
        [a_key(lock=b"/l/q", lease_id=7)],
        b"/l/",
        Policy(rules=(Rule(b"/l/", {"kind": Kind.ELECTION}),)),
    )

    assert lock.kind is Kind.ELECTION


@given(
    keys=st.lists(
        st.builds(
            lambda name, lease, value, own: a_key(
                key=name + (b"/%x" % lease if own else b""), lease_id=LeaseId(lease), value=value
            ),
            st.binary(min_size=1, max_size=12) | st.sampled_from([b"/a", b"/a/b", b"a//", b"/"]),
            st.integers(0, 2**63 - 1),
            st.sampled_from([b"", b"x", PYTHON_VALUE]),
            st.booleans(),
        ),
        unique_by=lambda key: key.key,
    )
)
def test_every_key_stands_in_exactly_one_queue(keys: list[LockKey]) -> None:
    """Whatever the keys: each is holder or waiter of one lock, foreign holders aside."""
    found = locks(keys, b"")
    standing = [
        key for lock in found for key in (lock.waiters if lock.foreign_holder else lock.keys)
    ]

    assert sorted(key.key for key in standing) == sorted(key.key for key in keys)
    for lock in found:
        ages = [recipe_of(lock).order(key) for key in lock.keys]
        assert ages == sorted(ages)
