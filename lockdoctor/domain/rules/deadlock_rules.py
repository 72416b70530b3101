"""Find deadlocks, and adjust the other verdicts to the waits between sessions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from lockdoctor.domain.evidence import Evidence
from lockdoctor.domain.evidence.deadlock import (
    CheapestBreak,
    CycleEdge,
    HolderWaits,
    NoSingleBreak,
    WaitCycle,
)
from lockdoctor.domain.evidence.queue import Blocks
from lockdoctor.domain.evidence.remedies import Advice
from lockdoctor.domain.evidence.verdicts import Confidence, Severity, Verdict, VerdictKind
from lockdoctor.domain.graph.blocking_tree import BlockedLock
from lockdoctor.domain.graph.wait_graph import Cycle, WaitEdge, WaitGraph
from lockdoctor.domain.inference.lookup_schedule import is_overdue
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.model.locks import LockId, LockKey
from lockdoctor.domain.report.findings import LockReport

SeenDuration = Callable[[LockReport, LockKey], float]
"""The time that a key was seen in its place, in seconds; 0 where it was seen once only."""

EXPLAINED = frozenset({VerdictKind.SUSPECTED_LEAK, VerdictKind.BLOCKED_QUEUE})
"""The verdicts that a deadlock explains; a proven one explains a leaked lock as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitAnalysis:
    """The locks of a run, judged again with the waits between their sessions."""

    reports: tuple[LockReport, ...]
    tree: tuple[BlockedLock, ...]
    """The locks that are blocked behind one another."""


def judge_waits(reports: Sequence[LockReport], stood_s: SeenDuration) -> WaitAnalysis:
    """
    Find deadlocks, and locks that are stuck because their holders wait for others.

    A deadlock is reported once, and named by every lock that is part of it; it explains why they
    are held for long. A holder that waits elsewhere is less suspected of a leak than one that does
    not wait. A holder that blocks other locks matters more.
    """
    graph = WaitGraph(report.lock for report in reports if report.age is not None)
    judge = _Judge(reports, graph, stood_s)
    found: dict[LockId, list[_Deadlock]] = {}
    for deadlock in judge.deadlocks():
        for lock in deadlock.locks:
            found.setdefault(lock, []).append(deadlock)
    tree = graph.tree()
    roots = {row.lock for row in tree if not row.level}
    behind = graph.behind()
    judged = []
    for report in reports:
        if report.age is None:
            judged.append(report)
        elif report.lock.id in found:
            judged.append(_with_deadlocks(report, found[report.lock.id]))
        elif report.lock.id in behind:
            judged.append(_as_blocked(report, behind[report.lock.id][0]))
        elif report.lock.id in roots:
            judged.append(_as_root(report, judge.blocks([report.lock.id])))
        else:
            judged.append(report)
    return WaitAnalysis(reports=tuple(judged), tree=tuple(tree))


class _Deadlock(NamedTuple):
    """A cycle, its verdict, and the locks that it blocks."""

    verdict: Verdict
    sessions: frozenset[LeaseId]
    locks: frozenset[LockId]
    keys: frozenset[bytes]
    """The keys of its sessions in those locks."""


