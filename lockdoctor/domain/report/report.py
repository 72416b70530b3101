"""The result of one run: what was seen, the verdicts, and what could not be seen."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from lockdoctor.domain.evidence.verdicts import Confidence, Severity, Verdict, VerdictKind
from lockdoctor.domain.report.findings import Finding, LockReport, SessionReport, rank

if TYPE_CHECKING:
    from lockdoctor.domain.evidence.sessions import SessionsAlike
    from lockdoctor.domain.graph.blocking_tree import BlockedLock
    from lockdoctor.domain.model.alarms import ClusterAlarm
    from lockdoctor.domain.past.past import PastFinding
    from lockdoctor.domain.report.processes import CounterChanges, ProcessReport


LEASE_LIST = "list of leases"
KEYLESS_LEASES = "leases without keys"
"""What Unseen calls what a run needs in order to count sessions."""

HISTORY = "history of earlier runs"
OWN_RUN = "this run in the history"
"""What Unseen calls what went wrong with the history; all of etcd was seen none the less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterFacts:
    """The cluster that was examined, as it presented itself at the end of the run."""

    cluster_id: int
    version: str
    endpoint: str
    """The member that was read from."""
    raft_term: int
    revision: int
    leader_changes: int
    """How often the raft term was seen to rise during the run."""
    members: frozenset[int] = frozenset()
    """The IDs of all members; empty where they are not known."""
    alarms: tuple[ClusterAlarm, ...] | None = None
    """The alarms of the cluster, the worst first; None where they could not be seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """Something that could not be examined, and why; never silently read as healthy."""

    what: str
    """For example `lease list`, `leases`, `keys below the prefix`, `watch`."""
    count: int | None
    """How many of them, where that is known."""
    why: str
    is_failure: bool = False
    """Something went wrong, so that a check cannot vouch for what it did not see."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """The verdicts of one run, and what could not be examined."""

    started_at: float
    """POSIX seconds."""
    watched_s: float
    """From the first answer to the last."""
    window_s: float
    """The longest that the run was allowed to watch."""
    lookups: int
    """Readings of leases that were asked for."""
    interrupted: str | None
    """Why the run ended before its time; None if it did not."""
    cluster: ClusterFacts
    prefixes: tuple[bytes, ...]
    locks: tuple[LockReport, ...]
    """Worst first, then by name."""
    sessions: tuple[SessionReport, ...]
    session_verdicts: tuple[Verdict, ...]
    """Verdicts of the leases without keys taken together."""
    unseen: tuple[Unseen, ...]
    session_groups: tuple[SessionsAlike, ...] = ()
    """The renewed leases without keys, by where they come from; the most first."""
    blocking: tuple[BlockedLock, ...] = ()
    """The locks that are blocked behind one another: each root, then what is behind it."""
    past_runs: int | None = None
    """Earlier runs over the same prefixes that this one builds on; None where it had no history."""
    gone: tuple[PastFinding, ...] = ()
    """Findings of the last run that stand no more."""
    processes: tuple[ProcessReport, ...] = ()
    """The processes whose goroutines were looked at."""
    server: CounterChanges | None = None
    """What etcd's own counters say; None where they could not be compared."""
    notes: tuple[str, ...] = ()
    """What else the reader should know of how the run went, a sentence each."""

    @cached_property
    def located_findings(self) -> tuple[Finding, ...]:
        """Every verdict of WARNING or worse: the worst first, then those that block somebody."""
        return tuple(each for each in self._ranked if each.verdict.is_finding)

    @property
    def findings(self) -> tuple[Verdict, ...]:
        """The verdicts of those."""
        return tuple(finding.verdict for finding in self.located_findings)

    @property
    def finding_groups(self) -> tuple[tuple[Finding, ...], ...]:
        """The findings of one kind and confidence together, in the order of the first of each."""
        groups: dict[tuple[VerdictKind, Confidence], list[Finding]] = {}
        for finding in self.located_findings:
            key = (finding.verdict.kind, finding.verdict.confidence)
            groups.setdefault(key, []).append(finding)
        return tuple(map(tuple, groups.values()))

    @property
    def accepted(self) -> tuple[Finding, ...]:
        """What would be findings, had nobody accepted them."""
        return tuple(each for each in self._ranked if each.verdict.accepted)

    @cached_property
    def _ranked(self) -> list[Finding]:
        """Every verdict that is a finding, or would be one; the worst first."""
        found = [
            Finding(verdict, lock)
            for lock in self.locks
            for verdict in lock.verdicts
            if verdict.severity  # the many others are not copied
            if verdict.lock in {lock.lock.id, None}  # a deadlock is told once, by its first lock
        ]
        found += [Finding(verdict, None) for verdict in self.session_verdicts]
        return sorted(found, key=rank)

    @property
    def blind_to(self) -> tuple[Unseen, ...]:
        """What of etcd could not be examined, though nobody asked to leave it out."""
        left_out = {HISTORY, OWN_RUN, KEYLESS_LEASES}
        return tuple(each for each in self.unseen if each.what not in left_out)

    @cached_property
    def undetermined(self) -> tuple[LockReport, ...]:
        """The locks for which the evidence did not suffice."""
        return tuple(
            lock
            for lock in self.locks
            if any(verdict.kind is VerdictKind.UNDETERMINED for verdict in lock.verdicts)
        )

    @cached_property
    def session_counts(self) -> Counter[VerdictKind]:
        """How many leases without keys each verdict names."""
        return Counter(session.verdict.kind for session in self.sessions)

    def locks_of(self, prefix: bytes) -> tuple[LockReport, ...]:
        """Give the locks that were found under one prefix of the command line."""
        return tuple(lock for lock in self.locks if lock.prefix == prefix)

    @property
    def severity(self) -> Severity:
        """The worst severity of all verdicts; an alarm of the cluster is CRITICAL."""
        if self.cluster.alarms:
            return Severity.CRITICAL
        return max((finding.severity for finding in self.findings), default=Severity.OK)

    @cached_property
    def renewals(self) -> int:
        """The fewest renewals that all readings together prove."""
        by_lease = {
            key.lease_id: found.renewals
            for report in self.locks
            for key in report.lock.keys
            if (found := report.traces.get(key.lease_id)) and found.renewals
        }
        by_lease |= {session.trace.lease_id: session.trace.renewals for session in self.sessions}
        return sum(by_lease.values())

    @cached_property
    def counts(self) -> Counter[VerdictKind]:
        """How many locks each verdict names, unless it is accepted."""
        return Counter(lock.verdict.kind for lock in self.locks if not lock.verdict.accepted)
