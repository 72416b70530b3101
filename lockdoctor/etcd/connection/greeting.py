"""
Reads a member's identity: from its status, or from another answer's header.

etcd 3.4.42 to 3.4.45, 3.5.28 to 3.5.31 and 3.6.0 to 3.6.11 show the status only to root where
authentication is on. From 3.6.14 and 3.7.1 on a token suffices (etcd issues 21466 and 21663). A
look-up of a lease without its keys needs no permission on any key in any release. Its answer's
header names cluster, member, raft term and revision. Tested in
tests/scenarios/test_least_role.py.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import grpc.aio
from google.protobuf.unknown_fields import UnknownFieldSet

from lockdoctor.domain.model.alarms import ClusterAlarm, worst_first
from lockdoctor.domain.model.leases import NO_LEASE
from lockdoctor.errors import AccessDeniedError
from lockdoctor.etcd.connection.auth import metadata_of
from lockdoctor.etcd.connection.diagnose import explain
from lockdoctor.etcd.connection.errors import (
    access_denied,
    is_of_learner,
    is_permission_denied,
    is_timeout,
    is_without_leader,
    is_without_leases,
    one_line,
)
from lockdoctor.etcd.connection.member import Member
from lockdoctor.etcd.protos import rpc

ERRORS_FIELD = 8
IS_LEARNER_FIELD = 10
"""The field number in StatusResponse, since etcd 3.4; etcd3's messages are older."""

_ALARM = re.compile(rb"(?:memberID:\s*(\d+)\s+)?alarm:\s*(\w+)")
"""An alarm in those errors, as Go prints AlarmMember; Go omits a member of 0."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The answer of a member about itself."""

    message: Any
    """A StatusResponse, or another answer where this user may not read the status."""

    @property
    def shows_status(self) -> bool:
        """Return whether this user may read the status."""
        return isinstance(self.message, rpc.StatusResponse)

    @property
    def cluster_id(self) -> int:
        """Return the ID of the member's cluster."""
        return int(self.message.header.cluster_id)

    @property
    def member_id(self) -> int:
        """Return the member's own ID."""
        return int(self.message.header.member_id)

    @property
    def leader_id(self) -> int | None:
        """Return the leader's ID; 0 without a leader, None if the status is hidden."""
        return int(self.message.leader) if self.shows_status else None

    @property
    def raft_term(self) -> int:
        """
        Return the raft term.

        In a header it is the term of the last entry that the member has applied.
        """
        return int(self.message.raftTerm if self.shows_status else self.message.header.raft_term)

    @property
    def version(self) -> str:
        """Return the version of etcd; empty if the status is hidden."""
        return str(self.message.version) if self.shows_status else ""

    @property
    def is_learner(self) -> bool:
        """
        Return whether the member is a learner, which serves no reads.

        A learner refuses other requests.
        """
        return any(self._newer_fields(IS_LEARNER_FIELD))

    @property
    def alarms(self) -> tuple[ClusterAlarm, ...] | None:
        """Return the alarms of the cluster; None if the status is hidden."""
        if not self.shows_status:
            return None
        found = _ALARM.findall(b"\n".join(self._newer_fields(ERRORS_FIELD)))
        return worst_first(ClusterAlarm(name.decode(), int(member or 0)) for member, name in found)

    @property
    def can_serve(self) -> bool:
        """
        Return whether the member has a leader and serves reads.

        Without a leader it answers only the status.
        """
        return not self.shows_status or (self.leader_id != 0 and not self.is_learner)

    @property
    def rank(self) -> tuple[int, bool]:
        """
        Return the sort key: the newest raft term first, then leaders.

        A leader that was cut off might still report an old term.
        """
        return self.raft_term, self.leader_id == self.member_id

    def _newer_fields(self, number: int) -> Iterator[Any]:
        if self.shows_status:
            fields = UnknownFieldSet(self.message)
            yield from (field.data for field in fields if field.field_number == number)


@dataclass(frozen=True, slots=True)
class StatusReply(Identity):
    """An Identity with the member and the times around its answer."""

    member: Member
    asked_at: float
    answered_at: float


class UnreachableMember(NamedTuple):
    """An endpoint that did not answer the greeting."""

    member: Member
    error: Any

    @property
    def denied(self) -> AccessDeniedError | None:
        """Return the error for the user if it concerns users or permissions."""
        if isinstance(self.error, AccessDeniedError):
            return self.error
        return access_denied(self.error.details() or "", "read its status")


def alarms_of(answer: Any) -> tuple[ClusterAlarm, ...]:
    """Return the alarms of an AlarmResponse."""
    names = rpc.AlarmMember.DESCRIPTOR.fields_by_name["alarm"].enum_type.values_by_number
    return worst_first(
        ClusterAlarm(
            names[each.alarm].name if each.alarm in names else str(each.alarm), each.memberID
        )
        for each in answer.alarms
    )


def identity_call(member: Member) -> Callable[..., Awaitable[Any]]:
    """
    Return the call that reads a member's identity.

    It requests the status, else a lease that does not exist. A denied status is not requested
    again.
    """

    async def ask(
        _: object, *, timeout: float, metadata: Sequence[tuple[str, str]]
    ) -> Any:  # the request is chosen here
        if member.shows_status:
            try:
                return await member.maintenance.Status(
                    rpc.StatusRequest(), timeout=timeout, metadata=metadata
                )
            except grpc.aio.AioRpcError as error:
                if not is_permission_denied(error):
                    raise
                member.shows_status = False
        request = rpc.LeaseTimeToLiveRequest(ID=NO_LEASE)
        return await member.lease.LeaseTimeToLive(request, timeout=timeout, metadata=metadata)

    return ask


async def reason(answer: StatusReply | UnreachableMember, token: str | None) -> str:
    """Return why a member cannot be read from."""
    not_etcd = await not_etcd_reason(answer, token)
    if not_etcd is not None:
        return not_etcd
    if isinstance(answer, StatusReply):
        return "it is only a learner" if answer.leader_id else "it has no leader"
    if is_without_leader(answer.error):
        return "it has no leader"
    if is_of_learner(answer.error):
        return "it is only a learner"
    member = answer.member
    otherwise = (
        f"no answer within {member.dial_timeout_s:g} s"
        if is_timeout(answer.error)
        else f"etcd, but not as its clients see it ({one_line(answer.error.details() or '')}): "
        "is the port right?"
    )
    return await explain(member.endpoint, member.tls, member.dial_timeout_s, otherwise)


async def not_etcd_reason(answer: StatusReply | UnreachableMember, token: str | None) -> str | None:
    """Return why a gRPC server is not etcd; None where it might be etcd."""
    if isinstance(answer, UnreachableMember) and not is_without_leases(answer.error):
        return None
    try:
        await answer.member.lease.LeaseLeases(
            rpc.LeaseLeasesRequest(),
            timeout=answer.member.dial_timeout_s,
            metadata=metadata_of(token),
        )
    except grpc.aio.AioRpcError as error:
        if is_without_leases(error):
            details = one_line(error.details() or "")
            return f"this is not etcd (it answers {details!r} to LeaseLeases): it has no lease API"
    return None
