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
from tests.factories.checks import a_checkup, a_leak
from tests.factories.plans import a_refusal, a_stake, a_target, a_treated
from tests.factories.report_examples import HOSTILE
from tests.factories.reports import a_lock, a_lock_report
from tests.outputs.json.test_report import SCHEMA

MAIL = a_lock_report(a_lock(b"/my-lock/mail"))
DONE = UnattendedResult(
    treated=(a_treated(target=a_target(Action.RELEASE)),),
    refused=(a_refusal(),),
    spared=(SkippedLock(Finding(MAIL.verdict, MAIL), TreatmentSkipReason.HELD_TOO_BRIEFLY),),
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


def test_the_status_line_and_the_details_tell_it() -> None:
    """How many in the first line and in the numbers; each lock, and why others were left."""
    line, *details = shown(NagiosOutput(), DONE).splitlines()

    assert "; 1 lock treated unattended | " in line
    assert " treated=1;;;0 " in line
    assert details[0] == (
        "Treated, /my-lock/orders, lease 32698f1c0a1b2c3d, release: The hold was deleted; lease"
        " 32698f1c0a1b2c3d lives on. Entry 5f0c1a2b3c4d of the journal."
    )
    assert details[2] == "Not treated, /my-lock/mail: it has not been held for long enough."
    assert details[1].startswith("Not treated, /my-lock/reports: It is only suspected:")


def test_a_failure_is_told_and_changes_nothing_else() -> None:
    """Why, and that nothing was treated."""
    line, *details = shown(
        NagiosOutput(), UnattendedResult(failure="the disk is full")
    ).splitlines()

    assert "; treatment failed: the disk is full | " in line
    assert " treated=0;;;0 " in line
    assert details[0] == "Treatment failed: the disk is full"


def test_what_the_journal_does_not_know_is_told() -> None:
    """The outcome found no room on the disk."""
    text = shown(NagiosOutput(), UnattendedResult(treated=(a_treated(unrecorded="no room"),)))

    assert "Only begun in the journal: no room" in text


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
    target = a_target(stakes=(a_stake(raw),))
    told = UnattendedResult(
        treated=(a_treated(Result.FAILED, target, failure="no \x1b|"),),
        refused=(a_refusal(lock=raw),),
        failure="a\n|b",
    )

    for line in shown(NagiosOutput(), told).splitlines()[1:]:
        assert "|" not in line
        assert line.isprintable()
    assert document(told)["count"] == 0
