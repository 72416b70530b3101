"""Read what earlier runs saw of the holds and leases that a run asks about."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from lockdoctor.domain.model.leases import LeadershipProbe, LeaseId, LeaseReading, Reading
from lockdoctor.domain.model.locks import Hold
from lockdoctor.domain.past.past import (
    NO_PAST,
    ClockMark,
    Listing,
    Past,
    PastFinding,
    PastHold,
    RevisionMark,
)
from lockdoctor.history.clocks import SKEW_S, ClockTranslator
from lockdoctor.history.database.columns import id_number, leases_of, lock_id, verdict_kind
from lockdoctor.history.database.queries import sql
from lockdoctor.history.database.temp_tables import set_requested_holds, set_requested_leases
from lockdoctor.history.lease_lists import recall_lists
from lockdoctor.history.lineage import ClusterState, lineage_of
from lockdoctor.history.reading_spans import GONE_TTL_S

CACHE_SIZE = 16_384
"""The maximum number of holds kept for sharing, of those that 100,000 locks have in common."""


class RecallQuery(NamedTuple):
    """What a run asks about; the answer shares these very objects with the run."""

    holds: Sequence[Hold]
    lease_ids: Sequence[LeaseId]
    judged_by: str
    """What its verdicts will depend on besides etcd."""


def recall(
    connection: sqlite3.Connection,
    present: ClockMark,
    now: ClusterState,
    asked: RecallQuery,
) -> Past:
    """Return what earlier runs saw, within a transaction of the caller."""
    set_requested_holds(connection, asked.holds)
    set_requested_leases(connection, asked.lease_ids)
    timeline = ClockTranslator(connection, present)
    lineage_id = lineage_of(connection, timeline, now)
    if lineage_id is None:
        return NO_PAST
    return _Reader(connection, timeline, present.wall_at, lineage_id, asked).past(now.prefixes)


class _Reader:
    """Read one lineage."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        timeline: ClockTranslator,
        now: float,
        lineage_id: int,
        asked: RecallQuery,
    ) -> None:
        self.connection = connection
        self.timeline = timeline
        self.now = now
        self.lineage_id = lineage_id
        self.asked = asked
        self._bounds: dict[tuple[int, float], float | None] = {}

    def past(self, prefixes: str) -> Past:
        stored = self._ask("runs_over_prefixes", prefixes=prefixes).fetchall()
        runs = [row for row in stored if self._is_past(row, "clock_id", "ended_at")]
        alike = next((run for run in stored if run["judged_by"] == self.asked.judged_by), None)
        is_told = alike is not None and self._is_past(alike, "clock_id", "ended_at")
        return Past(
            runs=len(runs),
            marks=tuple(self._marks()),
            holds=dict(self._holds()),
            readings=dict(self._readings()),
            findings=tuple(self._findings(alike["id"])) if alike and is_told else (),
            listings=self._listings(prefixes),
            probes=tuple(self._probes()),
            keyless_since=dict(self._keyless_since()),
        )

    def _ask(self, query: str, **values: object) -> sqlite3.Cursor:
        return self.connection.execute(sql(query), {"lineage_id": self.lineage_id, **values})

    def _is_past(self, row: sqlite3.Row, clock: str, at: str) -> bool:
        """Return whether a moment is over; a future moment comes from a wrong clock."""
        return self.timeline.at(row[clock], row[at]) <= self.now

    def _seen_by(self, row: sqlite3.Row, clock: str, at: str) -> float | None:
        """
        Return the time by which an earlier run had certainly seen something.

        A moment that is not over counts from the next run that was stored, which was later.
        """
        if self._is_past(row, clock, at):
            return self._latest(row, clock, at)
        moment = (row[clock], row[at])
        if moment not in self._bounds:
            self._bounds[moment] = self.timeline.stored_by(*moment)
        bound = self._bounds[moment]
        return None if bound is None else min(self.now, bound)

    def _earliest(self, row: sqlite3.Row, clock: str, at: str) -> float:
        return self.timeline.earliest(row[clock], row[at])

    def _latest(self, row: sqlite3.Row, clock: str, at: str) -> float:
        return min(self.now, self.timeline.latest(row[clock], row[at]))

    def _marks(self) -> Iterator[RevisionMark]:
        for row in self._ask("marks"):
            for end in ("first", "last") if _is_wide(row) else ("first",):
                if self._is_past(row, f"{end}_clock_id", f"{end}_answered_at"):
                    yield RevisionMark(
                        asked_at=self._earliest(row, f"{end}_clock_id", f"{end}_asked_at"),
                        answered_at=self._latest(row, f"{end}_clock_id", f"{end}_answered_at"),
                        revision=row["revision"],
                    )

    def _holds(self) -> Iterator[tuple[Hold, PastHold]]:
        for row in self._ask("holds"):
            first_answered_at = self._seen_by(row, "first_clock_id", "first_answered_at")
            if first_answered_at is None:
                continue
            last_asked_at = self._earliest(row, "last_clock_id", "last_asked_at")
            yield (
                self.asked.holds[row["place"]],
                _past_hold(
                    first_answered_at,
                    min(self.now, last_asked_at),  # the run asks about holds that exist now
                    self._held_at(row),
                ),
            )

    def _held_at(self, row: sqlite3.Row) -> float | None:
        if row["held_clock_id"] is None:
            return None
        return self._seen_by(row, "held_clock_id", "held_first_answered_at")

    def _readings(self) -> Iterator[tuple[LeaseId, tuple[Reading, ...]]]:
        rows = self._ask("stretches")
        for place, spans in groupby(rows, key=itemgetter("place")):
            lease_id = self.asked.lease_ids[place]
            rows_of_grant = _of_this_grant(list(spans))
            found = tuple(self._readings_of(lease_id, rows_of_grant))
            if found:
                yield lease_id, found

    def _readings_of(self, lease_id: LeaseId, rows: Iterable[sqlite3.Row]) -> Iterator[Reading]:
        latest = -math.inf
        for row in rows:
            for end in ("first", "last")[: row["readings"]]:
                at = self.timeline.at(row[f"{end}_clock_id"], row[f"{end}_answered_at"])
                # The second: a clock that was behind placed it before what was stored earlier.
                if at > self.now or at < latest - SKEW_S:
                    continue
                latest = max(latest, at)
                yield LeaseReading(
                    lease_id=lease_id,
                    asked_at=self._earliest(row, f"{end}_clock_id", f"{end}_asked_at"),
                    answered_at=self._latest(row, f"{end}_clock_id", f"{end}_answered_at"),
                    granted_ttl_s=row["granted_ttl_s"],
                    remaining_ttl_s=row[f"{end}_remaining_ttl_s"],
                    raft_term=row["raft_term"],
                )

    def _findings(self, run_id: int) -> Iterator[PastFinding]:
        for row in self.connection.execute(sql("findings_of_run"), {"run_id": run_id}):
            kind = verdict_kind(row["kind"])
            lock = None if row["recipe"] is None else lock_id(row["lock_name"], row["recipe"])
            if kind is not None and (lock is None) == (row["recipe"] is None):
                yield PastFinding(
                    kind=kind,
                    lock=lock,
                    hold=None if row["key"] is None else Hold(row["key"], row["create_revision"]),
                    leases=leases_of(row["leases"]),
                    since_at=self._latest(row, "since_clock_id", "since_at"),
                    runs=row["runs"],
                )

    def _listings(self, prefixes: str) -> tuple[Listing, ...]:
        scope = {
            "lineage_id": self.lineage_id,
            "prefixes": prefixes,
            "judged_by": self.asked.judged_by,
        }
        return recall_lists(self.connection, self.timeline, scope, self.now)

    def _probes(self) -> Iterator[LeadershipProbe]:
        for row in self._ask("probes"):
            if self._is_past(row, "clock_id", "asked_at"):
                yield LeadershipProbe(
                    self._earliest(row, "clock_id", "asked_at"),
                    row["raft_term"],
                    id_number(row["leader_id"]) if row["leader_id"] else None,
                )

    def _keyless_since(self) -> Iterator[tuple[LeaseId, float]]:
        for row in self._ask("keyless"):
            since_at = self._seen_by(row, "since_clock_id", "since_at")
            if since_at is not None:
                yield LeaseId(row["lease_id"]), since_at


@lru_cache(CACHE_SIZE)
def _past_hold(
    first_answered_at: float, last_asked_at: float, held_first_answered_at: float | None
) -> PastHold:
    """Return one object for equal holds: keys of one reading have equal times."""
    return PastHold(
        first_answered_at=first_answered_at,
        last_asked_at=last_asked_at,
        held_first_answered_at=held_first_answered_at,
    )


def _is_wide(row: sqlite3.Row) -> bool:
    """Return whether one revision was reported more than once."""
    first = (row["first_clock_id"], row["first_asked_at"])
    return first != (row["last_clock_id"], row["last_asked_at"])


def _of_this_grant(rows: Sequence[sqlite3.Row]) -> list[sqlite3.Row]:
    """
    Return the rows without an earlier lease of the same ID.

    The earlier lease ended, or had another TTL.
    """
    granted = rows[-1]["granted_ttl_s"]
    last: list[sqlite3.Row] = []
    for row in reversed(rows):
        if row["granted_ttl_s"] != granted or granted == GONE_TTL_S:
            break
        last.append(row)
    return last[::-1]
