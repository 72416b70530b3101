"""Keep the file small: delete old rows, and the oldest where it is too large."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias

from lockdoctor.domain.past.past import ClockMark
from lockdoctor.history.database import paths
from lockdoctor.history.database.connection import (
    connect,
    require_stored,
    transaction,
    translating_errors,
)
from lockdoctor.history.database.queries import sql

KEEP_S = timedelta(days=30).total_seconds()
"""The age from which runs are deleted unless the user gives another, in seconds."""

MAX_BYTES = 200_000_000
"""The maximum size of the file unless the user gives another, in bytes."""

OLD_RUNS = 200
"""The maximum number of runs deleted at a time for their age, so that no run waits long."""

MAX_STEP_S = timedelta(days=1).total_seconds()
"""
The maximum time, in seconds, that counts between two successive runs on different boots, whatever
their wall clocks show: a change of a clock is not time that has passed.
"""

ROUNDS, RUNS_A_ROUND = 20, 10
"""The maximum number of rounds, and of runs per round, deleted for the file's size."""

SPARE_PAGES = 256
"""The number of free pages that stay in the file for the next run to fill."""

FREED_PAGES = 1000
"""The maximum number of pages given back at a time."""

_Moment: TypeAlias = "tuple[str | None, float, float]"
"""The boot, its steady clock, the wall clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What pruning changed in a file."""

    forgotten: int
    """The number of runs."""
    left: int
    bytes_before: int
    bytes_after: int


def prune_whole(
    path: Path, clock_mark: ClockMark, *, keep_s: float, max_bytes: int, wait_s: float
) -> Pruned:
    """
    Delete all old rows, with no time limit, and give all free space back.

    Args:
        path: The file; a damaged one is not changed.
        clock_mark: The present moment.
        keep_s: How long to keep what runs saw, in seconds.
        max_bytes: How large the file may be; the last run stays in any case.
        wait_s: The maximum time to wait for another run that is writing, in seconds.

    Raises:
        HistoryBusyError: Another run kept it locked for `wait_s` seconds.
        HistoryError: There is no file, or it is damaged or cannot be written.
    """
    require_stored(path)
    before = paths.size(path) or 0
    with closing(connect(path, wait_s)) as connection, translating_errors(path):
        runs = left = _runs(connection)
        while True:
            with transaction(connection):
                forget(connection, clock_mark, keep_s, max_bytes)
            left, last = _runs(connection), left
            if left == last:
                break
        connection.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)")
    after = paths.size(path) or 0
    return Pruned(forgotten=runs - left, left=left, bytes_before=before, bytes_after=after)


def forget(
    connection: sqlite3.Connection, present: ClockMark, keep_s: float, max_bytes: int
) -> None:
    """Delete old rows, within a transaction of the caller."""
    run_id = _last_old_run(connection, present, keep_s)
    connection.execute(sql("forget_old_runs"), {"run_id": run_id, "runs": OLD_RUNS})
    for _ in range(ROUNDS):
        if used_bytes(connection) <= max_bytes:
            break
        connection.execute(sql("forget_first_runs"), {"runs": RUNS_A_ROUND})
    connection.execute(sql("forget_lineages"))


def _last_old_run(connection: sqlite3.Connection, present: ClockMark, keep_s: float) -> int:
    """
    Return the last run that is proven to be old; earlier runs are older still.

    The proof is the time between the runs that came after it, in the order in which they were
    stored. On one boot the steady clock measures it. Between boots the wall clocks do, one day at
    most: a clock that was wrong and then set right adds no time.

    Returns:
        Its number; 0 where no run is proven to be old.
    """
    age_s = 0.0
    later = (present.boot_id, present.steady_at, present.wall_at)
    for row in connection.execute(sql("ends_of_runs")):
        own = (row["boot_id"], row["steady_at"], row["ended_at"])
        age_s += _step_s(own, later)
        if age_s > keep_s:
            return int(row["id"])
        later = own
    return 0


def _step_s(earlier: _Moment, later: _Moment) -> float:
    if earlier[0] and earlier[0] == later[0]:
        return later[1] - earlier[1]
    return min(MAX_STEP_S, max(-MAX_STEP_S, later[2] - earlier[2]))


def give_back(connection: sqlite3.Connection) -> None:
    """Give freed space back to the file system, outside of any transaction."""
    if _pragma(connection, "freelist_count") > SPARE_PAGES:
        # execute() takes the first step only, which frees a single page.
        connection.executescript(f"PRAGMA incremental_vacuum({FREED_PAGES})")


def used_bytes(connection: sqlite3.Connection) -> int:
    """Return the bytes that the file uses, without its free pages."""
    pages = _pragma(connection, "page_count") - _pragma(connection, "freelist_count")
    return pages * _pragma(connection, "page_size")


def _runs(connection: sqlite3.Connection) -> int:
    return int(connection.execute(sql("count_runs")).fetchone()[0])


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
