"""LeaseTimeToLive as bytes: the request of a look-up, and its answer, taken over at speed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeAlias

from google.protobuf.message import DecodeError

from lockdoctor.domain.model.leases import LeaseId, LeaseReading, Reading
from lockdoctor.etcd.connection.connection import Attempt
from lockdoctor.etcd.convert import observation, reading
from lockdoctor.etcd.http2.call import OK, UnaryCall
from lockdoctor.etcd.http2.frames import ProtocolError
from lockdoctor.etcd.protos import rpc

MAX_KNOWN = 4096
"""Pairs of TTLs that are recognised."""

HEADER_TAG, ID_TAG = b"\x0a", b"\x10"
"""Of the first two fields of an answer. Source: LeaseTimeToLiveResponse in etcd's rpc.proto."""

LONG = 0x80
"""The bit of a length that goes on in the next byte."""


def request(lease_id: LeaseId, *, with_keys: bool) -> bytes:
    """Write a look-up."""
    message = _REQUESTS[with_keys]
    message.ID = lease_id
    serialized: bytes = message.SerializeToString()
    return serialized


_REQUESTS = (rpc.LeaseTimeToLiveRequest(keys=False), rpc.LeaseTimeToLiveRequest(keys=True))
"""Used again and again: to make a message takes longer than to fill it."""


Asked: TypeAlias = tuple[LeaseId, bool, Attempt]
"""What a call is about: which lease, whether with its keys, and as which attempt."""


class DecodedTtl(NamedTuple):
    """What an answer says of a lease that exists."""

    granted_ttl_s: int
    remaining_ttl_s: int
    raft_term: int


class ResponseCache(NamedTuple):
    """Answers that were decoded, all of them with one header."""

    head: bytes
    """The header, and the tag that follows it."""
    id_begins: int
    said: dict[bytes, DecodedTtl]
    """By the bytes of the TTLs."""


class FailedLookup(NamedTuple):
    """A look-up that brought no reading."""

    call: UnaryCall
    trouble: ProtocolError | None
    """What is wrong with the answer, where there is one."""


class ResponseDecoder:
    """
    Takes answers over; what was said of one lease before is not decoded anew for the next.

    An answer without keys consists of its header, the lease's ID, coded as in the request, and
    the TTLs. Where header and TTLs are to the byte those of an answer that was decoded, and the
    bytes between them are the ID of the lease that was asked about, it says the same of it. The
    header names the cluster, too, so that an answer of another one is always decoded.
    """

    def __init__(self, require_cluster: Callable[[Any, Attempt], None]) -> None:
        """
        Know none yet.

        Args:
            require_cluster: Raises WrongClusterError where an answer is another cluster's.
        """
        self._require_cluster = require_cluster
        self._known = ResponseCache(b"", 0, {})

    def take(
        self, calls: Iterable[UnaryCall], at: float
    ) -> tuple[list[Reading], list[FailedLookup]]:
        """
        Take over what has come of look-ups.

        Args:
            at: When they were answered.

        Returns:
            The readings, and the calls that brought none.

        Raises:
            WrongClusterError: An answer is another cluster's.
        """
        readings: list[Reading] = []
        unread: list[FailedLookup] = []
        known = self._known
        for call in calls:
            about: Asked = call.about
            lease_id, with_keys, _ = about
            body, coded_id = call.body, call.request[1:]
            id_ends = known.id_begins + len(coded_id)
            said = known.said.get(body[id_ends:])
            if call.status != OK:
                unread.append(FailedLookup(call, None))
            elif said is not None and body[:id_ends] == known.head + coded_id and not with_keys:
                readings.append(observation(lease_id, call.asked_at, at, *said, None))
            else:
                try:
                    readings.append(self._decode(call, at))
                except ProtocolError as trouble:
                    unread.append(FailedLookup(call, trouble))
                known = self._known
        return readings, unread

    def _decode(self, call: UnaryCall, at: float) -> Reading:
        """
        Take one over that is not recognised, and the next like it will be.

        Raises:
            ProtocolError: It is none, or one about another lease.
            WrongClusterError: It is another cluster's.
        """
        about: Asked = call.about
        lease_id, with_keys, attempt = about
        try:
            answer = rpc.LeaseTimeToLiveResponse.FromString(call.body)
        except DecodeError as error:
            raise ProtocolError("sent an answer that is none of etcd's") from error
        self._require_cluster(answer, attempt)
        if lease_id != answer.ID:
            raise ProtocolError("answered about another lease")
        read = reading(answer, lease_id, call.asked_at, at, with_keys=with_keys)
        if isinstance(read, LeaseReading) and not with_keys:
            self._learn(answer, call, read)
        return read

    def _learn(self, answer: Any, call: UnaryCall, read: LeaseReading) -> None:
        """Recognise the next one like this, if it is written as etcd writes it."""
        body, coded_id = call.body, call.request[1:]
        if not body.startswith(HEADER_TAG) or body[1] & LONG or answer.SerializeToString() != body:
            return
        head = body[: 2 + body[1]] + ID_TAG
        if head != self._known.head or len(self._known.said) >= MAX_KNOWN:
            self._known = ResponseCache(head, len(head), {})
        self._known.said[body[len(head) + len(coded_id) :]] = DecodedTtl(
            read.granted_ttl_s, read.remaining_ttl_s, read.raft_term
        )
