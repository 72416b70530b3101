"""From keys to locks: who holds, who waits, under every recipe."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from lockdoctor.domain.leases import NO_LEASE, LeaseId
from lockdoctor.domain.locks import Kind, Lock, LockKey, Recipe
from lockdoctor.domain.recipes import claim, locks
from tests.builders import a_key

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
    """Sixteen bytes of a uuid1 are python-etcd3's, with a lease or without."""
    lock = only([a_key(b"/locks/x", value=PYTHON_VALUE)])

    assert (lock.recipe, lock.kind, lock.name) == (Recipe.PYTHON_ETCD3, Kind.LOCK, b"/locks/x")
    assert claim(a_key(b"/x", value=PYTHON_VALUE, lease_id=NO_LEASE)).recipe is Recipe.PYTHON_ETCD3


def test_single_key_locks_are_known_by_their_values() -> None:
    """etcd3gw writes a uuid's text, tooz its bytes, node's etcd3 nothing."""
    for value in (str(uuid.uuid1()).encode(), uuid.uuid4().bytes, b""):
        assert claim(a_key(b"/locks/x", value=value)).recipe is Recipe.SINGLE_KEY


def test_readers_of_a_read_write_lock_are_not_single_key_locks() -> None:
    """Go's RWMutex has many empty keys at once; none is called a lock of its own."""
    key = a_key(b"/rw/read/1763942400000000000", value=b"")

    assert claim(key).recipe is Recipe.LEASED_KEY


def test_other_keys_are_reported_as_what_they_are() -> None:
    """A key in no lock's shape is never dropped."""
    assert claim(a_key(b"/x", value=b"10.0.0.7:8080")).recipe is Recipe.LEASED_KEY
    assert claim(a_key(b"/x", value=b"x", lease_id=NO_LEASE)).recipe is Recipe.UNLEASED_KEY
    assert only([a_key(b"/x", value=b"10.0.0.7:8080")]).kind is Kind.UNKNOWN


def test_the_policy_says_what_a_lock_is_for() -> None:
    """The policy's word beats the shape's."""
    (lock,) = locks([a_key(lock=b"/l/q", lease_id=7)], b"/l/", lambda _: Kind.ELECTION)

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
        revisions = [key.create_revision for key in lock.keys]
        assert revisions == sorted(revisions)
