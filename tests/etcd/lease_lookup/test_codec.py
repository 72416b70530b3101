"""Every result of a look-up is what protobuf makes of its bytes."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from lockdoctor.domain.model.leases import LeaseId, Reading
from lockdoctor.etcd.connection.attempt import Attempt
from lockdoctor.etcd.convert import reading
from lockdoctor.etcd.http2.call import DEADLINE_EXCEEDED, OK, UnaryCall
from lockdoctor.etcd.lease_lookup.codec import decode_results, request
from lockdoctor.etcd.protos import rpc

ATTEMPT: Any = None
"""Nothing here is tried again."""

ASKED_AT, AT = 1.0, 2.0


def any_cluster(_message: Any, _attempt: Attempt) -> None:
    """Answers of whatever cluster are welcome."""


IDS = (1, 127, 128, 16_384, 0x694D_0000_0000_0001, 2**63 - 1, -1)
"""Coded in one byte to ten of them."""

headers = st.builds(
    rpc.ResponseHeader, member_id=st.sampled_from([1, 2**62]), raft_term=st.sampled_from([0, 7])
)
usual = st.builds(
    rpc.LeaseTimeToLiveResponse,
    header=st.one_of(st.none(), headers),
    ID=st.sampled_from(IDS),
    TTL=st.sampled_from([-1, 0, 300]),
    grantedTTL=st.sampled_from([0, 600]),
).map(lambda message: message.SerializeToString())
oddities = st.sampled_from(
    [b"", b"\x10\x01", b"\x18\x09", b"\x20\x00", b"\x2a\x01k", b"\x0a\x02\x20\x09", b"\x98\x06\x01"]
)
"""More fields after the others: an ID, TTLs, a key, a header, one that nobody knows."""
odd = st.one_of(st.tuples(usual, oddities).map(b"".join), st.tuples(oddities, usual).map(b"".join))
broken = st.one_of(
    st.binary(max_size=40),
    st.tuples(usual, st.integers(0, 40)).map(lambda cut: cut[0][: cut[1]]),
)


def answered(lease_id: int, body: bytes, *, with_keys: bool = False, status: int = OK) -> UnaryCall:
    asked = LeaseId(lease_id)
    attempt: Attempt = ATTEMPT
    call = UnaryCall(request(asked, with_keys=with_keys), (asked, with_keys, attempt))
    call.asked_at, call.status, call.body = ASKED_AT, status, body
    return call


def decoded(call: UnaryCall) -> Reading | None:
    """What protobuf alone makes of it."""
    lease_id, with_keys, _ = call.context
    try:
        message = rpc.LeaseTimeToLiveResponse.FromString(call.body)
    except DecodeError:
        return None
    if lease_id != message.ID:
        return None
    return reading(message, lease_id, ASKED_AT, AT, with_keys=with_keys)


@given(
    st.lists(
        st.tuples(
            st.one_of(usual, usual, odd, broken), st.sampled_from([None, *IDS]), st.booleans()
        ),
        max_size=30,
    )
)
def test_a_reading_is_what_protobuf_decodes(
    conversation: list[tuple[bytes, int | None, bool]],
) -> None:
    """Whatever was answered before, and whatever a server makes up."""
    calls = [
        answered(other_id or id_in(body) or 1, body, with_keys=with_keys)
        for body, other_id, with_keys in conversation
    ]
    readings, failed = decode_results(calls, AT, any_cluster)

    expected = {call: decoded(call) for call in calls}
    assert readings == [reading for reading in expected.values() if reading is not None]
    assert [each.call for each in failed] == [call for call in calls if expected[call] is None]
    assert all(each.trouble is not None for each in failed)


def id_in(body: bytes) -> int:
    """The lease that an answer is about."""
    try:
        return int(rpc.LeaseTimeToLiveResponse.FromString(body).ID)
    except DecodeError:
        return 1


def etcds(lease_id: int, remaining_ttl_s: int = 55, granted_ttl_s: int = 60) -> bytes:
    """What etcd answers."""
    header = rpc.ResponseHeader(cluster_id=2**63 + 5, member_id=2**62, revision=9, raft_term=4)
    serialized: bytes = rpc.LeaseTimeToLiveResponse(
        header=header, ID=lease_id, TTL=remaining_ttl_s, grantedTTL=granted_ttl_s
    ).SerializeToString()
    return serialized


def test_an_answer_that_names_two_leases_is_about_the_last() -> None:
    """Of a field that occurs twice, the last value counts."""
    twice = [etcds(1) + b"\x10\x01", etcds(127) + b"\x10\x01"]
    readings, failed = decode_results(map(answered, (1, 127), twice), AT, any_cluster)

    assert [reading.lease_id for reading in readings] == [1]
    assert [each.call.context[0] for each in failed] == [127]


def test_an_answer_about_another_lease_is_none() -> None:
    """Though all else in it was said before."""
    right, wrong = answered(7, etcds(7)), answered(7, etcds(8))
    readings, failed = decode_results([right, wrong], AT, any_cluster)
    assert (len(readings), [each.call for each in failed]) == (1, [wrong])


def test_only_who_asks_for_keys_is_told_of_none() -> None:
    """However odd the answer: keys that were not asked for are unknown."""
    without = answered(1, etcds(1))
    body = without.body.replace(b"\x10\x01", b"\x10\x01\x10\x01")
    readings, _ = decode_results([without, answered(1, body, with_keys=True)], AT, any_cluster)
    assert [getattr(reading, "attached_keys", "gone") for reading in readings] == [None, ()]


def test_a_failed_look_up_brings_no_reading() -> None:
    """Though a part of an answer may have come, the same as another one."""
    whole, failed = answered(7, etcds(7)), answered(7, etcds(7), status=DEADLINE_EXCEEDED)
    readings, lookups = decode_results([whole, failed], AT, any_cluster)
    assert (len(readings), lookups) == (1, [(failed, None)])


def test_the_cluster_of_every_answer_is_compared() -> None:
    """An answer of another cluster can differ in its header alone."""
    bodies = [
        rpc.LeaseTimeToLiveResponse(
            header=rpc.ResponseHeader(cluster_id=cluster_id, member_id=1, raft_term=7),
            ID=1,
            TTL=3,
            grantedTTL=9,
        ).SerializeToString()
        for cluster_id in (0xA, 0xB)
    ]
    asked: list[int] = []

    def note(answer: Any, _attempt: Attempt) -> None:
        asked.append(answer.header.cluster_id)

    for body in (bodies[0], bodies[0], bodies[1], bodies[1]):
        decode_results([answered(1, body)], AT, note)

    assert asked == [0xA, 0xA, 0xB, 0xB]
