"""The cluster of a run: the one that the first answer named, and no other."""

from __future__ import annotations

from typing import Any

from lockdoctor.errors import WrongClusterError
from lockdoctor.etcd.protos import rpc


class ClusterIdentity:
    """
    The cluster of one run, shared by all its connections.

    The first answer sets it, and every later answer is compared with it. A mismatch is final: then
    the run sends no more requests and accepts no more answers from any member.

    A server that sends no cluster ID has the ID 0, which is compared like any other. Such a server
    is never written to. etcd's own gRPC proxy omits the ID from two answers only, see
    _may_be_nameless.
    """

    def __init__(self) -> None:
        """Start without a cluster."""
        self.cluster_id: int | None = None
        self._mismatch: str | None = None

    def require(self, cluster_id: int, endpoint: str, more: str = "") -> None:
        """
        Compare the cluster that an endpoint belongs to with the run's.

        Args:
            more: A further sentence for the message about another cluster.

        Raises:
            WrongClusterError: It is another one, or another one has answered before.
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
            WrongClusterError: It is another one, or another one has answered before.
        """
        cluster_id = answer.header.cluster_id
        if cluster_id or not _may_be_nameless(answer):
            self.require(cluster_id, endpoint, more)

    def require_no_mismatch(self) -> None:
        """
        Check that no other cluster has answered this run.

        Raises:
            WrongClusterError: Another cluster has answered.
        """
        if self._mismatch is not None:
            raise WrongClusterError(self._mismatch)


def _may_be_nameless(answer: Any) -> bool:
    """
    Return whether an answer without keys can lack a cluster ID.

    etcd's gRPC proxy omits the ID from two answers, and etcd 3.4 from the list of alarms.

    Source: MemberList in etcd's server/proxy/grpcproxy/cluster.go, add in watch_broadcast.go. The
    alarms were tested on 3.4.23.
    """
    return isinstance(answer, (rpc.MemberListResponse, rpc.AlarmResponse)) or (
        isinstance(answer, rpc.WatchResponse) and not answer.events
    )
