"""
Who a member is: from its status, or from the header of any answer where only root sees the status.

etcd 3.4.42 to 3.4.45, 3.5.28 to 3.5.31 and 3.6.0 to 3.6.11 show the status to root alone where
authentication is on; from 3.6.14 and 3.7.1 on a token suffices (etcd issues 21466 and 21663). A
look-up of a lease without its keys needs no right on any key in any release, and its answer's
header names cluster, member, raft term and revision. Tried in tests/scenarios/test_least_role.py.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc.aio
from google.protobuf.unknown_fields import UnknownFieldSet

from lockdoctor.domain.model.alarms import ClusterAlarm, worst_first
from lockdoctor.domain.model.leases import NO_LEASE
from lockdoctor.etcd.connection.errors import is_permission_denied
from lockdoctor.etcd.protos import rpc

if TYPE_CHECKING:
    from lockdoctor.etcd.connection.member import Member

ERRORS_FIELD = 8
IS_LEARNER_FIELD = 10
"""Of StatusResponse, in etcd 3.4 and newer; etcd3's messages are older than that."""

_ALARM = re.compile(rb"(?:memberID:\s*(\d+)\s+)?alarm:\s*(\w+)")
"""An alarm in those errors, as Go prints the message AlarmMember; a member of 0 is left out."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a member says of itself when asked who it is."""

    message: Any
    """A StatusResponse, or another answer where this user may not see the status."""

    @property
    def shows_status(self) -> bool:
        """Whether this user may see the status."""
        return isinstance(self.message, rpc.StatusResponse)

    @property
    def cluster_id(self) -> int:
        """The cluster that it belongs to."""
        return int(self.message.header.cluster_id)

    @property
    def member_id(self) -> int:
        """The member's own ID."""
        return int(self.message.header.member_id)

    @property
    def leader_id(self) -> int | None:
        """The member that it follows; 0 for none, None where the status is not shown."""
        return int(self.message.leader) if self.shows_status else None

    @property
    def raft_term(self) -> int:
        """The raft term; in a header that of the last entry that the member has applied."""
        return int(self.message.raftTerm if self.shows_status else self.message.header.raft_term)

    @property
    def version(self) -> str:
        """The version of etcd; empty where the status is not shown."""
        return str(self.message.version) if self.shows_status else ""

    @property
    def is_learner(self) -> bool:
        """Whether it only learns yet, and serves no reads; a learner refuses other questions."""
        return any(self._newer_fields(IS_LEARNER_FIELD))

    @property
    def alarms(self) -> tuple[ClusterAlarm, ...] | None:
        """The alarms of the cluster; None where the status is not shown."""
        if not self.shows_status:
            return None
        found = _ALARM.findall(b"\n".join(self._newer_fields(ERRORS_FIELD)))
        return worst_first(ClusterAlarm(name.decode(), int(member or 0)) for member, name in found)

    @property
    def can_serve(self) -> bool:
        """Whether it follows a leader, and serves reads at all: without, it answers status only."""
        return not self.shows_status or (self.leader_id != 0 and not self.is_learner)

    @property
    def rank(self) -> tuple[int, bool]:
        """The newest raft term first, for a leader that was cut off does not know; then leaders."""
        return self.raft_term, self.leader_id == self.member_id

    def _newer_fields(self, number: int) -> Iterator[Any]:
        if self.shows_status:
            fields = UnknownFieldSet(self.message)
            yield from (field.data for field in fields if field.field_number == number)


@dataclass(frozen=True, slots=True)
class StatusReply(Identity):
    """The same, with the member and the moments around its answer."""

    member: Member
    asked_at: float
    answered_at: float


def alarms_of(answer: Any) -> tuple[ClusterAlarm, ...]:
    """Take the alarms of an AlarmResponse over."""
    names = rpc.AlarmMember.DESCRIPTOR.fields_by_name["alarm"].enum_type.values_by_number
    return worst_first(
        ClusterAlarm(
            names[each.alarm].name if each.alarm in names else str(each.alarm), each.memberID
        )
        for each in answer.alarms
    )


def who_are_you(member: Member) -> Callable[..., Awaitable[Any]]:
    """
    Give the call that asks a member who it is: for its status, else for a lease that is not.

    The status is not asked for again once it was denied.
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
