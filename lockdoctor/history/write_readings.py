"""Add the lease readings of a run to the file, folded into the stored ones."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from lockdoctor.domain.model.leases import LeaseId, LeaseNotFound, LeaseReading, Reading
from lockdoctor.history.clocks import ClockTranslator
from lockdoctor.history.database.queries import sql
from lockdoctor.history.database.temp_tables import set_requested_leases
from lockdoctor.history.reading_spans import GONE_TTL_S, ReadingSpan, SpanKey, compress

BATCH_SIZE = 2_000
"""The number of leases written at a time: rows take memory until they are in the file."""

MAX_SPANS = 8
"""The number of most recent leaders for which the readings of a lease are kept."""


NOT_YET_S = 60.0
"""
The maximum time, in seconds, by which another run may have ended later than this one when this one
is stored. A moment further ahead comes from a wrong clock of one of the two.
"""


@dataclass(frozen=True, slots=True)
class _Tail:
    """The last stored readings of a lease."""

    number: int
    span_key: SpanKey | None
    """None where no reading can be added to them."""
    last_answered_at: float


class ReadingsWriter:
    """Write the readings of one run."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        timeline: ClockTranslator,
        common: dict[str, Any],
        ended_at: float,
    ) -> None:
        """
        Prepare to write within a transaction of the caller.

        Args:
            connection: The file.
            timeline: Its clocks.
            common: What all rows of the run have: lineage_id, clock_id and run_id.
            ended_at: When the run ended.
        """
        self._connection = connection
        self._timeline = timeline
        self._common = common
        self._not_yet = ended_at + NOT_YET_S

    def write(self, readings: Mapping[LeaseId, Sequence[Reading]]) -> None:
        """Store the readings of each lease, in the order in which they were asked."""
        leases = iter(readings)
        while some := list(islice(leases, BATCH_SIZE)):
            part = {lease_id: readings[lease_id] for lease_id in some}
            self._write_spans(part)
            self._write_keyless(part)

    def _write_spans(self, readings: Mapping[LeaseId, Sequence[Reading]]) -> None:
        tails = self._tails(readings)
        extended: list[dict[str, Any]] = []
        added: list[dict[str, Any]] = []
        for lease_id, found in readings.items():
            tail = tails.get(lease_id)
            spans = compress(_new(found, tail))
            if tail and spans and spans[0].span_key == tail.span_key:
                extended.append(self._span_row(lease_id, tail.number, spans.pop(0)))
            elif tail is None and spans and isinstance(spans[0].first, LeaseNotFound):
                del spans[0]  # no earlier span exists for it to end
            for number, span in enumerate(spans, start=tail.number + 1 if tail else 1):
                added.append(self._span_row(lease_id, number, span))
        self._put("extend_stretch", extended)
        self._put("add_stretch", added)
        self._put("drop_stretches", ({**row, "number": row["number"] - MAX_SPANS} for row in added))

    def _tails(self, lease_ids: Iterable[LeaseId]) -> dict[LeaseId, _Tail]:
        set_requested_leases(self._connection, lease_ids)
        rows = self._connection.execute(sql("last_stretches"), self._common)
        return {LeaseId(row["lease_id"]): self._tail(row) for row in rows}

    def _tail(self, row: sqlite3.Row) -> _Tail:
        last_answered_at = self._timeline.at(row["last_clock_id"], row["last_answered_at"])
        if last_answered_at > self._not_yet:  # stays as it is, for when the clock is right again
            return _Tail(number=row["number"], span_key=None, last_answered_at=-math.inf)
        granted = row["granted_ttl_s"]
        is_promoted = granted != GONE_TTL_S and row["first_remaining_ttl_s"] >= granted
        return _Tail(
            number=row["number"],
            span_key=SpanKey(granted, row["raft_term"], is_promoted=is_promoted),
            last_answered_at=last_answered_at,
        )

    def _span_row(self, lease_id: LeaseId, number: int, span: ReadingSpan) -> dict[str, Any]:
        first, last = span.first, span.last
        return {
            "lease_id": lease_id,
            "number": number,
            "granted_ttl_s": span.span_key.granted_ttl_s,
            "raft_term": span.span_key.raft_term,
            "first_asked_at": self._at(first.asked_at),
            "first_answered_at": self._at(first.answered_at),
            "first_remaining_ttl_s": _remaining(first),
            "last_asked_at": self._at(last.asked_at),
            "last_answered_at": self._at(last.answered_at),
            "last_remaining_ttl_s": _remaining(last),
            "readings": span.readings,
        }

    def _write_keyless(self, readings: Mapping[LeaseId, Sequence[Reading]]) -> None:
        in_use = [lease for lease, found in readings.items() if any(map(_shows_keys, found))]
        since = {lease: _keyless_since(found) for lease, found in readings.items()}
        self._put("drop_keyless", ({"lease_id": lease} for lease in in_use))
        self._put(
            "put_keyless",
            (
                {"lease_id": lease, "since_at": self._at(at)}
                for lease, at in since.items()
                if at is not None
            ),
        )

    def _put(self, query: str, rows: Iterable[dict[str, Any]]) -> None:
        self._connection.executemany(sql(query), ({**self._common, **row} for row in rows))

    def _at(self, moment: float) -> float:
        return self._timeline.stored(self._common["clock_id"], moment)


def _new(readings: Sequence[Reading], tail: _Tail | None) -> list[Reading]:
    """Return the readings without those that a concurrent run has stored already."""
    return [r for r in readings if tail is None or r.asked_at >= tail.last_answered_at]


def _remaining(reading: Reading) -> int:
    return reading.remaining_ttl_s if isinstance(reading, LeaseReading) else -1


def _shows_keys(reading: Reading) -> bool:
    """Return whether a reading ends the time without keys: it has keys, or is gone."""
    return isinstance(reading, LeaseNotFound) or bool(reading.attached_keys)


def _keyless_since(readings: Sequence[Reading]) -> float | None:
    """
    Return when the first of the latest readings without keys was answered.

    Returns:
        None where the last reading found keys.
    """
    since_at: float | None = None
    for reading in readings:
        if _shows_keys(reading):
            since_at = None
        elif isinstance(reading, LeaseReading) and reading.attached_keys == ():
            since_at = reading.answered_at if since_at is None else since_at
    return since_at
