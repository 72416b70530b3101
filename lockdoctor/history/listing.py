"""List the stored rows, for people and for other programs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from lockdoctor.domain.evidence.verdicts import Severity
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.model.locks import Hold
from lockdoctor.domain.past.past import ClockMark
from lockdoctor.domain.past.stored import StoredFinding, StoredHold, StoredLease, StoredRun
from lockdoctor.history.clocks import ClockTranslator
from lockdoctor.history.database.columns import id_number, prefixes_of
from lockdoctor.history.database.queries import sql
from lockdoctor.history.reading_spans import GONE_TTL_S

END_OF_DATES = 253_402_300_800.0
"""The year 10000 in POSIX seconds: a damaged file can contain it, a calendar cannot."""


class Listing:
    """
    Rows as values, with their moments in the present run's time.

    The moments are as exact as they can be placed. Where a row holds a value that no lockdoctor
    writes, a listing raises ValueError, TypeError or LookupError.
    """

    def __init__(self, connection: sqlite3.Connection, present: ClockMark) -> None:
        """Read the clocks of the file."""
        self._connection = connection
        self._timeline = ClockTranslator(connection, present)

    def runs(self) -> Iterator[StoredRun]:
        """Return the runs, the last one first."""
        for row in self._connection.execute(sql("all_runs")):
            yield StoredRun(
                number=row["id"],
                cluster_id=id_number(row["cluster_id"]),
                lineage=row["lineage_id"],
                command=row["command"],
                prefixes=prefixes_of(row["prefixes"]),
                started_at=self._at(row, "clock_id", "started_at"),
                ended_at=self._at(row, "clock_id", "ended_at"),
                revision=row["revision"],
                raft_term=row["raft_term"],
                severity=Severity(row["severity"]),
                holds=row["holds"],
                findings=row["findings"],
                sessions=row["sessions"],
            )

    def holds(self, query: str, **values: object) -> Iterator[StoredHold]:
        """Return the holds that a query selects."""
        for row in self._connection.execute(sql(query), values):
            is_held = row["held_clock_id"] is not None
            yield StoredHold(
                cluster_id=id_number(row["cluster_id"]),
                lineage=row["lineage_id"],
                hold=Hold(row["key"], row["create_revision"]),
                lease_id=LeaseId(row["lease_id"]),
                lock_name=row["lock_name"],
                recipe=row["recipe"],
                first_answered_at=self._at(row, "first_clock_id", "first_answered_at"),
                last_asked_at=self._at(row, "last_clock_id", "last_asked_at"),
                held_first_answered_at=self._at(row, "held_clock_id", "held_first_answered_at")
                if is_held
                else None,
                runs=row["runs"],
            )

    def leases(self, query: str, **values: object) -> Iterator[StoredLease]:
        """Return the spans of readings that a query selects."""
        for row in self._connection.execute(sql(query), values):
            is_gone = row["granted_ttl_s"] == GONE_TTL_S
            yield StoredLease(
                cluster_id=id_number(row["cluster_id"]),
                lineage=row["lineage_id"],
                lease_id=LeaseId(row["lease_id"]),
                granted_ttl_s=None if is_gone else row["granted_ttl_s"],
                raft_term=row["raft_term"],
                first_answered_at=self._at(row, "first_clock_id", "first_answered_at"),
                last_answered_at=self._at(row, "last_clock_id", "last_answered_at"),
                last_remaining_ttl_s=None if is_gone else row["last_remaining_ttl_s"],
                readings=row["readings"],
            )

    def findings(self, query: str, **values: object) -> Iterator[StoredFinding]:
        """Return the findings that a query selects."""
        for row in self._connection.execute(sql(query), values):
            yield StoredFinding(
                cluster_id=id_number(row["cluster_id"]),
                lineage=row["lineage_id"],
                verdict=row["kind"],
                lock_name=row["lock_name"],
                recipe=row["recipe"],
                since_at=self._at(row, "since_clock_id", "since_at"),
                last_at=self._at(row, "clock_id", "ended_at"),
                runs=row["runs"],
            )

    def _at(self, row: sqlite3.Row, clock: str, at: str) -> float:
        moment = self._timeline.at(row[clock], row[at])
        if not 0 <= moment < END_OF_DATES:
            raise ValueError(f"{moment} is no moment")
        return moment
