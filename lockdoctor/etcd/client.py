"""EtcdCluster: what lockdoctor reads of an etcd cluster, over gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from lockdoctor.domain.inference.queue_activity import WatchEvent
from lockdoctor.domain.model.alarms import ClusterAlarm
from lockdoctor.domain.model.leases import FailedReading, LeaseId, Reading
from lockdoctor.domain.model.locks import KeySnapshot
from lockdoctor.errors import AccessDeniedError, ClusterError
from lockdoctor.etcd.connection.connection import Connection, ConnectionSettings
from lockdoctor.etcd.connection.greeting import Identity, alarms_of, who_are_you
from lockdoctor.etcd.keys import read_keys
from lockdoctor.etcd.lease_lookup.fast_reader import PipelinedLeaseReader
from lockdoctor.etcd.lease_lookup.grpc_reader import RpcLeaseReader
from lockdoctor.etcd.lease_lookup.rate_limit import RateLimiter
from lockdoctor.etcd.protos import rpc
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
        self.denied: dict[str, None] = {}
        """What of itself the cluster does not show to this user, in the order of the questions."""
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
        """What its user should know of how reading went, a sentence each."""
        notes = [*self._leases.notes, *self._failures]
        if self.denied:
            notes.append(f"This etcd user may not see: {', '.join(self.denied)}.")
        return notes

    async def status(self) -> MemberStatus:
        """Ask the member that we read from who it is and whom it follows, as far as it says."""
        answer = await self.connection.call(who_are_you, None, "read its status")
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
        """Read every key with this prefix, in pages at one revision; b"" reads all keys."""
        return await read_keys(self.connection, prefix)

    async def leases(self) -> LeaseList:
        """List every lease of the cluster; AccessDeniedError where the role may not see it."""
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
        try:
            answer = await self.connection.call(
                lambda member: member.cluster.MemberList, rpc.MemberListRequest(), "list members"
            )
        except AccessDeniedError:
            self.denied["member list"] = None
            raise
        return frozenset(member.ID for member in answer.message.members)

    def watch(self, prefix: bytes, from_revision: int) -> AsyncIterator[WatchEvent]:
        """Follow what happens to the keys of a prefix, in the order of revisions."""
        return KeyWatch(self.connection, self._clock, prefix, from_revision).events()

    def read_leases(
        self, lease_ids: Iterable[LeaseId], *, with_keys: bool
    ) -> AsyncIterator[Reading | FailedReading]:
        """Look up leases, many at a time, paced; each answer as it comes, in no order."""
        return self._leases.read(lease_ids, with_keys=with_keys)

    async def _alarms(self) -> tuple[ClusterAlarm, ...] | None:
        """
        Ask for the alarms once, where the status does not show them; None where that fails.

        Not asked for where it does: etcd puts this question into its raft log. Source: Alarm in
        etcd's server/etcdserver/v3_server.go.
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
