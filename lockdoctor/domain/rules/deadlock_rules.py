"""Find deadlocks, and adjust the other verdicts to the waits between sessions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
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


def judge_waits(
    reports: Sequence[LockReport], in_place_s: SeenDuration
) -> tuple[list[LockReport], list[BlockedLock]]:
    """
    Find deadlocks, and locks that are stuck because their holders wait for others.

    A deadlock is reported once, and named by every lock that is part of it; it explains why they
    are held for long. A holder that waits elsewhere is less suspected of a leak than one that does
    not wait. A holder that blocks other locks matters more.

    Returns:
        The reports with these verdicts, and the locks that are blocked behind one another.
    """
    judge = _Judge([report for report in reports if report.age is not None], in_place_s)
    deadlocks: dict[LockId, list[_Deadlock]] = {}
    for deadlock in judge.deadlocks():
        for lock in deadlock.locks:
            deadlocks.setdefault(lock, []).append(deadlock)
    tree, behind = judge.graph.tree(), judge.graph.behind()
    roots = {row.lock for row in tree if not row.level}

    def judged(report: LockReport) -> LockReport:
        lock = report.lock.id
        if report.age is None:
            return report
        if lock in deadlocks:
            return _with_deadlocks(report, deadlocks[lock])
        if lock in behind:
            return _as_blocked(report, behind[lock])
        return _as_root(report, judge.blocks([lock])) if lock in roots else report

    return [judged(report) for report in reports], tree


class _Deadlock(NamedTuple):
    """A cycle, its verdict, and the locks that it blocks."""

    verdict: Verdict
    sessions: frozenset[LeaseId]
    locks: frozenset[LockId]
    keys: frozenset[bytes]
    """The keys of its sessions in those locks."""


class _Judge:
    """Makes verdicts of cycles."""

    def __init__(self, held: Sequence[LockReport], in_place_s: SeenDuration) -> None:
        keys = {key.key: key.lease_id for report in held for key in report.lock.keys}
        self.key_counts = Counter(keys.values())
        self.reports = {report.lock.id: report for report in held if report.lock.waiters}
        self.traces = held[0].traces if held else {}
        self.in_place_s = in_place_s
        self.graph = WaitGraph((report.lock for report in held), self.keys_on)

    def deadlocks(self) -> Iterator[_Deadlock]:
        """Yield every deadlock that will not end by itself."""
        for cycle in self.graph.cycles():
            if not any(map(self._is_ending, cycle.edges)):
                locks = self.graph.locks_of(cycle)
                keys = (key for lock in locks for key in self.reports[lock].lock.keys)
                own = frozenset(key.key for key in keys if key.lease_id in cycle.sessions)
                yield _Deadlock(self._verdict(cycle, locks), cycle.sessions, locks, own)

    def keys_on(self, lease: LeaseId) -> int:
        """Return the number of keys on a lease: by etcd, else those among the locks."""
        trace = self.traces.get(lease)
        return len(trace.attached_keys if trace else ()) or self.key_counts[lease]

    def blocks(self, locks: Collection[LockId]) -> list[Evidence]:
        """Return the evidence of how many waiters some locks block in all."""
        blocked = self.graph.blocked_by(locks)
        return [Blocks(waiters=blocked.waiters, locks=blocked.behind)] if blocked else []

    def _verdict(self, cycle: Cycle, locks: frozenset[LockId]) -> Verdict:
        first = cycle.edges[0].lock
        in_place_s = min(map(self._edge_in_place_s, cycle.edges))
        is_proven = in_place_s > 0 and cycle.is_of_holders
        edges = tuple(CycleEdge(e.waiter, e.lock.name, e.on, e.on_holder) for e in cycle.edges)
        found = WaitCycle(ring=edges, sessions=len(cycle.sessions), stood_s=in_place_s)
        kind, remedy = VerdictKind.DEADLOCK, Advice.END_NAMED_SESSION
        if len(edges) == 1:
            kind, remedy = VerdictKind.SELF_DEADLOCK, Advice.NEVER_LOCK_ABOVE
        elif cycle.breaker is None:
            remedy = Advice.END_SESSIONS_ONE_BY_ONE
        return Verdict(
            kind=kind,
            severity=Severity.CRITICAL,
            confidence=Confidence.PROVEN if is_proven else Confidence.LIKELY,
            lock=first.id,
            key=first.holder.key if first.holder else None,
            leases=tuple(dict.fromkeys(s for edge in edges for s in (edge.behind, edge.waiter))),
            evidence=(found, self._break(cycle.breaker), *self.blocks(locks)),
            remedy=remedy,
        )

    def _break(self, breaker: LeaseId | None) -> Evidence:
        if breaker is None:
            return NoSingleBreak()
        return CheapestBreak(breaker, self.keys_on(breaker), self.graph.waiters_behind(breaker))

    def _edge_in_place_s(self, edge: WaitEdge) -> float:
        """Return how long both sessions of an edge were seen in their places."""
        keys = (key for key in edge.lock.keys if key.lease_id in {edge.waiter, edge.on})
        return min(self.in_place_s(self.reports[edge.lock.id], key) for key in keys)

    def _is_ending(self, edge: WaitEdge) -> bool:
        """Return whether etcd is about to end one of the two, which breaks the cycle."""
        traces = (self.traces.get(lease) for lease in (edge.waiter, edge.on))
        return any(trace is not None and (trace.is_gone or is_overdue(trace)) for trace in traces)


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
    return replace(report, verdicts=(*(deadlock.verdict for deadlock in deadlocks), *others))


def _as_root(report: LockReport, blocks: Sequence[Evidence]) -> LockReport:
    """Add the blocked waiters; they make a likely leak as urgent as a proven one."""
    first, *others = report.verdicts
    if not first.is_finding:
        return report
    if first.confidence in {Confidence.PROVEN, Confidence.LIKELY}:
        first = replace(first, severity=Severity.CRITICAL)
    return replace(report, verdicts=(first.with_evidence(*blocks), *others))


def _as_blocked(report: LockReport, other: LockId) -> LockReport:
    """Add the lock that its holder waits for, which makes a leak only possible."""
    first, *others = report.verdicts
    if first.kind is VerdictKind.SUSPECTED_LEAK:
        first = replace(first, confidence=Confidence.POSSIBLE, remedy=Advice.FREE_OTHER_LOCK_FIRST)
    return replace(report, verdicts=(first.with_evidence(HolderWaits(other.name)), *others))
