"""What `check` prints for a monitoring system."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from lockdoctor.domain.check.health import AnyCheckResult
from lockdoctor.domain.evidence.verdicts import Confidence, VerdictKind
from lockdoctor.domain.model.alarms import ClusterAlarm
from lockdoctor.domain.report.unseen import Part, Unseen
from lockdoctor.outputs.nagios import NagiosOutput
from lockdoctor.outputs.prometheus import PrometheusOutput
from tests.factories.checks import FAILED, LIMITS, a_checkup, a_healthy_lock, a_leak
from tests.factories.report_examples import a_later_run, an_accepted_leak
from tests.factories.reports import a_lock_report, a_verdict
from tests.factories.treatment_examples import UNATTENDED


def _doubtful() -> AnyCheckResult:
    verdict = a_verdict(VerdictKind.ETERNAL_LOCK, confidence=Confidence.POSSIBLE)
    return a_checkup(a_lock_report(None, verdict), past_runs=0)


def _not_seen() -> AnyCheckResult:
    failed = Unseen(what=Part.LEASES, count=3, why="etcd did not answer in time.", is_failure=True)
    return a_checkup(a_healthy_lock(), unseen=(failed,), problems=("Cannot write a.prom: x",))


def _alarm() -> AnyCheckResult:
    checkup = a_checkup(a_leak())
    cluster = replace(checkup.report.cluster, alarms=(ClusterAlarm("NOSPACE", 0xA1),))
    return replace(checkup, report=replace(checkup.report, cluster=cluster))


CHECKS: dict[str, Callable[[], AnyCheckResult]] = {
    "leak": lambda: a_checkup(a_leak(), a_healthy_lock(), limits=LIMITS),
    "healthy": lambda: a_checkup(a_healthy_lock()),
    "first_run": lambda: a_checkup(a_healthy_lock(), past_runs=0),
    "first_run_leak": lambda: a_checkup(a_leak(), past_runs=0),
    "first_run_doubt": _doubtful,
    "no_history": lambda: a_checkup(a_healthy_lock(), past_runs=None),
    "not_seen": _not_seen,
    "timed_out": lambda: a_checkup(
        a_healthy_lock(), interrupted="stopped by `--timeout 30s` while reading the leases"
    ),
    "failed": lambda: FAILED,
    "gone": lambda: a_checkup(gone=a_later_run().gone, notes=("A new one was begun.",)),
    "accepted": lambda: a_checkup(an_accepted_leak()),
    "alarm": _alarm,
    "treated": lambda: replace(a_checkup(a_leak()), unattended=UNATTENDED[1]),
    "not_treated": lambda: replace(a_checkup(a_leak()), unattended=UNATTENDED[2]),
}


def nagios(checked: Callable[[], AnyCheckResult]) -> str:
    out = io.StringIO()
    NagiosOutput().render(checked(), out)
    return out.getvalue()


def prometheus_help() -> str:
    """Return the explanation of each metric; the values are asserted elsewhere."""
    out = io.StringIO()
    PrometheusOutput().render(replace(a_checkup(a_leak()), unattended=UNATTENDED[1]), out)
    lines = out.getvalue().splitlines(keepends=True)
    return "".join(line for line in lines if line.startswith("# HELP"))


PAGES: dict[str, Callable[[], str]] = {
    **{f"nagios/{name}": partial(nagios, checked) for name, checked in CHECKS.items()},
    "prometheus/help": prometheus_help,
}
