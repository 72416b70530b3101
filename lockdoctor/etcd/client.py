"""EtcdCluster: the reads of an etcd cluster, over gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from lockdoctor.domain.inference.queue_activity import WatchEvent
from lockdoctor.domain.model.alarms import ClusterAlarm
from lockdoctor.domain.model.leases import FailedReading, LeaseId, Reading
from lockdoctor.domain.model.locks import KeySnapshot
from lockdoctor.errors import AccessDeniedError, ClusterError
from lockdoctor.etcd.connection.connection import Connection
from lockdoctor.etcd.connection.greeting import Identity, alarms_of, identity_call
from lockdoctor.etcd.connection.settings import ConnectionSettings
from lockdoctor.etcd.keys import read_keys
from lockdoctor.etcd.lease_lookup.fast_reader import PipelinedLeaseReader
from lockdoctor.etcd.lease_lookup.grpc_reader import RpcLeaseReader
from lockdoctor.etcd.lease_lookup.rate_limit import RateLimiter
from lockdoctor.etcd.protos import rpc
from lockdoctor.etcd.watch import KeyWatch
from lockdoctor.ports import Clock, LeaseList, MemberStatus

MAX_RATE = 5_000.0
"""Default maximum of lease look-ups per second: 1/10 to 1/3 of a member's rate."""


class EtcdCluster:
    """A Cluster (see ports) that reads a real etcd cluster and never writes."""

    def __init__(
        self, connection: Connection, clock: Clock, max_rate: float, *, is_pipelined: bool
    ) -> None:
        """
        Read through an open connection.

        Args:
            max_rate: Maximum look-ups per second.
            is_pipelined: Whether to look leases up with the fast reader, which has a connection
                of its own, or with gRPC's own client.
        """
        self.connection = connection
        """The connection, which an EtcdWriter shares."""
        self._clock = clock
        self.denied: dict[str, None] = {}
        """The facts on the cluster that this user may not read, ordered by request."""
        self._failures: list[str] = []
        self._asked_alarms = False
        self._raised: tuple[ClusterAlarm, ...] | None = None
        self._leases = (
            PipelinedLeaseReader(connection, clock, max_rate)
            if is_pipelined
            else RpcLeaseReader(connection, clock, RateLimiter(clock, max_rate))
        )

    @property
    def notes(self) -> list[str]:
        """Return notes for the user on how the reads went, one sentence each."""
        notes = [*self._leases.notes, *self._failures]
        if self.denied:
            notes.append(f"This etcd user may not see: {', '.join(self.denied)}.")
        return notes

    async def status(self) -> MemberStatus:
        """Read the status of the connected member, as far as this user may read it."""
        answer = await self.connection.call(identity_call, None, "read its status")
        found = Identity(answer.message)
        if not found.shows_status:
            self.denied |= dict.fromkeys(("leader", "etcd version"))
        return MemberStatus(
            asked_at=answer.asked_at,
            answered_at=answer.answered_at,
            endpoint=answer.endpoint,
            cluster_id=found.cluster_id,
            member_id=found.member_id,
            leader_id=found.leader_id,
            raft_term=answer.message.header.raft_term,
            revision=answer.message.header.revision,
            version=found.version,
            alarms=await self._alarms() if found.alarms is None else found.alarms,
        )

    async def keys(self, prefix: bytes) -> KeySnapshot:
        """
        Read every key with this prefix, in pages at one revision.

        b"" reads all keys.
        """
        return await read_keys(self.connection, prefix)

    async def leases(self) -> LeaseList:
        """
        Return every lease of the cluster.

        Raises:
            AccessDeniedError: The role may not list leases.
        """
        answer = await self.connection.call(
            lambda member: member.lease.LeaseLeases, rpc.LeaseLeasesRequest(), "list the leases"
        )
        return LeaseList(
            asked_at=answer.asked_at,
            answered_at=answer.answered_at,
            raft_term=answer.message.header.raft_term,
            lease_ids=frozenset(LeaseId(lease.ID) for lease in answer.message.leases),
        )

    async def members(self) -> frozenset[int]:
        """Return the IDs of all members of the cluster."""
        try:
            answer = await self.connection.call(
                lambda member: member.cluster.MemberList, rpc.MemberListRequest(), "list members"
            )
        except AccessDeniedError:
            self.denied["member list"] = None
            raise
        return frozenset(member.ID for member in answer.message.members)

    def watch(self, prefix: bytes, from_revision: int) -> AsyncIterator[WatchEvent]:
        """Yield the changes of a prefix's keys, ordered by revision."""
        return KeyWatch(self.connection, self._clock, prefix, from_revision).events()

    def read_leases(
        self, lease_ids: Iterable[LeaseId], *, with_keys: bool
    ) -> AsyncIterator[Reading | FailedReading]:
        """Look up many leases at a limited rate and yield each answer, in no order."""
        return self._leases.read(lease_ids, with_keys=with_keys)

    async def _alarms(self) -> tuple[ClusterAlarm, ...] | None:
        """
        Read the alarms once, if the status lacks them; return None if that fails.

        If the status has them, the request is not sent: etcd puts it into its raft log. Source:
        Alarm in etcd's server/etcdserver/v3_server.go.
        """
        if not self._asked_alarms:
            self._asked_alarms = True
            request = rpc.AlarmRequest(action=rpc.AlarmRequest.GET)
            try:
                answer = await self.connection.call(
                    lambda member: member.maintenance.Alarm, request, "list the alarms"
                )
            except AccessDeniedError:
                self.denied["alarms"] = None
            except ClusterError as failed:
                self._failures.append(f"The alarms of etcd could not be read: {failed}.")
            else:
                self._raised = alarms_of(answer.message)
        return self._raised

    async def close(self) -> None:
        """Close the connection."""
        await self._leases.close()
        await self.connection.close()


async def connect(
    settings: ConnectionSettings,
    clock: Clock,
    max_rate: float = MAX_RATE,
    *,
    is_pipelined: bool = True,
) -> EtcdCluster:
    """
    Connect to a cluster.

    Args:
        max_rate: Maximum look-ups per second.
        is_pipelined: See EtcdCluster; the slower reader exists for comparison.

    Raises:
        ConfigError: An endpoint or a TLS file is invalid.
        ClusterUnreachableError: No endpoint is a member with a leader; the message explains each.
        AccessDeniedError: etcd refuses the user or the password.
        ClusterError: The endpoints belong to different clusters.
    """
    connection = Connection(settings, clock)
    try:
        await connection.open()
    except BaseException:
        await connection.close()
        raise
    return EtcdCluster(connection, clock, max_rate, is_pipelined=is_pipelined)
