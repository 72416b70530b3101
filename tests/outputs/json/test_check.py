"""A health check as a table and as JSON."""

from __future__ import annotations

import io
import json
from importlib import resources
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from lockdoctor.domain.check.health import AnyCheckResult, FailedCheck
from lockdoctor.domain.check.metrics import NAMES
from lockdoctor.outputs.json.check import CheckJson
from lockdoctor.outputs.nagios import status_line
from lockdoctor.outputs.table.check import CheckTable
from lockdoctor.outputs.table.report import TableOutput
from tests.factories.checks import FAILED, LIMITS, a_checkup, a_healthy_lock, a_leak
from tests.factories.reports import NOON

SCHEMA = json.loads(
    resources.files("lockdoctor.outputs.json").joinpath("report.schema.json").read_text("utf-8")
)
FIRST = a_checkup(a_healthy_lock(), past_runs=0, problems=("Cannot write a.prom: x",))


def document(checked: AnyCheckResult) -> Any:
    """Render a check and hold the document against its schema."""
    out = io.StringIO()
    CheckJson().render(checked, out)
    found = json.loads(out.getvalue())
    Draft202012Validator(SCHEMA, format_checker=FormatChecker()).validate(found)
    return found


def table(checked: AnyCheckResult) -> str:
    out = io.StringIO()
    CheckTable(table=TableOutput(width=100, colour=False)).render(checked, out)
    return out.getvalue()


def test_document_of_a_check() -> None:
    """A scan's document, with what the check comes to."""
    found = document(a_checkup(a_leak(), limits=LIMITS))

    check = found["check"]
    assert (check["status"], check["is_first"], check["problems"]) == ("critical", False, [])
    assert check["summary"] == status_line(a_checkup(a_leak(), limits=LIMITS))
    assert tuple(check["metrics"]) == NAMES
    assert check["alarms"] == [
        {"metric": "waiters", "severity": "warning", "value": 4, "range": "3"},
        {"metric": "oldest_hold", "severity": "warning", "value": 12_000, "range": "~:3600"},
    ]
    assert found["findings"][0]["verdict"] == "leaked-lock"


def test_document_of_a_first_check() -> None:
    """What is not known is null; what went wrong is told."""
    check = document(FIRST)["check"]

    assert (check["status"], check["is_first"]) == ("unknown", True)
    assert check["metrics"]["sessions"] is None
    assert check["problems"] == ["Cannot write a.prom: x"]


def test_document_of_a_failed_check() -> None:
    """Nothing examined: the check alone, and why."""
    assert document(FAILED) == {
        "schema_version": 1,
        "check": {
            "status": "unknown",
            "summary": f"LOCKDOCTOR UNKNOWN - {FAILED.why}",
            "took_s": 2.0,
            "is_first": None,
            "metrics": None,
            "alarms": [],
            "problems": [FAILED.why],
            "treatment": None,
        },
    }


def test_schema_does_not_let_half_a_report_pass() -> None:
    """A document without findings is one of a failed check, and says so."""
    half = document(a_checkup(a_leak()))
    del half["findings"]

    assert not Draft202012Validator(SCHEMA).is_valid(half)
    assert not Draft202012Validator(SCHEMA).is_valid({"schema_version": 1})


def test_table_of_a_check() -> None:
    """The status first, then what a scan would show."""
    lines = table(a_checkup(a_leak())).splitlines()

    assert lines[0].startswith("LOCKDOCTOR CRITICAL - 1 leaked lock blocks 4 waiters:")
    assert any(line.startswith("Read once with 5 look-ups:") for line in lines)
    assert "Finding 1 of 1: leaked-lock, critical, proven" in lines


@pytest.mark.parametrize("why", [FAILED.why, "two\nlines\x1b[31m"])
def test_table_of_a_failed_check(why: str) -> None:
    """The status alone, and nothing that a terminal would obey."""
    (line,) = table(FailedCheck(at=NOON, took_s=2.0, why=why)).splitlines()

    assert line.startswith("LOCKDOCTOR UNKNOWN - ")
    assert line.isprintable()
