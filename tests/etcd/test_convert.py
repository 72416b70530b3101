"""etcd's messages as our values."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lockdoctor.domain.model.leases import LeaseId, LeaseNotFound, LeaseReading, Reading
from lockdoctor.etcd.convert import EVERYTHING, range_of, reading
from lockdoctor.etcd.protos import rpc


@given(prefix=st.binary(min_size=1, max_size=8), key=st.binary(max_size=12))
def test_a_range_holds_exactly_the_keys_of_its_prefix(prefix: bytes, key: bytes) -> None:
    """Whatever the bytes."""
    start, end = range_of(prefix)

    inside = start <= key and (key < end or end == EVERYTHING)

    assert inside == key.startswith(prefix)


def test_the_range_of_everything() -> None:
    """From the smallest key there is, without an end."""
    assert range_of(b"") == (b"\x00", b"\x00")


def answered(remaining_ttl_s: int, granted_ttl_s: int) -> Reading:
    answer = rpc.LeaseTimeToLiveResponse(TTL=remaining_ttl_s, grantedTTL=granted_ttl_s)
    return reading(answer, LeaseId(7), 1.0, 2.0, with_keys=True)


def test_only_minus_one_of_nothing_is_gone() -> None:
    """A lease that etcd is late in expiring has a negative TTL too, and exists."""
    assert isinstance(answered(-1, 0), LeaseNotFound)
    overdue = answered(-1, 8)
    assert isinstance(overdue, LeaseReading)
    assert overdue.remaining_ttl_s == -1
    assert isinstance(answered(0, 8), LeaseReading)
