"""Keeps the file small: forgets what is old, and the oldest where there is too much of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from lockdoctor.domain.past import ClockMark
from lockdoctor.history import files
from lockdoctor.history.database import connect, explained, require_stored, transaction
from lockdoctor.history.queries import sql
from lockdoctor.history.timeline import Timeline
from lockdoctor.values import dataclass

OLD_RUNS = 200
"""At most so many runs are forgotten for their age at a time: a clock that is wrong for one run
does not cost the whole history, and no run has to wait long."""

ROUNDS, RUNS_A_ROUND = 20, 10
"""So often, so many runs are forgotten for the file's size."""

SPARE_PAGES = 256
"""So many free pages stay in the file for the next run to fill."""

FREED_PAGES = 1000
"""At most so many are given back at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What became of a file."""

    forgotten: int
    """Runs."""
    left: int
    bytes_before: int
    bytes_after: int


def prune_whole(
    path: Path, clock_mark: ClockMark, *, keep_s: float, max_bytes: int, wait_s: float
) -> Pruned:
    """
    Forget everything that is to be forgotten, however long it takes, and give all room back.

    Args:
        path: The file; a damaged one is left as it is.
        clock_mark: The present moment.
        keep_s: How long to keep what runs saw, in seconds.
        max_bytes: How large the file may be; the last run stays in any case.
        wait_s: For so many seconds to wait for another run that is writing.

    Raises:
        HistoryBusy: Another run kept it locked for as long as we waited.
        HistoryError: There is none, or it is damaged or cannot be written.
    """
    require_stored(path)
    before = files.size(path) or 0
    with closing(connect(path, wait_s)) as connection, explained(path):
        runs = left = _runs(connection)
        while True:
            with transaction(connection):
                forget(connection, clock_mark, keep_s, max_bytes)
            left, last = _runs(connection), left
            if left == last:
                break
        connection.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)")
    after = files.size(path) or 0
    return Pruned(forgotten=runs - left, left=left, bytes_before=before, bytes_after=after)


def forget(
    connection: sqlite3.Connection, present: ClockMark, keep_s: float, max_bytes: int
) -> None:
    """Forget, within a transaction of the caller."""
    timeline = Timeline(connection, present)
    for clock_id in timeline.clock_ids:
        before = timeline.stored(clock_id, present.wall_at - keep_s)
        old = {"clock_id": clock_id, "before": before, "runs": OLD_RUNS}
        connection.execute(sql("forget_old_runs"), old)
    for _ in range(ROUNDS):
        if used_bytes(connection) <= max_bytes:
            break
        connection.execute(sql("forget_first_runs"), {"runs": RUNS_A_ROUND})
    connection.execute(sql("forget_lineages"))


def give_back(connection: sqlite3.Connection) -> None:
    """Give the room that was freed back to the file system, outside of any transaction."""
    if _pragma(connection, "freelist_count") > SPARE_PAGES:
        # execute() takes the first step only, which frees a single page.
        connection.executescript(f"PRAGMA incremental_vacuum({FREED_PAGES})")


def used_bytes(connection: sqlite3.Connection) -> int:
    """Measure what the file holds, without the room that is free in it."""
    pages = _pragma(connection, "page_count") - _pragma(connection, "freelist_count")
    return pages * _pragma(connection, "page_size")


def _runs(connection: sqlite3.Connection) -> int:
    return int(connection.execute(sql("count_runs")).fetchone()[0])


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
