"""Tells a cluster that goes on from one that was set back, by a restored snapshot for example."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from lockdoctor.history.names import id_text
from lockdoctor.history.queries import sql
from lockdoctor.history.timeline import Timeline


@dataclass(frozen=True, slots=True)
class ClusterState:
    """What tells whether a cluster goes on."""

    cluster_id: int
    revision: int
    raft_term: int
    asked_at: float
    """The answers that told the two were asked no sooner than this."""


def lineage_of(connection: sqlite3.Connection, timeline: Timeline, now: ClusterState) -> int | None:
    """
    Find the lineage that a cluster continues.

    In one cluster neither the revision nor the raft term ever goes back. A cluster whose revision
    was raised after a restore ("etcdutl snapshot restore --bump-revision") still begins with a low
    term.

    Returns:
        None where the cluster was never seen, or was set back since.
    """
    cluster = {"cluster_id": id_text(now.cluster_id)}
    last = connection.execute(sql("last_run_of_cluster"), cluster).fetchone()
    if last is None:
        return None
    goes_on = now.revision >= last["revision"] and now.raft_term >= last["raft_term"]
    return int(last["lineage_id"]) if goes_on or _is_concurrent(timeline, last, now) else None


def _is_concurrent(timeline: Timeline, last: sqlite3.Row, now: ClusterState) -> bool:
    """Whether the last run went on while this one was on its way, and so may know more."""
    ended_at = timeline.at(last["clock_id"], last["ended_at"])
    return timeline.is_exact(last["clock_id"]) and ended_at >= now.asked_at
