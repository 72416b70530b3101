"""Encodes look-ups and decodes their answers: LeaseTimeToLive as bytes."""

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
"""Maximum stored pairs of TTLs."""

HEADER_TAG, ID_TAG = b"\x0a", b"\x10"
"""
Tags of the first two fields of an answer.

Source: LeaseTimeToLiveResponse in etcd's rpc.proto.
"""

LONG = 0x80
"""The bit of a length that continues in the next byte."""


def request(lease_id: LeaseId, *, with_keys: bool) -> bytes:
    """Return the serialized request of a look-up."""
    message = _REQUESTS[with_keys]
    message.ID = lease_id
    serialized: bytes = message.SerializeToString()
    return serialized


_REQUESTS = (rpc.LeaseTimeToLiveRequest(keys=False), rpc.LeaseTimeToLiveRequest(keys=True))
"""Reused: to create a message takes longer than to fill it."""


Asked: TypeAlias = tuple[LeaseId, bool, Attempt]
"""The subject of a call: the lease, whether with keys, and the attempt."""


class DecodedTtl(NamedTuple):
    """The TTLs in the answer for a lease that exists."""

    granted_ttl_s: int
    remaining_ttl_s: int
    raft_term: int


class ResponseCache(NamedTuple):
    """Decoded answers that share one header."""

    head: bytes
    """The header with the tag after it."""
    id_begins: int
    said: dict[bytes, DecodedTtl]
    """The decoded TTLs by their bytes."""


class FailedLookup(NamedTuple):
    """A look-up without a reading."""

    call: UnaryCall
    trouble: ProtocolError | None
    """The fault of the answer, if there is an answer."""


class ResponseDecoder:
    """
    Decodes answers; equal bytes are not decoded again for another lease.

    An answer without keys consists of its header, the lease's ID, encoded as in the request, and
    the TTLs. An answer has the meaning of a decoded one if header and TTLs are equal, and if the
    bytes between them are the requested lease's ID. The header names the cluster too, so an answer
    of another cluster is always decoded.
    """

    def __init__(self, require_cluster: Callable[[Any, Attempt], None]) -> None:
        """
        Start without decoded answers.

        Args:
            require_cluster: Raises WrongClusterError for the answer of another cluster.
        """
        self._require_cluster = require_cluster
        self._known = ResponseCache(b"", 0, {})

    def take(
        self, calls: Iterable[UnaryCall], at: float
    ) -> tuple[list[Reading], list[FailedLookup]]:
        """
        Decode the results of look-ups.

        Args:
            at: The time of the answers.

        Returns:
            The readings, and the calls without one.

        Raises:
            WrongClusterError: An answer is from another cluster.
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
        Decode an unknown answer, and store it for the next one like it.

        Raises:
            ProtocolError: It is not an answer, or one about another lease.
            WrongClusterError: It is from another cluster.
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
        """Store an answer for the next one like it, if its bytes have etcd's form."""
        body, coded_id = call.body, call.request[1:]
        if not body.startswith(HEADER_TAG) or body[1] & LONG or answer.SerializeToString() != body:
            return
        head = body[: 2 + body[1]] + ID_TAG
        if head != self._known.head or len(self._known.said) >= MAX_KNOWN:
            self._known = ResponseCache(head, len(head), {})
        self._known.said[body[len(head) + len(coded_id) :]] = DecodedTtl(
            read.granted_ttl_s, read.remaining_ttl_s, read.raft_term
        )
