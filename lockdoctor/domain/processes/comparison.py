"""Compare the report with other sources: processes and etcd's counters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from lockdoctor.domain.evidence import Evidence
from lockdoctor.domain.evidence.processes import (
    TOLERANCE,
    KeptAliveBy,
    ProcessSessions,
    ServerCounted,
    UnattributedSessions,
)
from lockdoctor.domain.evidence.verdicts import Verdict, VerdictKind
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.processes.server_counters import compare
from lockdoctor.domain.report.findings import LockReport
from lockdoctor.domain.report.processes import (
    CountComparison,
    CounterChanges,
    GoroutineCounts,
    MemberCounters,
    ProcessReport,
)
from lockdoctor.domain.report.report import Report
from lockdoctor.domain.report.unseen import ProcessPart, Unseen

LEAKS = frozenset({VerdictKind.LEAKED_SESSION, VerdictKind.SESSION_PILE_UP})

SLACK = 3
"""The maximum difference that can be a request or two between the two counts."""

MIN_SESSIONS = 3
"""The minimum number of live sessions for which a process is suspected of a leak."""

UNLISTED_S = 2.0
"""Seconds between the list of leases and the reading of a process that opens sessions."""

MIN_WATCHED_S = 1.0
"""The minimum time between two readings of counters, in seconds; less proves too little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSnapshot:
    """One reading of the goroutines of one process."""

    name: str
    source: str
    """The source of the profile, without any password."""
    seen_at: float | None
    """None where the profile was saved earlier."""
    counts: GoroutineCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessData:
    """The data of all sources at one end of the window."""

    processes: tuple[ProcessSnapshot, ...] = ()
    counters: tuple[MemberCounters, ...] = ()
    unseen: tuple[Unseen, ...] = ()

    @classmethod
    def of(cls, sources: Iterable[ProcessData]) -> ProcessData:
        """Return the data of all sources together."""
        sources = list(sources)
        return cls(
            processes=tuple(process for each in sources for process in each.processes),
            counters=tuple(counters for each in sources for counters in each.counters),
            unseen=tuple(unseen for each in sources for unseen in each.unseen),
        )


def add_process_evidence(report: Report, before: ProcessData, after: ProcessData) -> Report:
    """Add the data of the sources to a report: to its findings, and by itself."""
    keyless = _keyless(report)
    names = [each.name for each in after.processes]
    late = [each for each in before.processes if each.name not in names]
    earlier = {each.name: each for each in before.processes}
    holders = {each.lock.holder.lease_id for each in report.locks if each.lock.holder}
    processes = (
        *(_process(seen, earlier.get(seen.name), keyless, holders) for seen in after.processes),
        *(_process(seen, None, keyless, holders, is_last=False) for seen in late),
    )
    server = compare(before.counters, after.counters)
    if server is not None and server.watched_s < MIN_WATCHED_S:
        server = None
    unseen = {each.what: each for each in (*before.unseen, *after.unseen)}
    for name in names:
        unseen.pop(ProcessPart(name), None)  # it was read in the end
    return replace(
        report,
        locks=tuple(_with_keepers(lock, processes) for lock in report.locks),
        session_verdicts=tuple(
            _with_evidence(verdict, processes, server, keyless)
            for verdict in report.session_verdicts
        ),
        processes=processes,
        server=server,
        unseen=(*report.unseen, *unseen.values()),
    )


@dataclass(frozen=True, slots=True)
class _Keyless:
    """The leases without keys that etcd has."""

    leases: frozenset[int]
    """Proven to be renewed."""
    open: int
    """More of them, too young for a proof."""


def _keyless(report: Report) -> _Keyless | None:
    """Return the leases without keys; None where the run could not read them all."""
    if not report.lists_sessions or report.interrupted is not None:
        return None
    by_kind: dict[VerdictKind, set[int]] = {}
    for session in report.sessions:
        by_kind.setdefault(session.verdict.kind, set()).add(session.trace.lease_id)
    return _Keyless(
        frozenset(by_kind.get(VerdictKind.IDLE_SESSION, ())),
        len(by_kind.get(VerdictKind.UNDETERMINED, ())),
    )


