"""Sessions that are likely of one client, and what that says of the locks that they hold."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from lockdoctor.domain.evidence import SameRhythm
from lockdoctor.domain.leases import LeaseId
from lockdoctor.domain.locks import Lock
from lockdoctor.domain.report import LockReport
from lockdoctor.domain.rhythm import MOST_CHANCE, Beat, chance_of_any, closest, in_step
from lockdoctor.domain.verdicts import Confidence, Severity, Verdict, VerdictKind
from lockdoctor.domain.waits import Circle
from lockdoctor.values import dataclass

MOST_TIMED = 48
"""So many sessions of contended locks are timed, those of the longest queues first."""

MOST_WAITERS = 8
"""So many waiters of one lock."""

FEWEST_IDLE = 3
"""Fewer sessions without keys than this are no leak beside which a holder could stand."""

HELD_FOR_LONG = frozenset({VerdictKind.LEAKED_LOCK, VerdictKind.SUSPECTED_LEAK})
"""Only a hold that stands still makes its client's own waiters worth a word."""


class Ties(NamedTuple):
    """Sessions that may belong to the client of a holder."""

    waiting: dict[LeaseId, list[LeaseId]]
    """Of each holder, those that wait for other locks in its rhythm."""
    chances: dict[LeaseId, float]
    """Of each such holder: that an independent client fits one of those that wait."""
    timed: int
    """Waiters that were timed."""


@dataclass(frozen=True, slots=True)
class Clients:
    """What the rhythm of their renewals says of the sessions of a run."""

    beats: Mapping[LeaseId, Beat]
    idle: Collection[LeaseId] = ()
    """Renewed leases without keys."""

    def ties(self, locks: Iterable[Lock]) -> Ties:
        """
        Look for holders that may wait for another lock with another session.

        A holder whose own session waits needs no other to be stuck.
        """
        queues = [lock for lock in locks if lock.holder and lock.waiters]
        waiters = {id(lock): self._timed(key.lease_id for key in lock.waiters) for lock in queues}
        stuck = {key.lease_id for lock in queues for key in lock.waiters}
        ties = Ties({}, {}, sum(map(len, waiters.values())))
        for lock in queues:
            holder = self.beats.get(lock.holder.lease_id) if lock.holder else None
            if holder is None or holder.lease_id in stuck:
                continue
            others = [beat for each in queues if each is not lock for beat in waiters[id(each)]]
            found = closest(holder, others)
            if found:
                ties.waiting[holder.lease_id] = sorted(found)
                ties.chances[holder.lease_id] = chance_of_any(holder, others)
        return ties

    def tied(self, circle: Circle, ties: Ties) -> SameRhythm | None:
        """
        Say how likely chance alone closes such a circle; None where it may well have.

        Holders in step may be of one client, and then fit or do not fit together.
        """
        holders = [self.beats[holder] for holder, _ in circle.links]
        apart: list[Beat] = []
        for holder in holders:
            if not in_step(holder, apart):
                apart.append(holder)
        chance = math.prod(ties.chances[holder.lease_id] for holder in apart)
        if chance > MOST_CHANCE:
            return None
        return SameRhythm(what="pairs", matched=len(holders), timed=ties.timed, chance=chance)

    def with_own(self, report: LockReport) -> LockReport:
        """Say of a lock held for long which waiters and idle sessions its client has beside it."""
        verdict, holder = report.verdict, report.lock.holder
        beat = self.beats.get(holder.lease_id) if holder else None
        if beat is None or verdict.kind not in HELD_FOR_LONG:
            return report
        idle = self._timed(self.idle)
        beside = _joined(beat, idle, "sessions") if len(idle) >= FEWEST_IDLE else None
        if beside:
            verdict = replace(verdict, evidence=(*verdict.evidence, beside))
        waiters = self._timed(waiter.lease_id for waiter in report.lock.waiters)
        behind = _joined(beat, waiters, "waiters")
        own = [_waits_for_itself(report, behind, in_step(beat, waiters))] if behind else []
        return replace(report, verdicts=(verdict, *own, *report.verdicts[1:]))

    def _timed(self, leases: Iterable[LeaseId]) -> list[Beat]:
        return [self.beats[lease] for lease in leases if lease in self.beats]


def worth_timing(contended: Iterable[Lock]) -> set[LeaseId]:
    """Choose the sessions whose rhythm may tell why a lock is stuck."""
    chosen: set[LeaseId] = set()
    for lock in sorted(contended, key=lambda lock: -len(lock.waiters)):
        keys = lock.keys[: MOST_WAITERS + 1]
        leases = {key.lease_id for key in keys if key.has_lease}
        if len(chosen | leases) <= MOST_TIMED:
            chosen |= leases
    return chosen


def _joined(beat: Beat, others: Sequence[Beat], what: str) -> SameRhythm | None:
    """Those in step with a session, unless chance may well have brought that about."""
    found, chance = in_step(beat, others), chance_of_any(beat, others)
    if not found or chance > MOST_CHANCE:
        return None
    return SameRhythm(what=what, matched=len(found), timed=len(others), chance=chance)


def _waits_for_itself(
    report: LockReport, rhythm: SameRhythm, waiters: Collection[LeaseId]
) -> Verdict:
    holder = report.lock.holder
    return Verdict(
        kind=VerdictKind.SELF_DEADLOCK,
        severity=Severity.WARNING,
        confidence=Confidence.LIKELY,
        lock=report.lock.id,
        key=holder.key if holder else None,
        leases=(*((holder.lease_id,) if holder else ()), *sorted(waiters)),
        evidence=(rhythm,),
        remedy="Look into the process that waits: it likely is the one that holds the lock, with"
        " another session; it will wait for ever unless it releases its own hold.",
    )
