"""What the ID of a lease tells of its grant, and which IDs tell nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockdoctor.domain.evidence.sessions import SessionsAlike
from lockdoctor.domain.inference.lease_origin import (
    CYCLE_MS,
    FIRST_ETCD_AT,
    LeaseOrigin,
    group_by_origin,
    origin,
)
from lockdoctor.domain.inference.renewals import RenewalTrace
from lockdoctor.domain.model.leases import LeaseId
from tests.factories.reports import NOON, a_trace

MEMBER = 0x8E9E05C52164E94D
"""Its sixteenth bit is set, which a lease's ID never shows."""
BITS = 0x694D


def an_id(started_at: float = NOON, grants: int = 0, bits: int = BITS) -> LeaseId:
    """The ID that a member gives as so many-th, of a process started at a moment."""
    return LeaseId((bits << 48) + (int(started_at * 1000) % CYCLE_MS << 8) + grants)


def test_the_granting_member_is_told_by_its_lowest_bits() -> None:
    """Fifteen of them, and the start of its process."""
    assert origin(an_id(), {MEMBER, 7}, NOON + 60) == LeaseOrigin(BITS, MEMBER, NOON)


@given(
    started_at=st.floats(FIRST_ETCD_AT, NOON),
    grants=st.integers(0, 1 << 24),
    later_s=st.floats(0.0, 3e8),
)
def test_the_time_in_an_id_is_a_lower_bound(started_at: float, grants: int, later_s: float) -> None:
    """A member that gives fewer than 256 IDs a millisecond never writes a time ahead of it."""
    granted_at = started_at + grants / 256_000 + later_s
    found = origin(an_id(started_at, grants), {MEMBER}, granted_at)

    assert found is not None
    assert started_at - 0.001 <= found.not_before_at <= granted_at


@pytest.mark.parametrize(
    "lease_id",
    [1234, -7, 1, 0x1122334455667788, an_id(bits=BITS + 1), an_id(FIRST_ETCD_AT - 1)],
)
def test_an_id_that_no_member_gives_tells_nothing(lease_id: int) -> None:
    """A client's own choice, or the ID of a member that has left: said to be unknown."""
    assert origin(LeaseId(lease_id), {MEMBER}, NOON + 60) is None


def test_a_time_in_the_future_is_none() -> None:
    """Clocks may differ by a day; beyond that the ID was not made of a clock."""
    assert origin(an_id(NOON), {MEMBER}, NOON - 86_399) is not None
    assert origin(an_id(NOON), {MEMBER}, NOON - 86_401) is None


def test_without_a_list_of_members_the_bits_are_told() -> None:
    """So they are where two members share them: which of the two is not known."""
    unknown = LeaseOrigin(BITS, None, NOON)

    assert origin(an_id(), (), NOON) == unknown
    assert origin(an_id(), {MEMBER, MEMBER & 0xFFFF}, NOON) == unknown


def a_session(lease_id: int, granted_ttl_s: int = 60, every_s: float = 20.0) -> RenewalTrace:
    """A lease that was granted three seconds before the first look, and renewed once."""
    second = every_s + 2.0
    left = int(granted_ttl_s - (second - (every_s - 3.0)))
    looks = ((0.0, granted_ttl_s - 4), (second, left))
    return a_trace(*looks, lease_id=lease_id, granted_ttl_s=granted_ttl_s)


def test_sessions_are_grouped_by_member_ttl_and_rhythm() -> None:
    """The largest group first; a client's own IDs stand for themselves."""
    groups = group_by_origin(
        [
            a_session(an_id(grants=1)),
            a_session(an_id(grants=2)),
            a_session(an_id(grants=3), every_s=50.0),
            a_session(an_id(NOON - 60, grants=4), granted_ttl_s=30, every_s=10.0),
            a_session(1234, granted_ttl_s=30, every_s=10.0),
        ],
        {MEMBER},
        NOON + 60,
    )

    assert [(g.sessions, g.member, g.granted_ttl_s) for g in groups] == [
        (2, f"{MEMBER:x}", 60),
        (1, f"{MEMBER:x}", 60),
        (1, f"{MEMBER:x}", 30),
        (1, None, 30),
    ]
    assert groups[0].granted_after_at == NOON
    assert groups[0].every_at_most_s == pytest.approx(20.0, abs=2.0)
    assert groups[1].every_at_most_s == pytest.approx(50.0, abs=2.0)
    assert (groups[3].member_bits, groups[3].granted_after_at) == (None, None)


@given(every_s=st.floats(2.0, 55.0), looked_s=st.floats(0.0, 50.0), then_s=st.floats(0.5, 100.0))
def test_a_period_is_never_told_too_short(every_s: float, looked_s: float, then_s: float) -> None:
    """Whenever one looks at a lease that is renewed in even steps."""

    def left(at: float) -> int:
        return int(60 - at % every_s - 1e-6)

    found = a_trace((looked_s, left(looked_s)), (looked_s + then_s, left(looked_s + then_s)))

    assert found.period_at_most_s is None or found.period_at_most_s >= every_s - 0.01


def test_no_sessions_make_no_groups() -> None:
    """Nothing is told of nothing."""
    nothing: tuple[SessionsAlike, ...] = ()

    assert group_by_origin([], {MEMBER}, NOON) == nothing
