"""EtcdCluster: what lockdoctor reads of an etcd cluster, over gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from lockdoctor.domain.activity import WatchEvent
from lockdoctor.domain.leases import LeaseId, LeaseUnread, Reading
from lockdoctor.domain.locks import KeySnapshot
from lockdoctor.etcd.connection import Connection, ConnectionSettings
from lockdoctor.etcd.etcd3_compat import rpc
from lockdoctor.etcd.lease_reader import RpcLeaseReader
from lockdoctor.etcd.pacing import Pace
from lockdoctor.etcd.pages import read_keys
from lockdoctor.etcd.pipelined_reader import PipelinedLeaseReader
from lockdoctor.etcd.watch import KeyWatch
from lockdoctor.ports import Clock, LeaseList, MemberStatus

MAX_RATE = 5_000.0
"""Look-ups a second: a tenth to a third of what one member can answer."""


class EtcdCluster:
    """A Cluster (see ports) that is a real one. Nothing here writes."""

    def __init__(
        self, connection: Connection, clock: Clock, max_rate: float, *, is_pipelined: bool
    ) -> None:
        """
        Read through an open connection.

        Args:
            max_rate: Look-ups a second, at most.
            is_pipelined: Whether leases are looked up by the faster way, which has a connection
                of its own, or by gRPC's own client.
        """
        self.connection = connection
        """For a surgeon, who writes through the same one."""
        self._clock = clock
        self._leases = (
            PipelinedLeaseReader(connection, clock, max_rate)
            if is_pipelined
            else RpcLeaseReader(connection, clock, Pace(clock, max_rate))
        )

    @property
    def notes(self) -> list[str]:
        """What its user should know of how reading went, a sentence each."""
        return self._leases.notes

    async def status(self) -> MemberStatus:
        """Ask the member that we read from who it is and whom it follows."""
        answer = await self.connection.call(
            lambda member: member.maintenance.Status, rpc.StatusRequest(), "read its status"
        )
        status = answer.message
        return MemberStatus(
            asked_at=answer.asked_at,
            answered_at=answer.answered_at,
            endpoint=answer.endpoint,
            cluster_id=status.header.cluster_id,
            member_id=status.header.member_id,
            leader_id=status.leader,
            raft_term=status.header.raft_term,
            revision=status.header.revision,
            version=status.version,
        )

    async def keys(self, prefix: bytes) -> KeySnapshot:
        """Read every key with this prefix, in pages at one revision; b"" reads all keys."""
        return await read_keys(self.connection, prefix)

    async def leases(self) -> LeaseList:
        """List every lease of the cluster; AccessDenied where the role may not see it."""
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
        """Tell the IDs of all members of the cluster."""
        answer = await self.connection.call(
            lambda member: member.cluster.MemberList, rpc.MemberListRequest(), "list the members"
        )
        return frozenset(member.ID for member in answer.message.members)

    def watch(self, prefix: bytes, from_revision: int) -> AsyncIterator[WatchEvent]:
        """Follow what happens to the keys of a prefix, in the order of revisions."""
        return KeyWatch(self.connection, self._clock, prefix, from_revision).events()

    def read_leases(
        self, lease_ids: Iterable[LeaseId], *, with_keys: bool
    ) -> AsyncIterator[Reading | LeaseUnread]:
        """Look up leases, many at a time, paced; each answer as it comes, in no order."""
        return self._leases.read(lease_ids, with_keys=with_keys)

    async def close(self) -> None:
        """Let go of the connection."""
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
        max_rate: Look-ups a second, at most.
        is_pipelined: See EtcdCluster; the slower way is there to be compared with.

    Raises:
        ConfigError: An endpoint or a TLS file makes no sense.
        ClusterUnreachable: No endpoint is a member with a leader; the message says what each is.
        AccessDenied: etcd refuses the user or the password.
        ClusterError: The endpoints belong to different clusters.
    """
    connection = Connection(settings, clock)
    try:
        await connection.open()
    except BaseException:
        await connection.close()
        raise
    return EtcdCluster(connection, clock, max_rate, is_pipelined=is_pipelined)
