"""Combine verdicts, limits and failures into the one status of a health check."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from lockdoctor.domain.check.metrics import ExceededLimit, MetricLimits, Metrics, metrics
from lockdoctor.domain.evidence.verdicts import Confidence, Severity
from lockdoctor.domain.report.report import Report
from lockdoctor.domain.report.unseen import Unseen

if TYPE_CHECKING:
    from lockdoctor.domain.treatment.unattended import UnattendedResult


class Health(enum.Enum):
    """
    The four statuses of monitoring plugins; the value is the exit status.

    The first three have the values of the severities.

    Source: the guidelines of the Monitoring Plugins project, "Plugin return codes".
    """

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3

    @property
    def weight(self) -> int:
        """
        Return the rank: OK, WARNING, UNKNOWN, CRITICAL.

        A proven CRITICAL outranks all others, and only CRITICAL outranks UNKNOWN.
        """
        return _BY_WEIGHT.index(self)


_BY_WEIGHT = [Health.OK, Health.WARNING, Health.UNKNOWN, Health.CRITICAL]


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """A run, judged as a health check."""

    report: Report
    took_s: float
    """The time of the whole run in seconds, with connecting."""
    limits: MetricLimits
    first_run_unknown: bool
    """A run without an earlier one to compare with counts as UNKNOWN rather than OK."""
    problems: tuple[str, ...] = ()
    """What failed after the examination, one sentence each."""
    unattended: UnattendedResult | None = None
    """What was treated afterwards; it does not change the health that was found."""

    @cached_property
    def metrics(self) -> Metrics:
        """Return the numbers of the run."""
        return metrics(self.report, self.took_s, self.unattended.done if self.unattended else 0)

    @cached_property
    def alarms(self) -> tuple[ExceededLimit, ...]:
        """Return the metrics outside their range."""
        return self.limits.alarms(self.metrics)

    @property
    def is_first(self) -> bool:
        """Return whether there is no earlier run, so that little can be proven."""
        return not self.report.past_runs

    @property
    def failures(self) -> tuple[Unseen, ...]:
        """Return the failures, for which the check cannot rule out findings."""
        return tuple(unseen for unseen in self.report.unseen if unseen.is_failure)

    @property
    def severity(self) -> Severity:
        """Return the worst severity that may alarm; an alarm of the cluster is CRITICAL."""
        return Severity.CRITICAL if self.report.cluster.alarms else self.verdict_severity

    @property
    def verdict_severity(self) -> Severity:
        """
        Return the worst verdict that may alarm; in a first run, the worst proven one.

        An unproven verdict can wait for the next run.
        """
        may_alarm = (
            verdict.severity
            for verdict in self.report.findings
            if not self.is_first or verdict.confidence is Confidence.PROVEN
        )
        return max(may_alarm, default=Severity.OK)

    @cached_property
    def health(self) -> Health:
        """
        Return the worst of severities, exceeded limits and failures.

        An undetermined lock does not count. Each new hold begins as undetermined, and a check that
        was UNKNOWN for it would never be OK. With first_run_unknown, a first run, which can judge
        no lock, is UNKNOWN.
        """
        return max(self._voices(), key=lambda health: health.weight)

    def with_problem(self, problem: str) -> CheckResult:
        """Return the result with one more problem after the examination."""
        return replace(self, problems=(*self.problems, problem))

    def _voices(self) -> Iterator[Health]:
        yield Health(self.severity)
        yield from (Health(alarm.severity) for alarm in self.alarms)
        is_blind = self.is_first and self.first_run_unknown
        if self.failures or self.report.interrupted or self.problems or is_blind:
            yield Health.UNKNOWN


@dataclass(frozen=True, kw_only=True)
class FailedCheck:
    """A health check that failed before it examined a lock."""

    at: float
    """POSIX seconds."""
    took_s: float
    why: str
    """One sentence; it may quote a server."""
    health: Health = Health.UNKNOWN

    def with_problem(self, problem: str) -> FailedCheck:
        """Return the failed check with one more problem."""
        return replace(self, why=f"{self.why}; {problem}")


AnyCheckResult: TypeAlias = CheckResult | FailedCheck
"""What every output of a health check can show."""
