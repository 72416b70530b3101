"""Find which findings an earlier run had too, and which have ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from lockdoctor.domain.evidence.age import SeenInEarlierRuns
from lockdoctor.domain.evidence.verdicts import Verdict, VerdictKind
from lockdoctor.domain.model.locks import Hold, LockId
from lockdoctor.domain.past.past import Past, PastFinding
from lockdoctor.domain.past.run_record import FindingSeen
from lockdoctor.domain.report.findings import LockReport


def finding_seen(verdict: Verdict, report: LockReport | None) -> FindingSeen:
    """
    Return what a finding is about, which distinguishes it in a later run.

    Args:
        report: The lock that it is about; None where it is on leases without keys.
    """
    if verdict.lock is None or report is None:
        return FindingSeen(verdict.kind, None, leases=verdict.leases)
    holds = (key.hold for key in report.lock.keys if key.key == verdict.key)
    return FindingSeen(verdict.kind, verdict.lock, hold=next(holds, None))


@dataclass(frozen=True)
class RecurringFindings:
    """The findings of this run, and those of the last run judged by the same limits."""

    past: Past
    now: float

    def with_durations(self, report: LockReport) -> LockReport:
        """Add to each finding on a lock how long it has lasted."""
        if not any(verdict.is_finding for verdict in report.verdicts):
            return report
        verdicts = tuple(self.with_duration(verdict, report) for verdict in report.verdicts)
        return replace(report, verdicts=verdicts)

    def with_duration(self, verdict: Verdict, report: LockReport | None = None) -> Verdict:
        """Add how long a finding has lasted, if the last run had it, too."""
        before = self._found_before(finding_seen(verdict, report)) if verdict.is_finding else None
        if before is None:
            return verdict
        duration = SeenInEarlierRuns(
            runs=before.runs + 1,
            for_s=max(0.0, self.now - before.since_at),
            since_at=before.since_at,
        )
        return verdict.with_evidence(duration)

    def gone(
        self, reports: Iterable[LockReport], has_ended: Callable[[PastFinding], bool]
    ) -> tuple[PastFinding, ...]:
        """
        Return the last run's findings whose hold ended, if their lock has no new one.

        Args:
            has_ended: Whether the hold, or all leases of a finding without a lock, are gone.
                Another verdict of a run does not end a finding.
        """
        found: set[LockId | None] = {
            report.lock.id for report in reports if any(v.is_finding for v in report.verdicts)
        }
        return tuple(
            each for each in self.past.findings if each.lock not in found and has_ended(each)
        )

    def _found_before(self, finding: FindingSeen) -> PastFinding | None:
        same = self._before.get((finding.kind, finding.lock, finding.hold), ())
        if finding.lock is not None:
            return next(iter(same), None)
        leases = set(finding.leases)
        return next((each for each in same if not leases.isdisjoint(each.leases)), None)

    @cached_property
    def _before(self) -> dict[tuple[VerdictKind, LockId | None, Hold | None], list[PastFinding]]:
        found: dict[tuple[VerdictKind, LockId | None, Hold | None], list[PastFinding]] = {}
        for each in self.past.findings:
            found.setdefault((each.kind, each.lock, each.hold), []).append(each)
        return found