def _process(
    seen: ProcessSnapshot,
    earlier: ProcessSnapshot | None,
    keyless: _Keyless | None,
    holders: AbstractSet[LeaseId],
    *,
    is_last: bool = True,
) -> ProcessReport:
    counts = seen.counts
    shows_ids = counts.names_all_leases and is_last
    watched_s = 0.0
    if earlier and earlier.seen_at is not None and seen.seen_at is not None:
        watched_s = seen.seen_at - earlier.seen_at
    before = earlier.counts.sessions if earlier and watched_s > 0 else None
    grew_per_s = 0.0 if before is None else max(0.0, (counts.sessions - before) / watched_s)
    return ProcessReport(
        name=seen.name,
        source=seen.source,
        counts=counts,
        is_saved=seen.seen_at is None,
        sessions_before=before,
        watched_s=watched_s,
        keyless_kept=len(keyless.leases & counts.words) if keyless and shows_ids else None,
        locks_held=len(holders & counts.words) if shows_ids else None,
        agreement=_agreement(counts, keyless, grew_per_s) if keyless else None,
    )


def _agreement(counts: GoroutineCounts, keyless: _Keyless, grew_per_s: float) -> CountComparison:
    """Compare the sessions that do not wait for a lock; those that wait have a key."""
    sessions = counts.sessions - counts.waiting
    fewest, most = len(keyless.leases), len(keyless.leases) + keyless.open
    slack = _slack(fewest)
    if sessions < fewest - slack:
        return CountComparison.FEWER
    slack += math.ceil(grew_per_s * UNLISTED_S)
    return CountComparison.MORE if sessions > most + slack else CountComparison.AS_MANY


def _slack(leases: int) -> int:
    return max(SLACK, math.ceil(leases * TOLERANCE))


def _with_keepers(lock: LockReport, processes: Sequence[ProcessReport]) -> LockReport:
    """Add to each finding on a lock the process that keeps its lease alive."""
    verdicts = tuple(
        verdict.with_evidence(*_keepers(verdict, processes)) if verdict.is_finding else verdict
        for verdict in lock.verdicts
    )
    return replace(lock, verdicts=verdicts)


def _keepers(verdict: Verdict, processes: Iterable[ProcessReport]) -> Iterator[KeptAliveBy]:
    for process in processes:
        kept = len(process.counts.words & set(verdict.leases))
        if kept:
            yield KeptAliveBy(
                process=process.name, kept=kept, of=len(verdict.leases), saved=process.is_saved
            )


def _with_evidence(
    verdict: Verdict,
    processes: Sequence[ProcessReport],
    server: CounterChanges | None,
    keyless: _Keyless | None,
) -> Verdict:
    evidence: list[Evidence] = []
    if verdict.kind in LEAKS:
        evidence += [*_suspects(processes, keyless), *_counted(server)]
    explained = {
        e.process for e in evidence if isinstance(e, ProcessSessions) and e.kept is not None
    }
    keepers = _keepers(verdict, [each for each in processes if each.name not in explained])
    return verdict.with_evidence(*keepers, *evidence)


def _suspects(
    processes: Sequence[ProcessReport], keyless: _Keyless | None
) -> Iterator[ProcessSessions | UnattributedSessions]:
    """Yield the processes that can hold the leaked sessions, and the unexplained rest."""
    if keyless is None or not processes:
        return
    for process in sorted(processes, key=lambda each: -each.counts.sessions):
        if process.agreement and process.counts.sessions >= MIN_SESSIONS:
            yield ProcessSessions(
                process=process.name,
                sessions=process.counts.sessions,
                before=process.sessions_before,
                watched_s=process.watched_s,
                waiting=process.counts.waiting,
                keyless_leases=len(keyless.leases),
                kept=process.keyless_kept,
                agreement=process.agreement.value,
                saved=process.is_saved,
            )
    unkept = _unkept(processes, keyless)
    if unkept:
        yield UnattributedSessions(leases=unkept, processes=len(processes))


def _unkept(processes: Sequence[ProcessReport], keyless: _Keyless) -> int:
    """
    Count the leases that no goroutine of the processes names; 0 if that is unsure.

    Numbers alone prove no difference: a process whose profile hides a lease's ID, or is older,
    might keep any lease.
    """
    if any(process.keyless_kept is None or process.is_saved for process in processes):
        return 0
    unkept = len(keyless.leases.difference(*(p.counts.words for p in processes)))
    return unkept if unkept > SLACK else 0


def _counted(server: CounterChanges | None) -> Iterator[ServerCounted]:
    if server is None or server.granted is None or server.revoked is None:
        return
    yield ServerCounted(
        granted=server.granted,
        revoked=server.revoked,
        expired=server.expired,
        watched_s=server.watched_s,
    )
