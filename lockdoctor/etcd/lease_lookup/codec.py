"""Encodes look-ups and decodes their answers: LeaseTimeToLive as bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeAlias

from google.protobuf.message import DecodeError

from lockdoctor.domain.model.leases import LeaseId, Reading
from lockdoctor.etcd.connection.attempt import Attempt
from lockdoctor.etcd.convert import reading
from lockdoctor.etcd.http2.call import OK, UnaryCall
from lockdoctor.etcd.http2.frames import ProtocolError
from lockdoctor.etcd.protos import rpc


def request(lease_id: LeaseId, *, with_keys: bool) -> bytes:
    """Return the serialized request of a look-up."""
    message = _REQUESTS[with_keys]
    message.ID = lease_id
    serialized: bytes = message.SerializeToString()
    return serialized


_REQUESTS = (rpc.LeaseTimeToLiveRequest(keys=False), rpc.LeaseTimeToLiveRequest(keys=True))
"""Reused: to create a message takes longer than to fill it."""


LookupContext: TypeAlias = tuple[LeaseId, bool, Attempt]
"""The subject of a call: the lease, whether with keys, and the attempt."""


class FailedLookup(NamedTuple):
    """A look-up without a reading."""

    call: UnaryCall
    trouble: ProtocolError | None
    """The fault of the answer, if there is an answer."""


def decode_results(
    calls: Iterable[UnaryCall], at: float, require_cluster: Callable[[Any, Attempt], None]
) -> tuple[list[Reading], list[FailedLookup]]:
    """
    Decode the results of look-ups.

    Args:
        at: The time of the answers.
        require_cluster: Raises WrongClusterError for the answer of another cluster.

    Returns:
        The readings, and the calls without one.

    Raises:
        WrongClusterError: An answer is from another cluster.
    """
    readings: list[Reading] = []
    failed: list[FailedLookup] = []
    for call in calls:
        if call.status != OK:
            failed.append(FailedLookup(call, None))
            continue
        try:
            readings.append(_decode(call, at, require_cluster))
        except ProtocolError as trouble:
            failed.append(FailedLookup(call, trouble))
    return readings, failed


def _decode(call: UnaryCall, at: float, require_cluster: Callable[[Any, Attempt], None]) -> Reading:
    """
    Decode the answer of one look-up.

    Raises:
        ProtocolError: It is not an answer, or one about another lease.
        WrongClusterError: It is from another cluster.
    """
    context: LookupContext = call.context
    lease_id, with_keys, attempt = context
    try:
        answer = rpc.LeaseTimeToLiveResponse.FromString(call.body)
    except DecodeError as error:
        raise ProtocolError("sent an invalid response") from error
    require_cluster(answer, attempt)
    if lease_id != answer.ID:
        raise ProtocolError("answered about another lease")
    return reading(answer, lease_id, call.asked_at, at, with_keys=with_keys)