class _Judge:
    """Make verdicts of cycles."""

    def __init__(
        self, reports: Sequence[LockReport], graph: WaitGraph, stood_s: SeenDuration
    ) -> None:
        self.standing = [report for report in reports if report.age is not None]
        self.reports = {each.lock.id: each for each in self.standing if each.lock.waiters}
        self.graph = graph
        self.stood_s = stood_s

    def deadlocks(self) -> Iterator[_Deadlock]:
        """Yield every deadlock that will not end by itself."""
        for circle in self.graph.circles(self.keys_on):
            if not any(map(self._is_ending, circle.ring)):
                locks = self.graph.locks_of(circle)
                yield self._deadlock(circle, self._verdict(circle, locks), locks)

    def _deadlock(self, circle: Cycle, verdict: Verdict, locks: frozenset[LockId]) -> _Deadlock:
        keys = (key for lock in locks for key in self.reports[lock].lock.keys)
        own = frozenset(key.key for key in keys if key.lease_id in circle.sessions)
        return _Deadlock(verdict, circle.sessions, locks, own)

    def keys_on(self, lease: LeaseId) -> int:
        """Return the number of keys on a lease: by etcd, else those among the locks."""
        trace = self.standing[0].traces.get(lease)
        return len(trace.attached_keys if trace else ()) or self._seen[lease]

    @cached_property
    def _seen(self) -> Counter[LeaseId]:
        keys = {key.key: key.lease_id for each in self.standing for key in each.lock.keys}
        return Counter(keys.values())

    def blocks(self, locks: Collection[LockId]) -> list[Evidence]:
        """Return the evidence of how many waiters some locks block in all."""
        weight = self.graph.weight(locks)
        return [Blocks(waiters=weight.waiters, locks=weight.behind)] if weight else []

    def _verdict(self, circle: Cycle, locks: frozenset[LockId]) -> Verdict:
        first, itself = circle.ring[0].lock, len(circle.ring) == 1
        stood_s = min(self._stood_s(wait) for wait in circle.ring)
        sure = stood_s > 0 and circle.is_of_holders
        leases = [lease for wait in circle.ring for lease in (wait.on, wait.waiter)]
        return Verdict(
            kind=VerdictKind.SELF_DEADLOCK if itself else VerdictKind.DEADLOCK,
            severity=Severity.CRITICAL,
            confidence=Confidence.PROVEN if sure else Confidence.LIKELY,
            lock=first.id,
            key=first.holder.key if first.holder else None,
            leases=tuple(dict.fromkeys(leases)),
            evidence=(
                WaitCycle(
                    ring=tuple(map(_ring_wait, circle.ring)),
                    sessions=len(circle.sessions),
                    stood_s=stood_s,
                ),
                self._way_out(circle),
                *self.blocks(locks),
            ),
            remedy=_remedy(circle),
        )

    def _way_out(self, circle: Cycle) -> Evidence:
        if circle.breaker is None:
            return NoSingleBreak()
        return CheapestBreak(
            lease=circle.breaker,
            keys=self.keys_on(circle.breaker),
            waiters=self.graph.waiters_behind(circle.breaker),
        )

    def _stood_s(self, wait: WaitEdge) -> float:
        report = self.reports[wait.lock.id]
        keys = (key for key in wait.lock.keys if key.lease_id in {wait.waiter, wait.on})
        return min(self.stood_s(report, key) for key in keys)

    def _is_ending(self, wait: WaitEdge) -> bool:
        """Return whether etcd is about to end one of the two, which breaks the cycle."""
        traces = self.reports[wait.lock.id].traces
        found = (traces.get(lease) for lease in (wait.waiter, wait.on))
        return any(trace is not None and (trace.is_gone or is_overdue(trace)) for trace in found)


def _ring_wait(wait: WaitEdge) -> CycleEdge:
    return CycleEdge(
        waiter=wait.waiter, waits_for=wait.lock.name, behind=wait.on, is_holder=wait.on_holder
    )


def _remedy(circle: Cycle) -> Advice:
    if len(circle.ring) == 1:
        return Advice.NEVER_LOCK_ABOVE
    if circle.breaker is None:
        return Advice.END_SESSIONS_ONE_BY_ONE
    return Advice.END_NAMED_SESSION


def _with_deadlocks(report: LockReport, deadlocks: Sequence[_Deadlock]) -> LockReport:
    """
    Return the report with deadlocks first, without the verdicts they explain.

    A holder that only waits in front of a cycle is judged by itself. Keys of the cycle on a shared
    lease are part of the deadlock, so they need no verdict; other keys on it do.
    """
    holder = report.lock.holder
    explained: frozenset[VerdictKind] = frozenset()
    for deadlock in deadlocks:
        if holder is not None and holder.lease_id in deadlock.sessions:
            explained |= EXPLAINED
            if deadlock.verdict.confidence is Confidence.PROVEN:
                explained |= {VerdictKind.LEAKED_LOCK}
            if report.holder_trace and deadlock.keys.issuperset(report.holder_trace.attached_keys):
                explained |= {VerdictKind.SHARED_LEASE}
    others = [verdict for verdict in report.verdicts if verdict.kind not in explained]
    found = [deadlock.verdict for deadlock in deadlocks]
    return replace(report, verdicts=(*found, *others))


def _as_root(report: LockReport, blocks: Sequence[Evidence]) -> LockReport:
    """Add the blocked waiters; they make a likely leak as urgent as a proven one."""
    verdict = report.verdict
    if not verdict.is_finding:
        return report
    is_likely = verdict.confidence in {Confidence.PROVEN, Confidence.LIKELY}
    told = replace(
        verdict,
        severity=Severity.CRITICAL if is_likely else verdict.severity,
        evidence=(*verdict.evidence, *blocks),
    )
    return replace(report, verdicts=(told, *report.verdicts[1:]))


def _as_blocked(report: LockReport, other: LockId) -> LockReport:
    """Add the lock that its holder waits for, which makes a leak only possible."""
    verdict = report.verdict
    told = replace(verdict, evidence=(*verdict.evidence, HolderWaits(lock=other.name)))
    if verdict.kind is VerdictKind.SUSPECTED_LEAK:
        told = replace(told, confidence=Confidence.POSSIBLE, remedy=Advice.FREE_OTHER_LOCK_FIRST)
    return replace(report, verdicts=(told, *report.verdicts[1:]))
