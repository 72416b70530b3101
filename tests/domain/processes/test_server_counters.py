"""etcd's own counters at both ends of the window, compared."""

from __future__ import annotations

from typing import Any

import pytest

from lockdoctor.domain.processes.server_counters import COUNTERS, compare
from lockdoctor.domain.report.processes import CounterChanges, MemberCounters


def counters(read_at: float, **fields: Any) -> MemberCounters:
    """A leader's page."""
    return MemberCounters(
        **{
            "member": "a",
            "read_at": read_at,
            "started_at": 1_000.5,
            "is_leader": True,
            "granted": 100,
            "revoked": 40,
            "expired": 10,
            "renewed": 5_000,
            "leader_changes": 1,
            "keepalive_streams": 2,
            **fields,
        }
    )


def view(before: dict[str, Any], after: dict[str, Any]) -> CounterChanges:
    found = compare([counters(10.0, **before)], [counters(55.0, **after)])
    assert found is not None
    return found


def test_what_was_counted_meanwhile() -> None:
    """The counters' rises, and the streams at the end."""
    found = view({}, {"granted": 112, "revoked": 45, "expired": 12, "renewed": 5_600})

    assert (found.watched_s, found.granted, found.revoked) == (45.0, 12, 5)
    assert (found.expired, found.renewed) == (2, 600)
    assert (found.leader_changes, found.keepalive_streams) == (0, 2)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"is_leader": False}),
        ({"is_leader": False}, {}),
        ({"is_leader": None}, {}),
        ({}, {"leader_changes": 2}),
    ],
)
def test_only_the_leader_of_the_whole_time_counts_renewals(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    """What only a leader counts is not known of one that was not the leader all the time."""
    found = view(before, after)

    assert (found.granted, found.expired, found.renewed) == (0, None, None)


@pytest.mark.parametrize(
    "after", [{"started_at": 2_000.0}, {"started_at": None}, {"granted": 99}, {"renewed": 0}]
)
def test_restart_is_said_and_never_negative(after: dict[str, Any]) -> None:
    """A member that began to count anew meanwhile tells nothing of the time, and is named."""
    (member,) = view({}, after).members

    assert member.was_restarted
    assert [getattr(member, name) for name in COUNTERS] == [None] * len(COUNTERS)
    assert view({}, after).granted is None


def test_members_count_the_same_leases() -> None:
    """Of several members the one that has counted most is right; streams add up."""
    before = [counters(10.0), counters(10.2, member="b", is_leader=False, granted=98)]
    after = [counters(55.0, granted=112), counters(55.0, member="b", is_leader=False, granted=109)]
    found = compare(before, after)

    assert found is not None
    assert (found.granted, found.renewed, found.keepalive_streams) == (12, 0, 4)


def test_a_member_that_lacks_counters() -> None:
    """An etcd without these counters tells what it has."""
    lacking = dict.fromkeys([*COUNTERS, "keepalive_streams"])
    found = view(lacking, lacking)

    assert (found.granted, found.keepalive_streams, found.leader_changes) == (None, None, None)


def test_members_that_did_not_answer_twice() -> None:
    """Only who answered both times can be compared."""
    assert compare([], [counters(55.0)]) is None
    assert compare([counters(10.0)], [counters(55.0, member="b")]) is None
