"""The gauges, as Prometheus itself reads them."""

from __future__ import annotations

import dataclasses
import io

import pytest
from prometheus_client.parser import text_string_to_metric_families

from lockdoctor.domain.check.health import AnyCheckResult
from lockdoctor.domain.evidence.verdicts import VerdictKind
from lockdoctor.domain.report.report import Report
from lockdoctor.outputs.prometheus import PrometheusOutput
from lockdoctor.outputs.text.values import printable
from tests.factories.checks import FAILED, a_checkup, a_healthy_lock, a_leak
from tests.factories.report_examples import HOSTILE, an_accepted_leak
from tests.factories.reports import NOON, a_lock, a_lock_report, a_report, a_session, a_verdict

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(checked: AnyCheckResult) -> Samples:
    out = io.StringIO()
    PrometheusOutput().render(checked, out)
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(out.getvalue())
        for sample in family.samples
    }


def value(found: Samples, name: str, **labels: str) -> float | None:
    return found.get((f"lockdoctor_{name}", tuple(sorted(labels.items()))))


def test_numbers_of_a_check() -> None:
    """Everything that was counted, each below its prefix."""
    found = samples(a_checkup(a_leak(), a_healthy_lock(), sessions=(a_session(),)))
    below = {"prefix": "/my-lock/"}

    assert value(found, "up") == 1
    assert value(found, "status") == 2
    assert value(found, "last_run_timestamp_seconds") == NOON
    assert value(found, "duration_seconds") == 0.1234
    assert value(found, "lookups") == 5
    assert value(found, "sessions") == 1
    assert value(found, "held", **below) == 2
    assert value(found, "waiters", **below) == 4
    assert value(found, "oldest_hold_seconds", **below) == 12_000
    assert value(found, "locks", verdict="leaked-lock", **below) == 1
    assert value(found, "locks", verdict="healthy", **below) == 1
    assert value(found, "findings", verdict="leaked-lock", severity="critical", **below) == 1


def test_what_did_not_occur_is_zero() -> None:
    """A finding that is gone becomes 0, or its alert would hang on the last value."""
    found = samples(a_checkup(a_healthy_lock()))
    findings = {labels: n for (name, labels), n in found.items() if name == "lockdoctor_findings"}

    verdicts = {dict(labels)["verdict"] for labels in findings}
    assert verdicts == {kind.value for kind in VerdictKind} - {
        "expiring",
        "shared-lease",
        "idle-session",
        "undetermined",
        "healthy",
    }
    assert set(findings.values()) == {0.0}


def test_what_is_accepted() -> None:
    """An accepted finding does not count as one; how many there are can be watched."""
    found = samples(a_checkup(an_accepted_leak()))
    labels = {"prefix": "/my-lock/", "verdict": "leaked-lock"}

    assert value(found, "findings", severity="warning", **labels) == 0
    assert value(found, "accepted", **labels) == 1


def test_sessions_have_no_prefix() -> None:
    """A leak of sessions belongs to the cluster."""
    verdict = dataclasses.replace(a_verdict(VerdictKind.LEAKED_SESSION), lock=None, key=None)
    found = samples(a_checkup(session_verdicts=(verdict,)))

    labels = {"prefix": "", "verdict": "leaked-session", "severity": "warning"}
    assert value(found, "findings", **labels) == 1


def test_sessions_of_a_first_run_are_absent() -> None:
    """What is not known is no zero in a graph."""
    assert value(samples(a_checkup(past_runs=0)), "sessions") is None


def test_failed_check() -> None:
    """Nothing examined: up is 0, and no count stands there as if it were new."""
    found = samples(FAILED)

    assert {name for name, _ in found} == {
        "lockdoctor_up",
        "lockdoctor_status",
        "lockdoctor_last_run_timestamp_seconds",
        "lockdoctor_duration_seconds",
    }
    assert value(found, "up") == 0
    assert value(found, "status") == 3


def test_check_that_ended_early() -> None:
    """Half a check is not up, but what it saw is told."""
    found = samples(a_checkup(a_leak(), interrupted="the time-out is over"))

    assert value(found, "up") == 0
    assert value(found, "status") == 2
    assert value(found, "waiters", prefix="/my-lock/") == 4


def test_no_key_and_no_lease_is_a_label() -> None:
    """The number of time series does not grow with the number of locks."""
    one = samples(a_checkup(a_leak()))
    many = samples(a_checkup(*(a_healthy_lock(b"/my-lock/%d" % n) for n in range(50))))

    assert one.keys() == many.keys()
    assert {label for _, labels in one for label, _ in labels} == {"prefix", "verdict", "severity"}


@pytest.mark.parametrize("prefix", [*HOSTILE, b""])
def test_prefix_cannot_break_the_page(prefix: bytes) -> None:
    """Any bytes come through as a label that can be read back."""
    lock = a_lock(prefix + b"x")
    report: Report = a_report(
        a_lock_report(lock, a_verdict(lock=lock), prefix=prefix),
        prefixes=(prefix,),
        past_runs=1,
    )
    found = samples(dataclasses.replace(a_checkup(), report=report))

    assert value(found, "held", prefix=printable(prefix)) == 1


def test_file_is_what_node_exporter_expects() -> None:
    """Each gauge has its help and type before it, and no time stamp."""
    out = io.StringIO()
    PrometheusOutput().render(FAILED, out)

    assert out.getvalue().startswith(
        "# HELP lockdoctor_up 1 if etcd was examined completely, else 0.\n"
        "# TYPE lockdoctor_up gauge\n"
        "lockdoctor_up 0.0\n"
    )
    assert out.getvalue().endswith("\n")
