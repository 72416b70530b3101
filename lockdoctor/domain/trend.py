"""What stands since an earlier run, and what stands no more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property

from lockdoctor.domain.evidence import Standing
from lockdoctor.domain.locks import LockId
from lockdoctor.domain.past import Past, PastFinding
from lockdoctor.domain.report import LockReport
from lockdoctor.domain.verdicts import Verdict, VerdictKind
from lockdoctor.values import dataclass


@dataclass(frozen=True)
class Trend:
    """The findings of this run beside those of the last one over the same prefixes."""

    past: Past
    now: float

    def told(self, report: LockReport) -> LockReport:
        """Say of each finding on a lock how long it has stood."""
        if not any(verdict.is_finding for verdict in report.verdicts):
            return report
        return replace(report, verdicts=tuple(map(self.with_standing, report.verdicts)))

    def with_standing(self, verdict: Verdict) -> Verdict:
        """Say how long a finding has stood, if the last run had it, too."""
        before = self._before.get((verdict.kind, verdict.lock)) if verdict.is_finding else None
        if before is None:
            return verdict
        standing = Standing(
            runs=before.runs + 1,
            for_s=max(0.0, self.now - before.since_at),
            since_at=before.since_at,
        )
        return replace(verdict, evidence=(*verdict.evidence, standing))

    def gone(
        self, reports: Iterable[LockReport], sessions: Iterable[Verdict]
    ) -> tuple[PastFinding, ...]:
        """Name the findings of the last run whose lock has none any more."""
        found: set[LockId | None] = {
            report.lock.id for report in reports if any(v.is_finding for v in report.verdicts)
        }
        found |= {verdict.lock for verdict in sessions if verdict.is_finding}
        return tuple(finding for finding in self.past.findings if finding.lock not in found)

    @cached_property
    def _before(self) -> dict[tuple[VerdictKind, LockId | None], PastFinding]:
        return {(finding.kind, finding.lock): finding for finding in self.past.findings}
