"""Add one run to the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any

from lockdoctor.domain.past.past import ClockMark
from lockdoctor.domain.past.run_record import FindingSeen, RunRecord
from lockdoctor.history.clocks import ClockTranslator
from lockdoctor.history.database.columns import id_text, leases_of, leases_text, prefixes_text
from lockdoctor.history.database.queries import inserted, sql
from lockdoctor.history.database.temp_tables import set_requested_holds
from lockdoctor.history.lease_lists import record_list
from lockdoctor.history.lineage import ClusterState, lineage_of
from lockdoctor.history.write_readings import ReadingsWriter

SWEEP_RUNS = 50
"""
The number of later runs over the same prefixes after which a row that they did not see is deleted.
"""


def record(connection: sqlite3.Connection, present: ClockMark, run: RunRecord) -> None:
    """Store a run, within a transaction of the caller."""
    timeline = ClockTranslator(connection, present)
    clock_id = timeline.own_clock()
    lineage_id = _lineage(connection, timeline, run)
    scope = {"lineage_id": lineage_id, "prefixes": prefixes_text(run.prefixes)}
    judged = {**scope, "judged_by": run.judged_by}
    before = connection.execute(sql("last_judged_run"), judged).fetchone()
    _Recorder(connection, timeline, run, lineage_id, clock_id).write(before["id"] if before else 0)
    _sweep(connection, connection.execute(sql("run_back"), {**scope, "back": SWEEP_RUNS}))


def _lineage(connection: sqlite3.Connection, timeline: ClockTranslator, run: RunRecord) -> int:
    state = ClusterState(
        cluster_id=run.cluster_id,
        revision=max(mark.revision for mark in run.marks),
        raft_term=run.raft_term,
        asked_at=run.started_at,
        prefixes=prefixes_text(run.prefixes),
    )
    set_requested_holds(connection, (seen.hold for seen in run.holds))
    found = lineage_of(connection, timeline, state)
    if found is not None:
        return found
    return inserted(connection, "add_lineage", {"cluster_id": id_text(run.cluster_id)})


def _sweep(connection: sqlite3.Connection, runs_back: sqlite3.Cursor) -> None:
    row = runs_back.fetchone()
    if row is not None:
        connection.execute(sql("sweep_holds"), {"run_id": row["id"]})
        connection.execute(sql("sweep_stretches"), {"run_id": row["id"]})


class _Recorder:
    """Write the parts of one run."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        timeline: ClockTranslator,
        run: RunRecord,
        lineage_id: int,
        clock_id: int,
    ) -> None:
        self.connection = connection
        self.timeline = timeline
        self.run = run
        self.lineage_id = lineage_id
        self.clock_id = clock_id
        self.findings = list(dict.fromkeys(run.findings))

    def write(self, before_id: int) -> None:
        """
        Store everything.

        Args:
            before_id: The last run over the same prefixes that was judged by the same limits; 0 if
                there is no such run.
        """
        run_id = inserted(self.connection, "add_run", self._run())
        self.common = {
            "lineage_id": self.lineage_id,
            "clock_id": self.clock_id,
            "run_id": run_id,
            "before_id": before_id,
        }
        self._put("put_mark", self._marks())
        self._put("put_probe", self._probes())
        self._put("put_hold", self._holds())
        readings = ReadingsWriter(self.connection, self.timeline, self.common, self.run.ended_at)
        readings.write(self.run.readings)
        if self.run.listed is not None:
            times = (self.run.started_at, self.run.ended_at)
            record_list(self.connection, self.timeline, self.common, self.run.listed, times)
        self._write_findings()

    def _put(self, query: str, rows: Iterable[dict[str, Any]]) -> None:
        self.connection.executemany(sql(query), ({**self.common, **row} for row in rows))

    def _at(self, moment: float) -> float:
        return self.timeline.stored(self.clock_id, moment)

    def _run(self) -> dict[str, Any]:
        run = self.run
        return {
            "lineage_id": self.lineage_id,
            "command": run.command,
            "prefixes": prefixes_text(run.prefixes),
            "clock_id": self.clock_id,
            "started_at": self._at(run.started_at),
            "ended_at": self._at(run.ended_at),
            "first_revision": min(mark.revision for mark in run.marks),
            "revision": max(mark.revision for mark in run.marks),
            "raft_term": run.raft_term,
            "severity": run.severity.value,
            "holds": sum(1 for _ in run.holds),
            "findings": len(self.findings),
            "sessions": run.sessions,
            "judged_by": run.judged_by,
        }

    def _marks(self) -> Iterator[dict[str, Any]]:
        for mark in sorted(self.run.marks, key=lambda mark: mark.answered_at):
            yield {
                "revision": mark.revision,
                "asked_at": self._at(mark.asked_at),
                "answered_at": self._at(mark.answered_at),
            }

    def _probes(self) -> Iterator[dict[str, Any]]:
        for probe in sorted(self.run.probes, key=lambda probe: probe.asked_at):
            yield {
                "raft_term": probe.raft_term,
                "leader_id": id_text(probe.leader_id) if probe.leader_id else "",
                "asked_at": self._at(probe.asked_at),
            }

    def _holds(self) -> Iterator[dict[str, Any]]:
        for seen in self.run.holds:
            held_at = seen.held_first_answered_at
            yield {
                "key": seen.hold.key,
                "create_revision": seen.hold.create_revision,
                "lease_id": seen.lease_id,
                "recipe": seen.lock.recipe.value,
                "lock_name": seen.lock.name,
                "first_answered_at": self._at(seen.first_answered_at),
                "last_asked_at": self._at(seen.last_asked_at),
                "held_clock_id": None if held_at is None else self.clock_id,
                "held_first_answered_at": None if held_at is None else self._at(held_at),
            }

    def _write_findings(self) -> None:
        for finding in self.findings:
            row = {**self.common, **_finding(finding), "since_at": self._at(self.run.started_at)}
            if not self._repeat(finding, row):
                self.connection.execute(sql("add_finding"), row)

    def _repeat(self, finding: FindingSeen, row: dict[str, Any]) -> bool:
        """Count a finding of the previous run once more; return whether it had it."""
        if finding.lock is not None:
            return self.connection.execute(sql("repeat_finding"), row).rowcount > 0
        for before in self.connection.execute(sql("session_findings"), row).fetchall():
            if not set(leases_of(before["leases"])).isdisjoint(finding.leases):
                again = {**row, "id": before["id"]}
                return self.connection.execute(sql("repeat_session_finding"), again).rowcount > 0
        return False


def _finding(finding: FindingSeen) -> dict[str, Any]:
    lock = finding.lock
    return {
        "kind": finding.kind.value,
        "recipe": lock.recipe.value if lock else None,
        "lock_name": lock.name if lock else None,
        "key": finding.hold.key if finding.hold else None,
        "create_revision": finding.hold.create_revision if finding.hold else None,
        "leases": None if lock else leases_text(finding.leases),
    }
