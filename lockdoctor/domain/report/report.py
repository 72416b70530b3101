"""The result of one run: readings, verdicts, and what could not be read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from lockdoctor.domain.evidence.verdicts import Confidence, Severity, Verdict, VerdictKind
from lockdoctor.domain.report.findings import Finding, LockReport, SessionReport, rank
from lockdoctor.domain.report.unseen import Part

if TYPE_CHECKING:
    from lockdoctor.domain.evidence.sessions import SessionsAlike
    from lockdoctor.domain.graph.blocking_tree import BlockedLock
    from lockdoctor.domain.model.alarms import ClusterAlarm
    from lockdoctor.domain.past.past import PastFinding
    from lockdoctor.domain.report.notes import Note
    from lockdoctor.domain.report.processes import CounterChanges, ProcessReport
    from lockdoctor.domain.report.unseen import Unseen


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterFacts:
    """The cluster that was examined, at the end of the run."""

    cluster_id: int
    version: str
    endpoint: str
    """The member that was read from."""
    raft_term: int
    revision: int
    leader_changes: int
    """How often the raft term was seen to rise during the run."""
    members: frozenset[int] = frozenset()
    """The IDs of all members; empty where they could not be read."""
    alarms: tuple[ClusterAlarm, ...] | None = None
    """The alarms of the cluster, the worst first; None where they could not be read."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """The verdicts of one run, and what could not be read."""

    started_at: float
    """POSIX seconds."""
    watched_s: float
    """Seconds from the first answer to the last."""
    window_s: float
    """The longest that the run was allowed to watch, in seconds."""
    lookups: int
    """The number of lease look-ups."""
    interrupted: str | None
    """Why the run ended early; None if it did not."""
    cluster: ClusterFacts
    prefixes: tuple[bytes, ...]
    locks: tuple[LockReport, ...]
    """Worst first, then by name."""
    sessions: tuple[SessionReport, ...]
    session_verdicts: tuple[Verdict, ...]
    """Verdicts of the leases without keys taken together."""
    unseen: tuple[Unseen, ...]
    session_groups: tuple[SessionsAlike, ...] = ()
    """The renewed leases without keys, grouped by their origin; the largest group first."""
    blocking: tuple[BlockedLock, ...] = ()
    """The locks that are blocked behind one another: each root, then the locks behind it."""
    past_runs: int | None = None
    """The earlier runs over the same prefixes that it uses; None without a history."""
    gone: tuple[PastFinding, ...] = ()
    """Findings of the last run that have ended."""
    processes: tuple[ProcessReport, ...] = ()
    """The processes whose goroutines were read."""
    server: CounterChanges | None = None
    """The changes of etcd's own counters; None where they could not be compared."""
    notes: tuple[Note, ...] = ()
    """Other notes on the run for the reader."""

    @cached_property
    def located_findings(self) -> tuple[Finding, ...]:
        """Return all findings with their locks: the worst first, then those with waiters."""
        return tuple(each for each in self._ranked if each.verdict.is_finding)

    @property
    def findings(self) -> tuple[Verdict, ...]:
        """Return the verdicts of all findings."""
        return tuple(finding.verdict for finding in self.located_findings)

    @property
    def finding_groups(self) -> tuple[tuple[Finding, ...], ...]:
        """Return the findings grouped by kind and confidence, in order of their first."""
        groups: dict[tuple[VerdictKind, Confidence], list[Finding]] = {}
        for finding in self.located_findings:
            key = (finding.verdict.kind, finding.verdict.confidence)
            groups.setdefault(key, []).append(finding)
        return tuple(map(tuple, groups.values()))

    @property
    def accepted(self) -> tuple[Finding, ...]:
        """Return the accepted verdicts, which would otherwise be findings."""
        return tuple(each for each in self._ranked if each.verdict.accepted)

    @cached_property
    def _ranked(self) -> list[Finding]:
        """Return every verdict that is a finding, or would be one; the worst first."""
        found = [
            Finding(verdict, lock)
            for lock in self.locks
            for verdict in lock.verdicts
            if verdict.severity  # the many others are not copied
            if verdict.lock in {lock.lock.id, None}  # a deadlock is listed once, by its first lock
        ]
        found += [Finding(verdict, None) for verdict in self.session_verdicts]
        return sorted(found, key=rank)

    @property
    def blind_to(self) -> tuple[Unseen, ...]:
        """Return what of etcd could not be read, other than what was left out on request."""
        left_out = {Part.HISTORY, Part.OWN_RUN, Part.KEYLESS_LEASES}
        return tuple(each for each in self.unseen if each.what not in left_out)

    @property
    def lists_sessions(self) -> bool:
        """Return whether the leases without keys were listed."""
        unlisted = {Part.LEASE_LIST, Part.KEYLESS_LEASES}
        return not any(each.what in unlisted for each in self.unseen)

    @cached_property
    def undetermined(self) -> tuple[LockReport, ...]:
        """Return the locks for which the evidence did not suffice."""
        return tuple(
            lock
            for lock in self.locks
            if any(verdict.kind is VerdictKind.UNDETERMINED for verdict in lock.verdicts)
        )

    @cached_property
    def session_counts(self) -> Counter[VerdictKind]:
        """Return the number of leases without keys per verdict."""
        return Counter(session.verdict.kind for session in self.sessions)

    def locks_of(self, prefix: bytes) -> tuple[LockReport, ...]:
        """Return the locks that were found under one prefix of the command line."""
        return tuple(lock for lock in self.locks if lock.prefix == prefix)

    @property
    def severity(self) -> Severity:
        """Return the worst severity of all findings; an alarm of the cluster is CRITICAL."""
        if self.cluster.alarms:
            return Severity.CRITICAL
        return max((finding.severity for finding in self.findings), default=Severity.OK)

    @cached_property
    def renewals(self) -> int:
        """Return the fewest renewals that all readings together prove."""
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
        """Return the number of locks per verdict, without accepted ones."""
        return Counter(lock.verdict.kind for lock in self.locks if not lock.verdict.accepted)
