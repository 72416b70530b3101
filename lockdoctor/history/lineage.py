"""Find whether a cluster continues, or was restored or created again."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from lockdoctor.history.clocks import ClockTranslator
from lockdoctor.history.database.columns import id_text
from lockdoctor.history.database.queries import sql


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterState:
    """The state that shows whether a cluster continues, and the requested holds."""

    cluster_id: int
    revision: int
    raft_term: int
    asked_at: float
    """The earliest time at which the answers with these two numbers were asked."""
    prefixes: str
    """The prefixes whose keys were read, as the file stores them."""


def lineage_of(
    connection: sqlite3.Connection, timeline: ClockTranslator, now: ClusterState
) -> int | None:
    """
    Return the lineage that a cluster continues, or None.

    In one cluster neither the revision nor the raft term ever decreases. A cluster whose revision
    was raised after a restore ("etcdutl snapshot restore --bump-revision") still begins with a low
    term. A cluster that was set up again under the same addresses has the same ID, but other keys.

    Returns:
        None where the cluster was never seen, or is not the same one.
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
    """Return whether the last run overlapped this one, and so may be more recent."""
    ended_at = timeline.at(last["clock_id"], last["ended_at"])
    return timeline.is_exact(last["clock_id"]) and ended_at >= now.asked_at


def _is_witnessed(connection: sqlite3.Connection, lineage_id: int, now: ClusterState) -> bool:
    """
    Return whether the last run over these prefixes saw a key it must have seen.

    A key that exists now and was created before that run read the keys existed then, too.
    """
    scope = {"lineage_id": lineage_id, "prefixes": now.prefixes, "back": 0}
    before = connection.execute(sql("run_back"), scope).fetchone()
    if before is None:
        return True
    asked = {"lineage_id": lineage_id, "first_revision": before["first_revision"]}
    found = connection.execute(sql("witnesses"), asked).fetchone()
    return bool(found["known"]) or not found["standing"]
