"""The history for programs."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

from lockdoctor.domain.evidence.verdicts import Severity
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.outputs.json.history import write_lines, write_runs
from tests.factories.reports import NOON
from tests.factories.stored import a_stored_run


def lines(*records: dict[str, Any]) -> list[dict[str, Any]]:
    out = io.StringIO()
    write_lines(records, out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_the_runs_are_one_document() -> None:
    """Named and written as in the report: names twice, moments in ISO 8601, IDs in hexadecimal."""
    out = io.StringIO()
    write_runs([a_stored_run(2, severity=Severity.WARNING), a_stored_run(1)], out)
    document = json.loads(out.getvalue())

    assert document["schema_version"] == 1
    assert document["runs"][0] == {
        "number": 2,
        "cluster_id": "abc",
        "lineage": 1,
        "command": "check",
        "prefixes": [{"prefix": "/my-lock/", "prefix_base64": "L215LWxvY2sv"}],
        "started_at": "2026-01-01T12:10:00.000+00:00",
        "ended_at": "2026-01-01T12:10:01.200+00:00",
        "revision": 100,
        "raft_term": 2,
        "severity": "warning",
        "holds": 1234,
        "findings": 0,
        "sessions": None,
    }
    assert [run["number"] for run in document["runs"]] == [2, 1]


def test_no_runs_are_a_document_too() -> None:
    """An empty list."""
    out = io.StringIO()
    write_runs([], out)

    assert json.loads(out.getvalue())["runs"] == []


def test_a_record_is_a_line_of_ascii() -> None:
    """Whatever the bytes: as text that is safe to print, and exactly."""
    (line,) = lines(
        {
            "record": "hold",
            "lease_id": LeaseId(0x77),
            "key": b"\xff\n",
            "lock_name": b"a\x1b|",
            "recipe": "\x1b[31m",
            "first_answered_at": NOON + 0.5,
            "held_first_answered_at": None,
            "runs": 3,
        }
    )

    assert line == {
        "record": "hold",
        "lease": "0000000000000077",
        "key": "\\xff\\n",
        "key_base64": "/wo=",
        "lock": "a\\x1b|",
        "lock_base64": "YRt8",
        "recipe": "\\x1b[31m",
        "first_answered_at": "2026-01-01T12:00:00.500+00:00",
        "held_first_answered_at": None,
        "runs": 3,
    }
    assert lines({"lease_id": LeaseId(0)}) == [{"lease": None}]


def test_lines_are_written_as_the_records_come() -> None:
    """Nothing is gathered first, however much there is."""
    out = io.StringIO()

    def records() -> Iterator[dict[str, Any]]:
        yield {"record": "run"}
        assert out.getvalue() == '{"record": "run"}\n'
        yield {"record": "hold"}

    write_lines(records(), out)

    assert out.getvalue().count("\n") == 2
