"""Processes and etcd's own counters in the reports."""

from __future__ import annotations

import io
import json
from importlib import resources

from jsonschema import Draft202012Validator

from lockdoctor.domain.report.processes import CallSite, Frame, MemberCounterChanges
from lockdoctor.outputs.json.report import JsonOutput
from lockdoctor.outputs.table.report import TableOutput
from lockdoctor.outputs.text.evidence.processes import server_line
from lockdoctor.outputs.text.headline import headline
from tests.factories.processes import (
    a_member,
    a_process,
    a_server,
    goroutine_counts,
    live_sessions,
)
from tests.factories.report_examples import a_leak, leaked_sessions
from tests.factories.reports import a_report, a_verdict

HOSTILE = Frame("main.\x1b[31m\nred", "a\u202e.go:1")
SCHEMA = json.loads(
    resources.files("lockdoctor.outputs.json").joinpath("report.schema.json").read_text("utf-8")
)


def test_the_table_has_both() -> None:
    """The counters stand below the headline, the processes below the findings; nothing escapes."""
    process = a_process(counts=goroutine_counts(callers=(CallSite("Lock", HOSTILE, 2),)))
    out = io.StringIO()
    TableOutput(width=200, colour=False).render(
        a_report(a_leak(), processes=(process,), server=a_server()), out
    )

    lines = out.getvalue().splitlines()
    assert lines[2] == server_line(a_server())
    assert (
        r"  - orders-7f: 2 goroutines in Lock, called by main.\x1b[31m\nred (a\u202e.go:1)" in lines
    )


def test_the_document_has_both() -> None:
    """The sections are as the schema says, the numbers those of the report."""
    process = a_process(counts=goroutine_counts(callers=(CallSite("Lock", HOSTILE, 2),)))
    out = io.StringIO()
    JsonOutput().render(a_report(processes=(process,), server=a_server()), out)
    document = json.loads(out.getvalue())

    Draft202012Validator(SCHEMA).validate(document)
    (told,) = document["processes"]
    assert (told["name"], told["sessions"], told["keyless_kept"]) == ("orders-7f", 5_812, 5_801)
    assert told["callers"][0]["function"] == r"main.\x1b[31m\nred"
    assert (document["server"]["granted"], document["server"]["revoked"]) == (112, 0)
    assert document["server"]["members"][0]["member"] == "http://10.0.0.1:2379/metrics"


def test_the_headline_names_the_culprit() -> None:
    """A leak whose leases all are one process's is said to be that process's."""
    leaks = leaked_sessions()
    verdict = a_verdict(
        leaks.kind, leases=leaks.leases, evidence=(*leaks.evidence, live_sessions(kept=5_800))
    )

    assert "leaked by orders-7f" in headline(a_report(session_verdicts=(verdict,)))


def test_no_member_counts_twice() -> None:
    """Members count the same leases, streams each its own."""
    both = a_server(a_member(), _follower())

    assert (both.granted, both.renewed, both.keepalive_streams) == (112, 12_500, 8)


def _follower() -> MemberCounterChanges:
    return a_member(granted=111, expired=None, renewed=None, keepalive_streams=5)
