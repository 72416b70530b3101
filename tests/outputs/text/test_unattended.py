"""What a check treated, in every form of its result."""

from __future__ import annotations

import dataclasses
import io
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from lockdoctor.domain.check.health import CheckResult, Health
from lockdoctor.domain.model.actions import Action, Result
from lockdoctor.domain.report.findings import Finding
from lockdoctor.domain.treatment.unattended import (
    SkippedLock,
    TreatmentSkipReason,
    UnattendedResult,
)
from lockdoctor.outputs.json.check import CheckJson
from lockdoctor.outputs.nagios import NagiosOutput
from lockdoctor.outputs.prometheus import PrometheusOutput
from lockdoctor.outputs.protocols import CheckOutput
from lockdoctor.outputs.table.check import CheckTable
from lockdoctor.outputs.table.report import TableOutput
from lockdoctor.outputs.text.treatment import unattended_summary
from tests.factories.checks import a_checkup, a_leak
from tests.factories.plans import a_refusal, a_target, a_treated, an_approved_hold
from tests.factories.report_examples import HOSTILE
from tests.factories.reports import a_lock, a_lock_report
from tests.outputs.json.test_report import SCHEMA

MAIL = a_lock_report(a_lock(b"/my-lock/mail"))
DONE = UnattendedResult(
    treated=(a_treated(target=a_target(Action.RELEASE)),),
    refused=(a_refusal(),),
    skipped=(SkippedLock(Finding(MAIL.verdict, MAIL), TreatmentSkipReason.HELD_TOO_BRIEFLY),),
)


def shown(output: CheckOutput, unattended: UnattendedResult | None) -> str:
    out = io.StringIO()
    output.render(checkup(unattended), out)
    return out.getvalue()


def checkup(unattended: UnattendedResult | None) -> CheckResult:
    return dataclasses.replace(a_checkup(a_leak()), unattended=unattended)


def document(unattended: UnattendedResult | None) -> Any:
    found = json.loads(shown(CheckJson(), unattended))
    Draft202012Validator(SCHEMA).validate(found)
    return found["check"]["treatment"]


def test_the_status_is_that_before_the_treatment() -> None:
    """Freed or not, and whatever failed: the leak was there."""
    failed = UnattendedResult(failure="the disk is full")

    assert {checkup(each).health for each in (None, DONE, failed)} == {Health.CRITICAL}


@pytest.mark.parametrize(
    ("unattended", "count"), [(DONE, 1), (UnattendedResult(failure="the disk is full"), 0)]
)
def test_the_status_line_counts_it(unattended: UnattendedResult, count: int) -> None:
    """In the summary and in the numbers; tests/approved has the sentences."""
    line, *_ = shown(NagiosOutput(), unattended).splitlines()

    assert f" treated={count};;;0 " in line
    assert next(unattended_summary(unattended)) in line


def test_the_table_tells_it_among_the_notes() -> None:
    """Below what was examined."""
    output = CheckTable(table=TableOutput(width=100, colour=False))

    assert "Treated, /my-lock/orders" in shown(output, DONE)
    assert "reated" not in shown(output, None)


def test_the_document_tells_it() -> None:
    """By lock, with the entry of the journal; null where nobody asked."""
    found = document(DONE)

    assert document(None) is None
    assert document(UnattendedResult()) == {
        "count": 0,
        "treated": [],
        "spared": [],
        "failure": None,
    }
    assert (found["count"], found["failure"]) == (1, None)
    (treated,) = found["treated"]
    assert (treated["action"], treated["result"]) == ("release", "done")
    assert (treated["lease"], treated["entry"]) == ("32698f1c0a1b2c3d", "5f0c1a2b3c4d")
    assert [lock["lock"] for lock in treated["locks"]] == ["/my-lock/orders"]
    assert [each["lock"] for each in found["spared"]] == ["/my-lock/reports", "/my-lock/mail"]


def test_the_gauges_count_by_outcome() -> None:
    """Each outcome, so that an alert on one is resolved; none where nobody asked."""
    page = shown(PrometheusOutput(), DONE)

    assert 'lockdoctor_treated{result="done"} 1.0\n' in page
    assert 'lockdoctor_treated{result="unknown"} 0.0\n' in page
    assert "lockdoctor_treatment_failed 0.0\n" in page
    assert "treat" not in shown(PrometheusOutput(), None)


@pytest.mark.parametrize("raw", [raw for raw in HOSTILE if raw])
def test_no_name_breaks_out(raw: bytes) -> None:
    """Neither into perfdata nor onto the terminal."""
    target = a_target(approved_holds=(an_approved_hold(raw),))
    told = UnattendedResult(
        treated=(a_treated(Result.FAILED, target, failure="no \x1b|"),),
        refused=(a_refusal(lock=raw),),
        failure="a\n|b",
    )

    for line in shown(NagiosOutput(), told).splitlines()[1:]:
        assert "|" not in line
        assert line.isprintable()
    assert document(told)["count"] == 0
