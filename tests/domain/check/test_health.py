"""One status out of verdicts, limits and what could not be seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockdoctor.domain.check.health import CheckResult, FailedCheck, Health
from lockdoctor.domain.check.metrics import MetricLimits
from lockdoctor.domain.check.ranges import parse_range
from lockdoctor.domain.evidence.verdicts import Confidence, Severity, VerdictKind
from lockdoctor.domain.report.findings import LockReport
from lockdoctor.domain.report.unseen import Part, Unseen
from tests.factories.reports import NOON, a_lock_report, a_report, a_verdict

FINE = a_lock_report(None, a_verdict(VerdictKind.HEALTHY))
OPEN = a_lock_report(None, a_verdict(VerdictKind.UNDETERMINED))
WARNING = a_lock_report(None, a_verdict(severity=Severity.WARNING))
CRITICAL = a_lock_report(None, a_verdict(severity=Severity.CRITICAL))
FAILED = Unseen(what=Part.LEASES, count=3, why="etcd timed out", is_failure=True)
DENIED = Unseen(what=Part.LEASE_LIST, count=None, why="not permitted")
ONE_LOCK_IS_TOO_MANY = MetricLimits(warning={"locks": parse_range("0")}, critical={})


def a_checkup(*locks: LockReport, **fields: Any) -> CheckResult:
    of_checkup = {
        "took_s": 0.4,
        "limits": MetricLimits(warning={}, critical={}),
        "first_run_unknown": False,
    }
    given = {name: fields.pop(name, value) for name, value in of_checkup.items()}
    problems = fields.pop("problems", ())
    report = a_report(*locks, **{"window_s": 0.0, "past_runs": 1, **fields})
    return CheckResult(report=report, problems=problems, **given)


@pytest.mark.parametrize(
    ("checkup", "health"),
    [
        (a_checkup(), Health.OK),
        (a_checkup(FINE, OPEN), Health.OK),
        (a_checkup(FINE, unseen=(DENIED,)), Health.OK),
        (a_checkup(FINE, WARNING), Health.WARNING),
        (a_checkup(FINE, limits=ONE_LOCK_IS_TOO_MANY), Health.WARNING),
        (a_checkup(WARNING, CRITICAL), Health.CRITICAL),
        (a_checkup(WARNING, unseen=(FAILED,)), Health.UNKNOWN),
        (a_checkup(FINE, interrupted="Ctrl-C"), Health.UNKNOWN),
        (a_checkup(FINE, problems=("The disk is full",)), Health.UNKNOWN),
        (
            a_checkup(CRITICAL, unseen=(FAILED,), interrupted="Ctrl-C", problems=("x",)),
            Health.CRITICAL,
        ),
    ],
)
def test_worst_voice_is_heard(checkup: CheckResult, health: Health) -> None:
    """OK < WARNING < UNKNOWN < CRITICAL; an open case or a role that may not see is no failure."""
    assert checkup.health is health


@pytest.mark.parametrize("confidence", Confidence)
def test_a_first_run_alarms_for_what_is_proven_alone(confidence: Confidence) -> None:
    """The second run can say more; from then on a suspicion alarms, too."""
    found = replace(a_verdict(severity=Severity.WARNING), confidence=confidence)
    lock = a_lock_report(None, found)
    alarms = Health.WARNING if confidence is Confidence.PROVEN else Health.OK

    assert a_checkup(lock, past_runs=0).health is alarms
    assert a_checkup(lock, past_runs=1).health is Health.WARNING


@pytest.mark.parametrize("past_runs", [0, None])
def test_first_run_is_a_baseline(past_runs: int | None) -> None:
    """A run without a past is OK, or UNKNOWN for those who want that; what is proven alarms."""
    assert a_checkup(OPEN, past_runs=past_runs).health is Health.OK
    assert a_checkup(OPEN, past_runs=past_runs, first_run_unknown=True).health is Health.UNKNOWN
    assert a_checkup(WARNING, past_runs=past_runs).health is Health.WARNING
    assert (
        a_checkup(CRITICAL, past_runs=past_runs, first_run_unknown=True).health is Health.CRITICAL
    )


def test_later_runs_are_no_baseline() -> None:
    """From the second run on --first-run-unknown says nothing."""
    assert a_checkup(OPEN, first_run_unknown=True).health is Health.OK


def test_a_failed_check_is_unknown() -> None:
    """Nothing examined is neither good nor bad."""
    assert FailedCheck(at=NOON, took_s=2.0, why="etcd is down").health is Health.UNKNOWN


@given(
    st.lists(st.sampled_from([FINE, OPEN, WARNING, CRITICAL]), max_size=5),
    st.sampled_from([(), (DENIED,), (FAILED,)]),
    st.sampled_from([None, "Ctrl-C"]),
    st.sampled_from([None, 0, 7]),
    st.booleans(),
)
def test_nothing_hides_what_is_critical(
    locks: list[LockReport],
    unseen: tuple[Unseen, ...],
    interrupted: str | None,
    past_runs: int | None,
    first_run_unknown: bool,  # noqa: FBT001  # an example's
) -> None:
    """A check is CRITICAL if and only if something is, and OK only if nothing failed."""
    health = a_checkup(
        *locks,
        unseen=unseen,
        interrupted=interrupted,
        past_runs=past_runs,
        first_run_unknown=first_run_unknown,
    ).health

    assert (health is Health.CRITICAL) is (CRITICAL in locks)
    if health is Health.OK:
        assert WARNING not in locks
        assert FAILED not in unseen
        assert interrupted is None
