"""
Find what readings of a lease prove about its renewals.

etcd counts no renewals and stores no times. Each reading places the lease's deadline in an
interval. A deadline that must have moved was moved by a client, unless a new leader moved it.

Source: Renew and Promote in etcd's server/lease/lessor.go; tried on 3.4.23 and 3.5.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lockdoctor.domain.inference.deadlines import (
    Interval,
    deadline,
    fewest_renewals,
    is_usable,
    last_refresh,
)
from lockdoctor.domain.inference.leadership import Leadership
from lockdoctor.domain.model.leases import NO_LEASE, LeaseId, LeaseNotFound, LeaseReading, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalTrace:
    """What a run's readings of one lease prove, in the order in which they were asked."""

    lease_id: LeaseId
    readings: tuple[Reading, ...]
    renewals: int = 0
    """The fewest renewals that explain the readings."""
    renewed_in: tuple[Interval, ...] = ()
    """Of each proven rise, when its last renewal happened."""
    renewals_before_last: tuple[int, ...] = ()
    """Of each proven rise, how many renewals it proves."""
    risen_from: tuple[float, ...] = ()
    """Of each proven rise, when the reading before it was asked."""
    closely_renewed_at: float | None = None
    """
    When the last reading was asked that proves a renewal since one less than a granted TTL before;
    None where no reading does. Over a longer time a renewal is only inferred from the lease's
    survival, which assumes that etcd's clock ran: that of a suspended machine does not.
    """
    last_refresh: Interval | None = None
    """When the deadline in force at the last reading was set: by a grant, a renewal or a leader."""
    late_by: float | None = None
    """
    An upper bound, in seconds, of the least remaining TTL at a reading after which a renewal is
    proven.
    """
    unconfirmed: int = 0
    """Rises that might be the work of a new leader."""

    @property
    def last(self) -> LeaseReading | None:
        """Return the last reading that found the lease."""
        if self.readings and isinstance(self.readings[-1], LeaseReading):
            return self.readings[-1]  # true for most leases, and this property is read repeatedly
        return next((r for r in reversed(self.readings) if isinstance(r, LeaseReading)), None)

    @property
    def is_gone(self) -> bool:
        """Return whether the last reading found no such lease."""
        return bool(self.readings) and isinstance(self.readings[-1], LeaseNotFound)

    @property
    def ended_early(self) -> bool:
        """Return whether the lease was gone before its deadline, so it was revoked."""
        if not self.is_gone or self.last is None or self.last_refresh is None:
            return False
        ends = self.last_refresh.earliest + self.last.granted_ttl_s
        return self.readings[-1].answered_at < ends

    @property
    def granted_ttl_s(self) -> int | None:
        """Return the granted TTL of the last reading, in seconds."""
        return self.last.granted_ttl_s if self.last else None

    @property
    def watched_s(self) -> float:
        """Return the seconds from the first reading to the last."""
        if not self.readings:
            return 0.0
        return self.readings[-1].answered_at - self.readings[0].asked_at

    @property
    def attached_keys(self) -> tuple[bytes, ...]:
        """Return the keys on the lease, sorted, as the last reading with keys has them."""
        keys = (r.attached_keys for r in reversed(self.readings) if isinstance(r, LeaseReading))
        return next((attached for attached in keys if attached is not None), ())

    def renewals_since(self, moment: float) -> int:
        """Return the fewest renewals that were proven to happen after a moment."""
        rises = zip(self.risen_from, self.renewed_in, self.renewals_before_last, strict=True)
        return sum(
            count if asked_at >= moment else int(last.earliest >= moment)
            for asked_at, last, count in rises
        )

    @property
    def at_most_every_s(self) -> float | None:
        """
        Return the maximum of the mean time between two renewals, in seconds.

        It is None where fewer than two are proven. More renewals than proven would make it shorter.
        """
        if self.renewals < 2 or len(self.renewed_in) < 2:  # noqa: PLR2004 - a period needs two ends
            return None
        between = sum(self.renewals_before_last[1:])
        return (self.renewed_in[-1].latest - self.renewed_in[0].earliest) / between

    @property
    def period_at_most_s(self) -> float | None:
        """
        Return the maximum time between two renewals; None where no renewal is proven.

        A grant and the renewal after it give this time as well as two renewals do.
        """
        asked = {reading.asked_at: reading for reading in self.readings}
        spans = [self.at_most_every_s] if self.at_most_every_s is not None else []
        rises = zip(self.risen_from, self.renewed_in, self.renewals_before_last, strict=True)
        for asked_at, last, count in rises:
            before = asked[asked_at]
            if isinstance(before, LeaseReading):
                spans.append((last.latest - last_refresh(before).earliest) / count)
        return min(spans, default=None)

    @property
    def left_s(self) -> float:
        """Return the maximum remaining TTL at the last reading, in seconds."""
        if self.last is None or self.last_refresh is None:
            return 0.0
        return max(0.0, self.last_refresh.latest + self.last.granted_ttl_s - self.last.asked_at)

    @property
    def unrenewed_for_s(self) -> float:
        """Return the minimum time without a renewal at the last reading, in seconds."""
        if self.last is None or self.last_refresh is None:
            return 0.0
        return max(0.0, self.last.asked_at - self.last_refresh.latest)


