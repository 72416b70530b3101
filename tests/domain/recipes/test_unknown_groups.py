"""Keys of unknown kind: one line a group, never a lock."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lockdoctor.domain.model.leases import NO_LEASE, LeaseId
from lockdoctor.domain.recipes.grouping import locks
from lockdoctor.domain.recipes.unknown_groups import UnknownGroup, unknown_groups
from tests.factories.reports import a_key


def test_a_lease_with_many_keys_is_one_group() -> None:
    """20,000 keys on one lease are one line, not 20,000 locks."""
    keys = [a_key(b"/broker/ns/%05d" % n, lease_id=7, value=b"x") for n in range(20_000)]

    assert unknown_groups(locks(keys, b"/")) == (
        UnknownGroup(
            lease_id=LeaseId(7),
            folder=b"/broker/ns/",
            keys=20_000,
            leases=1,
            samples=(b"/broker/ns/00000", b"/broker/ns/00001", b"/broker/ns/00002"),
        ),
    )


def test_single_keys_are_grouped_by_their_folder() -> None:
    """Those with a lease and those without are apart; locks are left out."""
    keys = [
        a_key(b"/workers/w1", lease_id=1),
        a_key(b"/workers/w2", lease_id=2),
        a_key(b"/workers/conf", lease_id=NO_LEASE, value=b"x"),
        a_key(b"/other", lease_id=3),
        a_key(lock=b"/my-lock/x", lease_id=4),
    ]
    groups = unknown_groups(locks(keys, b"/"))

    assert [(group.folder, group.keys, group.leases) for group in groups] == [
        (b"/workers/", 2, 2),
        (b"/", 1, 1),
        (b"/workers/", 1, 0),
    ]
    assert [group.lease_id for group in groups] == [NO_LEASE, LeaseId(3), NO_LEASE]


@given(
    st.lists(
        st.tuples(st.binary(min_size=1, max_size=8), st.integers(0, 4)),
        unique_by=lambda pair: pair[0],
    )
)
def test_each_key_is_in_one_group(pairs: list[tuple[bytes, int]]) -> None:
    """And every key of a group is in its folder."""
    keys = [a_key(name, lease_id=lease, value=b"x y") for name, lease in pairs]
    found = locks(keys, b"")
    groups = unknown_groups(found)
    unknown = [lock for lock in found if not lock.known_kind.basis.is_certain]

    assert sum(group.keys for group in groups) == sum(len(lock.contenders) for lock in unknown)
    for group in groups:
        assert all(sample.startswith(group.folder) for sample in group.samples)
