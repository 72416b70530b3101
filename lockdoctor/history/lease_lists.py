"""Store which leases the cluster listed, so that an earlier lease is never new."""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections.abc import Mapping
from typing import Any

from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.past.past import Listing
from lockdoctor.domain.past.run_record import ListedLeases
from lockdoctor.history.clocks import ClockTranslator
from lockdoctor.history.database.queries import sql
from lockdoctor.history.database.temp_tables import set_requested_leases

MAX_LISTINGS = 300
"""
The number of lists to read: a day of checks every five minutes. That is enough to show a trend, and
quick to read.
"""


def record_list(
    connection: sqlite3.Connection,
    timeline: ClockTranslator,
    common: Mapping[str, Any],
    listed: ListedLeases,
    run: tuple[float, float],
) -> None:
    """
    Store a run's list of leases, within a transaction of the caller.

    A run that began before one that is stored already has the older list, so it stores no list.

    Args:
        common: What all rows of the run have: lineage_id and run_id.
        run: When the run began and when it ended, on its own clock.
    """
    if _is_outrun(connection.execute(sql("last_listing"), common).fetchone(), timeline, run):
        return
    set_requested_leases(connection, listed.lease_ids)
    ended = connection.execute(sql("count_ended_sessions"), common).fetchone()["ended"]
    connection.execute(sql("drop_unlisted"), common)
    connection.execute(sql("add_listed"), common)
    sessions = ({**common, "lease_id": lease_id} for lease_id in listed.sessions)
    connection.executemany(sql("mark_session"), sessions)
    connection.execute(sql("drop_keyless_in_use"), common)
    connection.execute(sql("set_ended_sessions"), {**common, "ended": ended})


def recall_lists(
    connection: sqlite3.Connection, timeline: ClockTranslator, scope: Mapping[str, Any], now: float
) -> tuple[Listing, ...]:
    """
    Return what each of the last lists added, and what the present leases add.

    The lists are in order. A list that lies in the future of this run counts with the one after it.

    Args:
        scope: lineage_id, prefixes and judged_by of the present run.
        now: The present moment.
    """
    newest_first = connection.execute(sql("listings"), {**scope, "runs": MAX_LISTINGS})
    rows = newest_first.fetchall()[::-1]
    if not rows:
        return ()
    numbers = [row["id"] for row in rows]
    new: list[set[LeaseId]] = [set() for _ in (*rows, None)]
    for row in connection.execute(sql("first_listed"), {**scope, "run_id": numbers[0]}):
        new[bisect_left(numbers, row["first_run_id"])].add(LeaseId(row["lease_id"]))
    new[-1] |= {LeaseId(row["lease_id"]) for row in connection.execute(sql("never_listed"), scope)}
    found: list[Listing] = []
    leases: set[LeaseId] = set()
    ended = 0
    for row, first_listed in zip(rows, new, strict=False):
        leases |= first_listed
        ended += row["ended_sessions"]
        at = timeline.at(row["clock_id"], row["ended_at"])
        if at <= now:
            is_alike = all(row[name] == scope[name] for name in ("prefixes", "judged_by"))
            listing = Listing(at=at, new=frozenset(leases), ended=ended, is_alike=is_alike)
            found.append(listing)
            leases, ended = set(), 0
    ended += connection.execute(sql("count_ended_sessions"), scope).fetchone()["ended"]
    return (*found, Listing(at=now, new=frozenset(leases | new[-1]), ended=ended, is_alike=True))


def _is_outrun(
    last: sqlite3.Row | None, timeline: ClockTranslator, run: tuple[float, float]
) -> bool:
    """
    Return whether a run that began later has stored its list already.

    A run that began in the future does not count.
    """
    if last is None or not timeline.is_exact(last["clock_id"]):
        return False
    started_at, ended_at = run
    return started_at < timeline.at(last["clock_id"], last["started_at"]) <= ended_at
