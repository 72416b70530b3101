"""What a health check comes to: one status out of verdicts, limits and what could not be seen."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from lockdoctor.domain.check.metrics import ExceededLimit, MetricLimits, Metrics, metrics
from lockdoctor.domain.evidence.verdicts import Confidence, Severity
from lockdoctor.domain.report.report import Report, Unseen

if TYPE_CHECKING:
    from lockdoctor.domain.treatment.unattended import UnattendedResult


class Health(enum.Enum):
    """
    The four statuses of monitoring plugins; the value is the exit status.

    Source: the guidelines of the Monitoring Plugins project, "Plugin return codes".
    """

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3

    @property
    def weight(self) -> int:
        """What outweighs what: nothing hides a proven CRITICAL, and only that hides UNKNOWN."""
        return _BY_WEIGHT.index(self)


_BY_WEIGHT = [Health.OK, Health.WARNING, Health.UNKNOWN, Health.CRITICAL]

_OF_SEVERITY = {
    Severity.OK: Health.OK,
    Severity.WARNING: Health.WARNING,
    Severity.CRITICAL: Health.CRITICAL,
}


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """A run, judged as a health check."""

    report: Report
    took_s: float
    """The whole run, connecting included."""
    limits: MetricLimits
    first_run_unknown: bool
    """A run that no earlier one can be compared with counts as UNKNOWN rather than OK."""
    problems: tuple[str, ...] = ()
    """What went wrong after the examination, a sentence each."""
    unattended: UnattendedResult | None = None
    """What was treated afterwards; it changes nothing of the health that was found."""

    @cached_property
    def metrics(self) -> Metrics:
        """The numbers of the run."""
        return metrics(self.report, self.took_s, self.unattended.done if self.unattended else 0)

    @cached_property
    def alarms(self) -> tuple[ExceededLimit, ...]:
        """The metrics outside their range."""
        return self.limits.alarms(self.metrics)

    @property
    def is_first(self) -> bool:
        """Whether no earlier run could be built on, so that next to nothing can be proven."""
        return not self.report.past_runs

    @property
    def failures(self) -> tuple[Unseen, ...]:
        """What went wrong, so that the check cannot vouch for what it did not see."""
        return tuple(unseen for unseen in self.report.unseen if unseen.is_failure)

    @property
    def severity(self) -> Severity:
        """The worst that may alarm: an alarm of the cluster is CRITICAL."""
        return Severity.CRITICAL if self.report.cluster.alarms else self.verdict_severity

    @property
    def verdict_severity(self) -> Severity:
        """The worst verdict that may alarm: in a first run only what is proven, for it can wait."""
        may_alarm = (
            verdict.severity
            for verdict in self.report.findings
            if not self.is_first or verdict.confidence is Confidence.PROVEN
        )
        return max(may_alarm, default=Severity.OK)

    @cached_property
    def health(self) -> Health:
        """
        The worst of everything that speaks.

        A lock that could not be judged does not: each new hold begins so, and a check that went
        UNKNOWN for it would never be well. Whoever wants to hear of a first run, in which nothing
        can be judged, says so with first_run_unknown.
        """
        return max(self._voices(), key=lambda health: health.weight)

    def with_problem(self, problem: str) -> CheckResult:
        """Add something that went wrong after the examination."""
        return replace(self, problems=(*self.problems, problem))

    def _voices(self) -> Iterator[Health]:
        yield _OF_SEVERITY[self.severity]
        yield from (_OF_SEVERITY[alarm.severity] for alarm in self.alarms)
        is_blind = self.is_first and self.first_run_unknown
        if self.failures or self.report.interrupted or self.problems or is_blind:
            yield Health.UNKNOWN


@dataclass(frozen=True, kw_only=True)
class FailedCheck:
    """A health check that examined nothing."""

    at: float
    """POSIX seconds."""
    took_s: float
    why: str
    """One sentence; it may quote what a server said."""
    health: Health = Health.UNKNOWN

    def with_problem(self, problem: str) -> FailedCheck:
        """Add something else that went wrong."""
        return replace(self, why=f"{self.why}; {problem}")


AnyCheckResult: TypeAlias = CheckResult | FailedCheck
"""What every output of a health check can show."""
