"""
Store few readings: keep those that prove something, and fold repeats.

Of the readings of one lease under one raft term, the first and the last prove nearly all that the
whole row proves: the deadline moved from the one to the other. docs/history.md describes what is
lost, and tests/history/test_reading_spans.py checks it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from lockdoctor.domain.inference.deadlines import is_usable
from lockdoctor.domain.inference.leadership import shows_promotion
from lockdoctor.domain.model.leases import LeaseNotFound, LeaseReading, Reading

GONE_TTL_S = 0
"""The granted TTL in etcd's answer for a lease that does not exist."""


class SpanKey(NamedTuple):
    """What readings have in common that can be folded into one span."""

    granted_ttl_s: int
    """GONE_TTL_S where the lease was gone."""
    raft_term: int
    is_promoted: bool
    """Such a reading discards those around it, so it must not be lost among others."""


@dataclass(frozen=True, slots=True)
class ReadingSpan:
    """Successive readings of one lease, folded."""

    first: Reading
    last: Reading
    readings: int = 1

    @property
    def span_key(self) -> SpanKey:
        """Return what its readings have in common."""
        return span_key(self.first)

    @property
    def ends(self) -> tuple[Reading, ...]:
        """Return the readings that are left."""
        return (self.first,) if self.readings == 1 else (self.first, self.last)


def span_key(reading: Reading) -> SpanKey:
    """Return what a reading must have in common with others to be folded."""
    if isinstance(reading, LeaseNotFound):
        return SpanKey(GONE_TTL_S, reading.raft_term, is_promoted=False)
    return SpanKey(reading.granted_ttl_s, reading.raft_term, shows_promotion(reading))


def compress(readings: Iterable[Reading]) -> list[ReadingSpan]:
    """Return the readings of one lease folded into spans, in the order asked."""
    spans: list[ReadingSpan] = []
    for reading in readings:
        if isinstance(reading, LeaseReading) and not is_usable(reading):
            continue
        if spans and spans[-1].span_key == span_key(reading):
            extended_span = replace(spans[-1], last=reading, readings=spans[-1].readings + 1)
            spans[-1] = extended_span
        else:
            spans.append(ReadingSpan(reading, reading))
    return spans
