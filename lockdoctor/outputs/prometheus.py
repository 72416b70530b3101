"""
Writes gauges for Prometheus, as read by node_exporter's textfile collector.

Labels are the prefix, the verdict and the severity, never a key or a lease. Keys and leases
change continually, and each would add a time series that never ends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TextIO

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from lockdoctor.domain.check import metrics
from lockdoctor.domain.check.health import AnyCheckResult, CheckResult, FailedCheck
from lockdoctor.domain.evidence.verdicts import HARMLESS, OF_SESSIONS, Severity, VerdictKind
from lockdoctor.domain.model.actions import Result
from lockdoctor.domain.model.alarms import KNOWN_ALARMS
from lockdoctor.domain.report.findings import Finding
from lockdoctor.domain.report.report import Report
from lockdoctor.domain.treatment.unattended import UnattendedResult
from lockdoctor.outputs.text.values import printable

CLUSTER = ""
"""The prefix label of leases without keys, which belong to no prefix."""


class PrometheusOutput:
    """`--format prometheus`."""

    def render(self, checked: AnyCheckResult, out: TextIO) -> None:
        """Write every gauge; for a failed check, only those that report it."""
        page = _Page()
        if isinstance(checked, FailedCheck):
            page.of_run(checked, up=False, at=checked.at)
        else:
            page.of_run(checked, up=not checked.report.interrupted, at=checked.report.started_at)
            page.of_report(checked)
        out.write(page.text())


class _Page:
    def __init__(self) -> None:
        self._registry = CollectorRegistry()

    def text(self) -> str:
        return generate_latest(self._registry).decode()

    def of_run(self, checked: AnyCheckResult, *, up: bool, at: float) -> None:
        self._set("up", "1 if etcd was examined completely, else 0.", up)
        health = "The check's status: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN."
        self._set("status", health, checked.health.value)
        self._set("last_run_timestamp_seconds", "Start of the last check.", at)
        self._set("duration_seconds", "Duration of the last check.", checked.took_s)

    def of_report(self, checkup: CheckResult) -> None:
        numbers = checkup.metrics
        self._set("lookups", "Lease look-ups of the last check.", numbers.lookups)
        if numbers.sessions is not None:
            sessions = "Renewed leases without keys in the cluster."
            self._set("sessions", sessions, numbers.sessions)
        self._of_alarms(checkup.report)
        if checkup.unattended:
            self._of_treatment(checkup.unattended)
        self._of_prefixes(checkup.report)
        self._of_locks(checkup.report)
        self._of_findings(checkup.report)
        self._of_accepted(checkup.report)

    def _of_alarms(self, report: Report) -> None:
        """Write 0 for alarms that are not raised, and no sample if they were not read."""
        if report.cluster.alarms is None:
            return
        raised = {alarm.name for alarm in report.cluster.alarms}
        gauge = self._gauge("etcd_alarm", "1 if etcd has raised the alarm, else 0.", "alarm")
        for name in sorted(raised | set(KNOWN_ALARMS)):
            gauge.labels(name).set(name in raised)

    def _of_treatment(self, unattended: UnattendedResult) -> None:
        counts = Counter(each.result for each in unattended.treated)
        treated = self._gauge("treated", "Locks that check --treat acted on, by result.", "result")
        for result in Result:
            treated.labels(result.value).set(counts[result])
        failed = "1 if the unattended treatment failed or ended early, else 0."
        self._set("treatment_failed", failed, bool(unattended.failure))

    def _of_prefixes(self, report: Report) -> None:
        held = self._gauge("held", "Locks with a holder.", "prefix")
        waiters = self._gauge("waiters", "Waiters for a lock.", "prefix")
        oldest = self._gauge(
            "oldest_hold_seconds", "Proven age of the oldest hold of a lock.", "prefix"
        )
        for prefix in report.prefixes:
            locks, label = report.locks_of(prefix), printable(prefix)
            held.labels(label).set(metrics.held(locks))
            waiters.labels(label).set(metrics.waiters(locks))
            oldest.labels(label).set(metrics.oldest_hold_s(locks))

    def _of_locks(self, report: Report) -> None:
        gauge = self._gauge(
            "locks", "Locks, by the verdict that names their state.", "prefix", "verdict"
        )
        for prefix in report.prefixes:
            counts = Counter(lock.verdict.kind for lock in report.locks_of(prefix))
            for kind in VerdictKind:
                if kind not in OF_SESSIONS:
                    gauge.labels(printable(prefix), kind.value).set(counts[kind])

    def _of_findings(self, report: Report) -> None:
        """Write 0 for absent findings: else an alert on them would never be resolved."""
        counts = Counter(
            (_prefix(finding), finding.verdict.kind, finding.verdict.severity)
            for finding in report.located_findings
        )
        text = "Verdicts of WARNING or CRITICAL. Verdicts on sessions have an empty prefix."
        gauge = self._gauge("findings", text, "prefix", "verdict", "severity")
        for prefix, kind in _possible_findings(report):
            for severity in (Severity.WARNING, Severity.CRITICAL):
                found = counts[prefix, kind, severity]
                gauge.labels(prefix, kind.value, severity.name.lower()).set(found)

    def _of_accepted(self, report: Report) -> None:
        counts = Counter(
            (_prefix(finding), finding.verdict.kind.value) for finding in report.accepted
        )
        text = "Findings that lockdoctor.toml accepts until a date."
        gauge = self._gauge("accepted", text, "prefix", "verdict")
        for prefix, kind in _possible_findings(report):
            gauge.labels(prefix, kind.value).set(counts[prefix, kind.value])

    def _set(self, name: str, text: str, value: float) -> None:
        self._gauge(name, text).set(value)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"lockdoctor_{name}", text, labels, registry=self._registry)


def _prefix(finding: Finding) -> str:
    return printable(finding.lock.prefix) if finding.lock else CLUSTER


def _possible_findings(report: Report) -> Iterator[tuple[str, VerdictKind]]:
    for kind in VerdictKind:
        if kind in HARMLESS:
            continue
        if kind in OF_SESSIONS:
            yield CLUSTER, kind
        else:
            yield from ((printable(prefix), kind) for prefix in report.prefixes)