def trace(lease_id: LeaseId, readings: Sequence[Reading], leadership: Leadership) -> RenewalTrace:
    """
    Return what the readings of one lease prove, in the order they were asked.

    The deadline in force is kept as the intersection of the intervals that agree; the first reading
    that cannot agree proves that it moved. This greedy way finds the fewest moves.
    """
    builder = _TraceBuilder(leadership)
    for reading in readings:
        builder.add(reading)
    return RenewalTrace(
        lease_id=lease_id,
        readings=tuple(readings),
        renewals=sum(builder.counts),
        renewed_in=tuple(builder.renewed_in),
        renewals_before_last=tuple(builder.counts),
        risen_from=tuple(builder.risen_from),
        closely_renewed_at=builder.closely_renewed_at,
        last_refresh=builder.last_refresh,
        late_by=builder.late_by,
        unconfirmed=builder.unconfirmed,
    )


class Traces(Mapping[LeaseId, RenewalTrace]):
    """
    What the readings of each lease prove, computed on each access.

    Stored for 100,000 leases it would take as much memory as all their readings.
    """

    def __init__(
        self, readings: Mapping[LeaseId, Sequence[Reading]], leadership: Leadership
    ) -> None:
        """Store the readings; compute no trace yet."""
        self._readings = readings
        self._leadership = leadership
        self._last = RenewalTrace(lease_id=NO_LEASE, readings=())

    def __getitem__(self, lease_id: LeaseId) -> RenewalTrace:
        """Return the trace of one lease; the last one is cached."""
        if self._last.lease_id != lease_id:
            self._last = trace(lease_id, self._readings[lease_id], self._leadership)
        return self._last

    def __iter__(self) -> Iterator[LeaseId]:
        """Yield the IDs of the leases that were read."""
        return iter(self._readings)

    def __len__(self) -> int:
        """Return the number of leases that were read."""
        return len(self._readings)


class _TraceBuilder:
    """The deadline in force, and what has been proven so far."""

    def __init__(self, leadership: Leadership) -> None:
        self.leadership = leadership
        self.counts: list[int] = []
        self.renewed_in: list[Interval] = []
        self.risen_from: list[float] = []
        self.closely_renewed_at: float | None = None
        self.late_by: float | None = None
        self.unconfirmed = 0
        self._current: Interval | None = None
        self._previous: LeaseReading | None = None
        self._ended = False

    @property
    def last_refresh(self) -> Interval | None:
        if self._current is None or self._previous is None:
            return None
        return self._current.before(self._previous.granted_ttl_s)

    def add(self, reading: Reading) -> None:
        if isinstance(reading, LeaseNotFound):
            self._ended = True
            return
        if not is_usable(reading):
            return
        seen, current, previous = deadline(reading), self._current, self._previous
        is_new = self._ended or previous is None or previous.granted_ttl_s != reading.granted_ttl_s
        if current is None or previous is None or is_new:  # the ID was granted anew
            self._current = seen
            self._ended = False
        elif previous.raft_term != reading.raft_term:
            self.unconfirmed += 1 if fewest_renewals(current, seen, 1) else 0
            self._current = seen
        else:
            self._join(previous, reading, current, seen)
        self._previous = reading

    def _join(
        self, previous: LeaseReading, reading: LeaseReading, current: Interval, seen: Interval
    ) -> None:
        granted_s = reading.granted_ttl_s
        moved = fewest_renewals(current, seen, granted_s)
        agreed = Interval(max(current.earliest, seen.earliest), min(current.latest, seen.latest))
        self._current = seen if moved or agreed.earliest >= agreed.latest else agreed
        if moved and self.leadership.is_steady(previous, reading):
            self.counts.append(moved)
            self.risen_from.append(previous.asked_at)
            if reading.answered_at - previous.asked_at < granted_s:
                self.closely_renewed_at = reading.asked_at
            self.renewed_in.append(seen.before(granted_s))
            left_s = current.latest - previous.asked_at
            self.late_by = left_s if self.late_by is None else min(self.late_by, left_s)
        elif moved:
            self.unconfirmed += 1
