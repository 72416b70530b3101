"""Which cluster a run is about: the one that its first answer named, and no other."""

from __future__ import annotations

from typing import Any

from lockdoctor.errors import WrongClusterError
from lockdoctor.etcd.protos import rpc


class ClusterIdentity:
    """
    The cluster of one run, shared by all its connections.

    The first answer sets it, and every later answer is compared with it. A mismatch is final: from
    then on nothing is asked or believed, whichever member answers.

    A server that sends no cluster ID has the ID 0, which is compared like any other; such a server
    is never written to. etcd's own gRPC proxy leaves the ID out of two answers alone, see
    _may_be_nameless.
    """

    def __init__(self) -> None:
        """Know no cluster yet."""
        self.cluster_id: int | None = None
        self._mismatch: str | None = None

    def require(self, cluster_id: int, endpoint: str, more: str = "") -> None:
        """
        Compare the cluster that an endpoint belongs to with the run's.

        Args:
            more: What else to say where it is another one, a sentence.

        Raises:
            WrongClusterError: It is another one, or one was met before.
        """
        self.require_no_mismatch()
        if self.cluster_id is None:
            self.cluster_id = cluster_id
        elif cluster_id != self.cluster_id:
            found = WrongClusterError.between(
                endpoint, cluster_id, self.cluster_id, "this run", more
            )
            self._mismatch = str(found)
            raise found

    def require_answer(self, answer: Any, endpoint: str, more: str = "") -> None:
        """
        Compare the cluster that an answer names in its header with the run's.

        Raises:
            WrongClusterError: It is another one, or one was met before.
        """
        cluster_id = answer.header.cluster_id
        if cluster_id or not _may_be_nameless(answer):
            self.require(cluster_id, endpoint, more)

    def require_no_mismatch(self) -> None:
        """
        Let a run go on only if no other cluster has answered it.

        Raises:
            WrongClusterError: One has.
        """
        if self._mismatch is not None:
            raise WrongClusterError(self._mismatch)


def _may_be_nameless(answer: Any) -> bool:
    """
    Tell an answer that some servers send without a cluster ID, and that has no keys or leases.

    etcd's gRPC proxy leaves the ID out of two, and etcd 3.4 out of the list of alarms.

    Source: MemberList in etcd's server/proxy/grpcproxy/cluster.go, add in watch_broadcast.go; the
    alarms were tried on 3.4.23.
    """
    return isinstance(answer, (rpc.MemberListResponse, rpc.AlarmResponse)) or (
        isinstance(answer, rpc.WatchResponse) and not answer.events
    )
