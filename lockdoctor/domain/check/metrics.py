"""Count and measure one run, for graphs and for limits beside the verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass

from lockdoctor.domain.check.ranges import Range
from lockdoctor.domain.evidence.verdicts import Severity, VerdictKind
from lockdoctor.domain.model.locks import Kind
from lockdoctor.domain.report.findings import LockReport
from lockdoctor.domain.report.report import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Counts and durations of one run; ranges are given by the names of the fields."""

    locks: int
    held: int
    """Locks with a holder; a key that might not be a lock does not count, nor in the next two."""
    waiters: int
    leaked: int
    """Locks proven leaked; suspected leaks and locks without a lease count as findings."""
    findings: int
    """Verdicts of WARNING or worse."""
    accepted: int
    """Verdicts of WARNING or worse that are accepted."""
    treated: int
    """Locks freed unattended by this run, or perhaps freed."""
    sessions: int | None
    """
    Renewed leases without keys, in the whole cluster. None where they could not be listed, or where
    each was read once: a single reading proves no renewal.
    """
    oldest_hold_s: float
    """
    The proven time of the oldest hold of a lock. Elections and registrations do not count, since
    they are held forever by design, nor do holds that are accepted.
    """
    lookups: int
    seconds: float
    """The time of the run, in seconds."""

    @property
    def by_name(self) -> dict[str, float | None]:
        """Return every metric under its public name, in the order of the outputs."""
        return dict(zip(NAMES, astuple(self), strict=True))


OF_A_HOLD = frozenset(
    {VerdictKind.LEAKED_LOCK, VerdictKind.SUSPECTED_LEAK, VerdictKind.ETERNAL_LOCK}
)
"""Verdicts of a hold that lasts too long."""

NAMES = (
    *("locks", "held", "waiters", "leaked", "findings", "accepted"),
    *("treated", "sessions", "oldest_hold", "lookups", "seconds"),
)
"""The public names of the metrics, in the order of the fields."""

IN_SECONDS = frozenset({"oldest_hold", "seconds"})
"""The metrics that are durations; the others are counts."""


def metrics(report: Report, took_s: float, treated: int = 0) -> Metrics:
    """
    Return the metrics of a run.

    Args:
        took_s: The time of the whole run in seconds, with connecting.
        treated: The number of locks that it treated after the examination.
    """
    return Metrics(
        locks=len(report.locks),
        held=held(report.locks),
        waiters=waiters(report.locks),
        leaked=sum(verdict.kind is VerdictKind.LEAKED_LOCK for verdict in report.findings),
        findings=len(report.findings),
        accepted=len(report.accepted),
        treated=treated,
        sessions=_sessions(report),
        oldest_hold_s=oldest_hold_s(report.locks),
        lookups=report.lookups,
        seconds=took_s,
    )


def held(locks: Sequence[LockReport]) -> int:
    """Return the number of locks that have a holder."""
    return sum(lock.lock.holder is not None for lock in locks if _is_known(lock))


def waiters(locks: Sequence[LockReport]) -> int:
    """Return the number of waiters."""
    return sum(len(lock.lock.waiters) for lock in locks if _is_known(lock))


def oldest_hold_s(locks: Sequence[LockReport]) -> float:
    """Return the proven age of the oldest hold, in seconds; 0 if none is proven."""
    counted = (lock for lock in locks if _is_held_as_lock(lock) and not _is_accepted(lock))
    ages = (lock.age for lock in counted)
    return max((age.at_least_s for age in ages if age), default=0.0)


def _is_known(report: LockReport) -> bool:
    return report.lock.kind is not Kind.UNKNOWN


def _is_held_as_lock(report: LockReport) -> bool:
    lock = report.lock
    return (
        lock.kind is Kind.LOCK
        and lock.holder is not None
        and lock.kind_of(lock.holder).kind is Kind.LOCK
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceededLimit:
    """A metric outside its range."""

    severity: Severity
    metric: str
    value: float
    limit: Range


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricLimits:
    """Ranges for metrics, in addition to the verdicts."""

    warning: Mapping[str, Range]
    critical: Mapping[str, Range]

    def alarms(self, found: Metrics) -> tuple[ExceededLimit, ...]:
        """Return the metrics outside their range, each once, the worst first."""
        alarms: dict[str, ExceededLimit] = {}
        judges = ((Severity.CRITICAL, self.critical), (Severity.WARNING, self.warning))
        for severity, limits in judges:
            for name, value in found.by_name.items():
                limit = limits.get(name)
                if value is not None and limit and limit.alarms(value):
                    alarm = ExceededLimit(severity=severity, metric=name, value=value, limit=limit)
                    alarms.setdefault(name, alarm)
        return tuple(alarms.values())


def _is_accepted(lock: LockReport) -> bool:
    """Return whether an acceptance covers the long hold of the lock."""
    return any(each.accepted and each.kind in OF_A_HOLD for each in lock.verdicts)


def _sessions(report: Report) -> int | None:
    if not report.lists_sessions or not (report.window_s or report.past_runs):
        return None
    return report.session_counts[VerdictKind.IDLE_SESSION]
