"""Processes and etcd's own counters in the reports."""

from __future__ import annotations

import io
import json
from importlib import resources

import pytest
from jsonschema import Draft202012Validator

from lockdoctor.domain.report.processes import CallSite, CounterChanges, Frame, MemberCounterChanges
from lockdoctor.outputs.json.report import JsonOutput
from lockdoctor.outputs.table.report import TableOutput
from lockdoctor.outputs.text.evidence.processes import process_lines, server_line
from lockdoctor.outputs.text.headline import headline
from tests.factories.processes import (
    a_census,
    a_member,
    a_process,
    a_server,
    live_sessions,
)
from tests.factories.report_examples import a_leak, leaked_sessions
from tests.factories.reports import a_report, a_verdict

HOSTILE = Frame("main.\x1b[31m\nred", "a\u202e.go:1")
SCHEMA = json.loads(
    resources.files("lockdoctor.outputs.json").joinpath("report.schema.json").read_text("utf-8")
)


def test_a_process_in_two_lines_and_one_for_each_caller() -> None:
    """Counts, growth, age, what it keeps; then where its own code waits and opens sessions."""
    assert list(process_lines(a_process())) == [
        (
            "orders-7f: 5,812 live sessions, 11 of them waiting; 45 s earlier it was 5,700; 1"
            " client; the oldest keep-alive stands for at least 3 h; by its lease's ID it holds 1"
            " lock of these; by their IDs it keeps 5,801 leases without keys alive"
        ),
        "orders-7f: 11 goroutines in Lock, called by main.request (leaks.go:45)",
        "orders-7f: 11 sessions opened by goroutines that are now at main.request (leaks.go:45)",
    ]


def test_a_saved_profile_that_was_cut_off() -> None:
    """Fewest counts, raw keep-alives, and that it is of another moment."""
    census = a_census(
        sessions=1,
        keepalives=3,
        lock_waiters=0,
        named_keepalives=0,
        oldest_keepalive_s=None,
        callers=(),
        is_whole=False,
        words=frozenset(),
    )
    process = a_process(
        census=census, is_saved=True, sessions_before=None, keyless_kept=None, locks_held=None
    )

    assert list(process_lines(process)) == [
        (
            "orders-7f: at least 1 live session; 2 leases kept alive without a session; 1 client;"
            " this profile does not name leases, as one with debug=2 might; from a profile that was"
            " saved earlier"
        )
    ]


def test_a_build_that_hides_the_leases() -> None:
    """Where Go shows no ID, or some, debug=2 is no help: numbers are all there is."""
    for named in (0, 5_000):
        process = a_process(census=a_census(named_keepalives=named), keyless_kept=None)
        (facts, *_) = process_lines(process)
        assert (
            f"{named:,} of 5,812 keep-alives show their lease's ID, so only numbers are compared"
            in facts
        )


@pytest.mark.parametrize(
    ("server", "line"),
    [
        (
            a_server(),
            (
                "In 45 s etcd counted 112 leases granted, 0 ended, 12,500 renewals; 3 keep-alive"
                " streams open at the members asked"
            ),
        ),
        (
            a_server(a_member(renewed=None, expired=None, leader_changes=1, revoked=4)),
            (
                "In 45 s etcd counted 112 leases granted, 4 ended; 3 keep-alive streams open at the"
                " members asked; the leader changed once"
            ),
        ),
        (
            a_server(
                a_member(
                    was_restarted=True,
                    granted=None,
                    revoked=None,
                    expired=None,
                    renewed=None,
                    keepalive_streams=1,
                )
            ),
            (
                "1 keep-alive stream open at the members asked; restarted meanwhile:"
                " http://10.0.0.1:2379/metrics"
            ),
        ),
    ],
)
def test_the_servers_view_in_a_line(server: CounterChanges, line: str) -> None:
    """What is not known is left out, and a restart is said."""
    assert server_line(server) == line


def test_the_table_has_both() -> None:
    """The counters stand below the headline, the processes below the findings; nothing escapes."""
    process = a_process(census=a_census(callers=(CallSite("Lock", HOSTILE, 2),)))
    out = io.StringIO()
    TableOutput(width=200, colour=False).render(
        a_report(a_leak(), processes=(process,), server=a_server()), out
    )

    lines = out.getvalue().splitlines()
    assert lines[2].startswith("In 45 s etcd counted 112 leases granted")
    assert (
        r"  - orders-7f: 2 goroutines in Lock, called by main.\x1b[31m\nred (a\u202e.go:1)" in lines
    )


def test_the_document_has_both() -> None:
    """The sections are as the schema says, the numbers those of the report."""
    process = a_process(census=a_census(callers=(CallSite("Lock", HOSTILE, 2),)))
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
