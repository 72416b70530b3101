"""HistoryReader: the content of one file, for people and for other programs."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from lockdoctor.domain.model.leases import NO_LEASE, LeaseId
from lockdoctor.domain.past.past import ClockMark
from lockdoctor.domain.past.stored import Stored, StoredFinding, StoredHold, StoredRun
from lockdoctor.history.database.connection import connect_to_read, validating_rows
from lockdoctor.history.listing import Listing
from lockdoctor.history.store import WAIT_S

if TYPE_CHECKING:
    from typing_extensions import Self  # in typing from Python 3.11 on


def open_reader(path: Path, clock_mark: ClockMark, *, wait_s: float = WAIT_S) -> HistoryReader:
    """
    Open a history for reading, as it is now, whatever runs write meanwhile.

    Args:
        path: The file.
        clock_mark: The present moment; stored moments are translated to its time.
        wait_s: The maximum time to wait for a run that has locked the file, in seconds.

    Raises:
        HistoryTooNewError: A newer lockdoctor has written it.
        HistoryBusyError: Another run kept it locked for `wait_s` seconds.
        HistoryError: There is no file, or it is empty, or it cannot be read.
    """
    return HistoryReader(path, clock_mark, wait_s)


class HistoryReader:
    """
    The runs in one file; close it, or use it in a with statement.

    It never changes the file, and does not rename a damaged one. Every method raises HistoryError
    where the file turns out to be damaged.
    """

    def __init__(self, path: Path, clock_mark: ClockMark, wait_s: float) -> None:
        """Open the file; see open_reader."""
        self._path = path
        self._connection = connect_to_read(path, wait_s)
        try:
            with validating_rows(self._path):
                self._connection.execute("BEGIN DEFERRED")
                self._listing = Listing(self._connection, clock_mark)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        """Return the reader, which is open already."""
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

    def runs(self) -> tuple[StoredRun, ...]:
        """Return the runs, the last one first."""
        with validating_rows(self._path):
            return tuple(self._listing.runs())

    def about(self, name: bytes, lease_id: LeaseId | None = None) -> Stored:
        """
        Return what is stored of one lock or lease.

        Args:
            name: A lock's name, or a key.
            lease_id: The lease that the same word can mean.

        Returns:
            The holds of the lock, under the key, and of the lease; the readings of their leases,
            and of the lease; the findings on the lock, or on the locks of those holds while they
            lasted.
        """
        with validating_rows(self._path):
            holds = tuple(dict.fromkeys(self._holds(name, lease_id)))
            lease_ids = {hold.lease_id for hold in holds} | {lease_id or NO_LEASE}
            return Stored(
                holds=holds,
                leases=tuple(
                    reading
                    for each in sorted(lease_ids - {NO_LEASE})
                    for reading in self._listing.leases("stretches_of_lease", lease_id=each)
                ),
                findings=tuple(self._findings(name, holds)),
            )

    def export(self) -> Iterator[dict[str, Any]]:
        """
        Yield everything that is stored, one plain dictionary at a time.

        `record` is its kind: run, hold, lease or finding. Bytes stay bytes, and moments are POSIX
        seconds.
        """
        with validating_rows(self._path):
            listing = self._listing
            yield from (_plain("run", each) for each in listing.runs())
            yield from (_plain("hold", each) for each in listing.holds("all_holds"))
            yield from (_plain("lease", each) for each in listing.leases("all_stretches"))
            yield from (_plain("finding", each) for each in listing.findings("all_findings"))

    def _holds(self, name: bytes, lease_id: LeaseId | None) -> Iterator[StoredHold]:
        yield from self._listing.holds("holds_of_lock", lock_name=name)
        yield from self._listing.holds("holds_of_key", key=name)
        if lease_id is not None:
            yield from self._listing.holds("holds_of_lease", lease_id=lease_id)

    def _findings(self, name: bytes, holds: tuple[StoredHold, ...]) -> Iterator[StoredFinding]:
        yield from self._listing.findings("findings_of_lock", lock_name=name)
        for other in dict.fromkeys(hold.lock_name for hold in holds if hold.lock_name != name):
            for finding in self._listing.findings("findings_of_lock", lock_name=other):
                if any(_stood_with(hold, finding) for hold in holds):
                    yield finding


def _stood_with(hold: StoredHold, finding: StoredFinding) -> bool:
    return (
        (hold.lineage, hold.lock_name) == (finding.lineage, finding.lock_name)
        and finding.since_at <= hold.last_asked_at
        and finding.last_at >= hold.first_answered_at
    )


def _plain(record: str, value: Any) -> dict[str, Any]:
    fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    hold = fields.pop("hold", None)
    if hold is not None:
        fields |= hold._asdict()
    return {
        "record": record,
        **{k: v.name.lower() if isinstance(v, enum.Enum) else v for k, v in fields.items()},
    }
