"""Who a member is, as far as it says: the status, or the header of another answer."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message

from lockdoctor.domain.model.alarms import ClusterAlarm
from lockdoctor.etcd.connection.greeting import Identity, alarms_of
from lockdoctor.etcd.protos import rpc

HEADER = {"cluster_id": 0xC1, "member_id": 7, "raft_term": 3, "revision": 9}


def a_status(*errors: str, learner: bool = False, **fields: object) -> Message:
    """Make a status; errors and learners are newer than etcd3's messages."""
    status: Message = rpc.StatusResponse(header=HEADER, version="3.5.1", raftTerm=4, **fields)
    newer = b"".join(b"\x42" + bytes([len(each)]) + each.encode() for each in errors)
    status.MergeFromString(newer + (b"\x50\x01" if learner else b""))
    return status


def test_a_status_tells_everything() -> None:
    """Its own raft term is newer than the header's."""
    found = Identity(a_status(leader=7))

    assert found.shows_status
    assert (found.cluster_id, found.member_id, found.leader_id) == (0xC1, 7, 7)
    assert (found.raft_term, found.version, found.alarms) == (4, "3.5.1", ())
    assert found.can_serve
    assert found.rank > Identity(a_status(leader=8)).rank


def test_another_answer_tells_what_its_header_does() -> None:
    """Whether it leads is not known, so that a leader of the same term goes first."""
    found = Identity(rpc.LeaseTimeToLiveResponse(header=HEADER | {"raft_term": 4}, TTL=-1))

    assert not found.shows_status
    assert (found.cluster_id, found.member_id, found.leader_id) == (0xC1, 7, None)
    assert (found.raft_term, found.version, found.alarms) == (4, "", None)
    assert found.can_serve
    assert found.rank < Identity(a_status(leader=7)).rank


@pytest.mark.parametrize(
    "status",
    [a_status(leader=0), a_status("etcdserver: no leader"), a_status(leader=8, learner=True)],
)
def test_who_serves_no_reads(status: Message) -> None:
    """A member without a leader, and a learner."""
    assert not Identity(status).can_serve


@pytest.mark.parametrize(
    ("errors", "alarms"),
    [
        (["memberID:18 alarm:NOSPACE "], [ClusterAlarm("NOSPACE", 18)]),
        (["memberID:18  alarm:NOSPACE"], [ClusterAlarm("NOSPACE", 18)]),  # as 3.7 prints it
        (["alarm:CORRUPT "], [ClusterAlarm("CORRUPT", 0)]),
        (
            ["memberID:2 alarm:NOSPACE ", "etcdserver: no leader", "memberID:1 alarm:CORRUPT "],
            [ClusterAlarm("CORRUPT", 1), ClusterAlarm("NOSPACE", 2)],
        ),
        (["memberID:3 alarm:NEW_ONE "], [ClusterAlarm("NEW_ONE", 3)]),
        (["\x1b[31malarm", "alarm"], []),
    ],
)
def test_alarms_in_a_status(errors: list[str], alarms: list[ClusterAlarm]) -> None:
    """As the text of each release has them, the worst first."""
    assert Identity(a_status(*errors, leader=7)).alarms == tuple(alarms)


def test_alarms_in_their_own_answer() -> None:
    """One that this program does not know has its number for a name."""
    found = rpc.AlarmResponse(alarms=[{"memberID": 1, "alarm": 1}, {"alarm": 2}, {"alarm": 9}])

    assert alarms_of(found) == (
        ClusterAlarm("CORRUPT", 0),
        ClusterAlarm("NOSPACE", 1),
        ClusterAlarm("9", 0),
    )
