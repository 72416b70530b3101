"""Tells a cluster that goes on from one that was set back or set up anew."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from lockdoctor.history.clocks import ClockTranslator
from lockdoctor.history.database.columns import id_text
from lockdoctor.history.database.queries import sql


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterState:
    """What tells whether a cluster goes on; with it belong the holds that are asked about."""

    cluster_id: int
    revision: int
    raft_term: int
    asked_at: float
    """The answers that told the two were asked no sooner than this."""
    prefixes: str
    """The prefixes whose keys were read, as the file holds them."""


def lineage_of(
    connection: sqlite3.Connection, timeline: ClockTranslator, now: ClusterState
) -> int | None:
    """
    Find the lineage that a cluster continues.

    In one cluster neither the revision nor the raft term ever goes back. A cluster whose revision
    was raised after a restore ("etcdutl snapshot restore --bump-revision") still begins with a low
    term. And a cluster that was set up anew under the same addresses has the same ID, but its keys
    are others.

    Returns:
        None where the cluster was never seen, or is not the one that it was.
    """
    cluster = {"cluster_id": id_text(now.cluster_id)}
    last = connection.execute(sql("last_run_of_cluster"), cluster).fetchone()
    if last is None:
        return None
    lineage_id = int(last["lineage_id"])
    if _is_concurrent(timeline, last, now):
        return lineage_id
    goes_on = now.revision >= last["revision"] and now.raft_term >= last["raft_term"]
    return lineage_id if goes_on and _is_witnessed(connection, lineage_id, now) else None


def _is_concurrent(timeline: ClockTranslator, last: sqlite3.Row, now: ClusterState) -> bool:
    """Whether the last run went on while this one was on its way, and so may know more."""
    ended_at = timeline.at(last["clock_id"], last["ended_at"])
    return timeline.is_exact(last["clock_id"]) and ended_at >= now.asked_at


def _is_witnessed(connection: sqlite3.Connection, lineage_id: int, now: ClusterState) -> bool:
    """
    Whether the last run over the same prefixes saw any of the keys that it must have seen.

    A key that stands now and was created before that run read the keys stood then, too.
    """
    scope = {"lineage_id": lineage_id, "prefixes": now.prefixes, "back": 0}
    before = connection.execute(sql("run_back"), scope).fetchone()
    if before is None:
        return True
    asked = {"lineage_id": lineage_id, "first_revision": before["first_revision"]}
    found = connection.execute(sql("witnesses"), asked).fetchone()
    return bool(found["known"]) or not found["standing"]
