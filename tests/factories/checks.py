"""Health checks that more than one test shows."""

from __future__ import annotations

from typing import Any

from lockdoctor.domain.check.health import CheckResult, FailedCheck
from lockdoctor.domain.check.metrics import MetricLimits
from lockdoctor.domain.check.ranges import parse_range
from lockdoctor.domain.evidence.age import Held, SeenInEarlierRuns
from lockdoctor.domain.evidence.queue import NoHandOver, Waiters
from lockdoctor.domain.evidence.renewals import Renewed
from lockdoctor.domain.evidence.verdicts import Severity, VerdictKind
from lockdoctor.domain.inference.hold_age import HoldAge
from lockdoctor.domain.report.findings import LockReport
from tests.factories.reports import NOON, a_lock, a_lock_report, a_report, a_verdict

FAILED = FailedCheck(at=NOON, took_s=2.0, why="Cannot reach etcd at 127.0.0.1:1: nobody listens")
LIMITS = MetricLimits(
    warning={"waiters": parse_range("3"), "oldest_hold": parse_range("~:3600")},
    critical={"waiters": parse_range("20")},
)


def a_checkup(*locks: LockReport, **fields: Any) -> CheckResult:
    """The second check of a prefix, or what the fields say."""
    return CheckResult(
        took_s=fields.pop("took_s", 0.1234),
        limits=fields.pop("limits", MetricLimits(warning={}, critical={})),
        first_run_unknown=False,
        problems=fields.pop("problems", ()),
        report=a_report(*locks, **{"window_s": 0.0, "lookups": 5, "past_runs": 1, **fields}),
    )


def a_leak() -> LockReport:
    """The lock of the story: held for hours, renewed, four wait."""
    lock = a_lock(waiters=4)
    verdict = a_verdict(
        lock=lock,
        severity=Severity.CRITICAL,
        evidence=(
            Held(12_000.0, 12_300.0),
            Renewed(61, 3900.0, 63.0),
            NoHandOver(12_000.0),
            Waiters(4, 3900.0),
            SeenInEarlierRuns(3, 600.0, NOON),
        ),
    )
    return a_lock_report(lock, verdict, age=HoldAge(at_least_s=12_000.0, at_most_s=12_300.0))


def a_healthy_lock(name: bytes = b"/my-lock/mail") -> LockReport:
    """A lock that was handed over."""
    lock = a_lock(name)
    return a_lock_report(
        lock, a_verdict(VerdictKind.HEALTHY, lock=lock), age=HoldAge(at_least_s=0.0)
    )
