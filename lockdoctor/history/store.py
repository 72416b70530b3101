"""SqliteHistory: what one file stores from run to run."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.model.locks import Hold
from lockdoctor.domain.past.past import ClockMark, Past
from lockdoctor.domain.past.run_record import RunRecord
from lockdoctor.errors import HistoryError
from lockdoctor.history import pruning, read_past, write_run
from lockdoctor.history.database import paths
from lockdoctor.history.database.columns import prefixes_text
from lockdoctor.history.database.connection import (
    HistoryDamagedError,
    connect,
    quarantine_file,
    transaction,
    translating_errors,
    validating_rows,
)
from lockdoctor.history.database.temp_tables import temporary_tables
from lockdoctor.history.lineage import ClusterState
from lockdoctor.history.pruning import KEEP_S, MAX_BYTES
from lockdoctor.own_files import behind_links

if TYPE_CHECKING:
    from typing_extensions import Self  # in typing from Python 3.11 on

WAIT_S = 5.0
"""
The maximum time to wait for another run that is writing, in seconds; storing one run takes a
fraction of it.
"""

T = TypeVar("T")


def open_history(path: Path, clock_mark: ClockMark, *, wait_s: float = WAIT_S) -> SqliteHistory:
    """
    Open the history of earlier runs, or create one.

    Args:
        path: The file. Only the state folder is created where it is missing.
        clock_mark: The present moment of the run. The run's other moments are on the same clock.
        wait_s: The maximum time to wait for another run that is writing, in seconds.

    Raises:
        HistoryTooNewError: A newer lockdoctor has written it; it is not changed.
        HistoryBusyError: Another run kept it locked for `wait_s` seconds.
        HistoryError: It cannot be opened or written, or it is not a history.
    """
    return SqliteHistory(path, clock_mark, wait_s)


class SqliteHistory:
    """
    What earlier runs saw, in one file; close it, or use it in a with statement.

    A damaged file is renamed, never deleted, and a fresh one is created; `notes` reports it. Every
    method raises HistoryBusyError where another run kept the file locked, and HistoryError where
    the file cannot be read or written. What was stored before stays as it was.
    """

    def __init__(self, path: Path, clock_mark: ClockMark, wait_s: float) -> None:
        """Open the file; see open_history."""
        self.notes: list[str] = []
        """Notes for the user, one sentence each."""
        self._path = behind_links(path)
        self._present = clock_mark
        self._wait_s = wait_s
        try:
            self._connection = self._connect()
        except HistoryDamagedError:
            self._set_aside()
            self._connection = self._connect()

    def __enter__(self) -> Self:
        """Return the history, which is open already."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def recall(
        self,
        *,
        cluster_id: int,
        revision: int,
        raft_term: int,
        prefixes: Sequence[bytes],
        holds: Sequence[Hold],
        lease_ids: Collection[LeaseId],
        judged_by: str,
    ) -> Past:
        """
        Return what earlier runs saw of these holds and leases, in this run's time.

        Args:
            cluster_id: The cluster; another cluster has another past.
            revision: The cluster's revision, from a linearizable read. A revision lower than the
                stored one means a restored snapshot, which has another past, too.
            raft_term: The raft term; a lower one means the same.
            prefixes: The prefixes of the run. The number of earlier runs, and the findings of the
                last one, are those of runs over the same prefixes.
            holds: The holds that exist now.
            lease_ids: The leases that the run looks up, with all that etcd lists.
            judged_by: What the verdicts depend on besides etcd: findings are those of the last run
                that was judged by the same.
        """
        now = ClusterState(
            cluster_id=cluster_id,
            revision=revision,
            raft_term=raft_term,
            asked_at=self._present.wall_at,
            prefixes=prefixes_text(prefixes),
        )

        asked = read_past.RecallQuery(holds, tuple(lease_ids), judged_by)

        def ask(connection: sqlite3.Connection) -> Past:
            with (
                validating_rows(self._path),
                temporary_tables(connection),
                transaction(connection, writes=False),
            ):
                return read_past.recall(connection, self._present, now, asked)

        return self._do(ask)

    def record(self, run: RunRecord) -> None:
        """Store what one run has seen, in one transaction."""

        def store(connection: sqlite3.Connection) -> None:
            with temporary_tables(connection), transaction(connection):
                write_run.record(connection, self._present, run)

        self._do(store)

    def prune(self, *, keep_s: float = KEEP_S, max_bytes: int = MAX_BYTES) -> None:
        """
        Delete what no run has seen for long, and the oldest where there is too much.

        The work is bounded: where there is much to delete, several runs share it.

        Args:
            keep_s: How long to keep what runs saw, in seconds.
            max_bytes: How large the file may be.
        """

        def forget(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                pruning.forget(connection, self._present, keep_s, max_bytes)
            pruning.give_back(connection)

        self._do(forget)

    def _do(self, step: Callable[[sqlite3.Connection], T]) -> T:
        """Take a step; if the file turns out to be damaged, take it on a fresh one."""
        try:
            with translating_errors(self._path):
                return step(self._connection)
        except HistoryDamagedError:
            self._connection.close()
            self._set_aside()
            self._connection = self._connect()
            with translating_errors(self._path):
                return step(self._connection)

    def _connect(self) -> sqlite3.Connection:
        self._opened = before = paths.identity(self._path)
        connection = connect(self._path, self._wait_s)
        opened = paths.identity(self._path)
        self._opened = opened if before in {None, opened} else None
        return connection

    def _set_aside(self) -> None:
        """Rename the damaged file, unless another run has done so already."""
        if self._opened is None:
            return
        aside = quarantine_file(self._path, self._opened, self._present.wall_at)
        if aside is not None:
            self.notes.append(
                f"the history {self._path} was damaged: it is now {aside}, and this run begins"
                " a new one"
            )


class UnavailableHistory:
    """A History (see ports) that could not be opened; the report has the reason."""

    def __init__(self, failed: HistoryError) -> None:
        """Store the reason."""
        self.notes: list[str] = []
        self._failed = failed

    def recall(self, **_requested: object) -> Past:
        """Raise the reason."""
        raise self._failed

    def record(self, run: RunRecord) -> None:  # noqa: ARG002  # the port's
        """Raise the reason."""
        raise self._failed

    def prune(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
