"""The page of one lock or lease, on a terminal and as files."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from lockdoctor.domain.evidence.renewals import Renewed
from lockdoctor.domain.inference.deadlines import Interval
from lockdoctor.domain.model.locks import Kind, Recipe
from lockdoctor.domain.report.report import Report
from lockdoctor.outputs import html as pictures
from lockdoctor.outputs.table.parts.layout import write
from lockdoctor.outputs.table.show import MAX_QUEUED, show_parts
from tests.factories.report_examples import a_leak
from tests.factories.reports import (
    HOLDER,
    NOON,
    a_key,
    a_lock,
    a_lock_report,
    a_report,
    a_session,
    a_trace,
    a_verdict,
    an_observation,
)

EVIL = b"/my-lock/\x1b[31m[red]<script>&\"'\n|"


def page(report: Report, width: int = 80) -> str:
    out = io.StringIO()
    write(show_parts(report, width), out, width=width, colour=False)
    return out.getvalue()


def test_the_page_of_a_suspected_leak() -> None:
    """The headline first; then queue, chart, keys and verdict with what to do."""
    report = a_report(replace(a_leak(waiters=2), waited_s=(45.0, 0.0)))
    text = page(report)
    lines = text.splitlines()

    assert lines[0].startswith("1 likely leaked lock blocks 2 waiters: /my-lock/orders")
    assert any(re.match(r"  holder    32698f1c0a1b2c3d  at least 45 s", line) for line in lines)
    assert any(re.match(r"  waiter 1  \w{16}  at least 45 s", line) for line in lines)
    assert any(re.match(r"  waiter 2  \w{16}  new in this run", line) for line in lines)
    assert "Remaining TTL, this run" in lines
    assert "  What the verdict means: lockdoctor explain suspected-leak" in lines
    # a command line to copy is never broken
    assert max(len(line) for line in lines if "lockdoctor revoke" not in line) <= 80


def test_a_period_is_one_number() -> None:
    """The queue and the evidence below it round the same period in the same way: up."""
    renewed = (Interval(NOON, NOON + 1), Interval(NOON + 43, NOON + 44.2))
    trace = replace(a_trace(), renewals=11, renewed_in=renewed, renewals_before_last=(1, 10))
    every_s = trace.at_most_every_s
    verdict = a_verdict(evidence=(Renewed(11, 45.2, every_s),))
    text = " ".join(page(a_report(a_lock_report(None, verdict, trace=trace)), 160).split())

    assert every_s == pytest.approx(4.42)
    assert text.count("every 4.5 s or less") == 2


def test_a_lock_without_a_holder() -> None:
    """It is said; there is no queue to show."""
    lock = replace(a_lock(), holder=None, waiters=())
    text = page(a_report(a_lock_report(lock, age=None)))

    assert "This lock has no holder." in text


def test_a_lease_without_keys_has_a_headline_of_its_own() -> None:
    """Not "no locks found": a lease was asked for."""
    session = a_session()
    text = page(a_report(sessions=(session,)))

    assert text.startswith(f"Lease {session.trace.lease_id:016x} has no keys: ")


def test_what_clients_wrote_is_shown_and_escaped() -> None:
    """A candidate, and a name that would like to be more than text."""
    key = a_key(EVIL + b"/%x" % HOLDER, value=b"node-a")
    lock = a_lock(EVIL, holder=key, recipe=Recipe.GO_ELECTION)
    report = a_report(a_lock_report(replace(lock, kind=Kind.ELECTION)))
    text = page(report)

    assert ": node-a" in text
    assert "\x1b" not in text
    assert "[red]" in text


@pytest.mark.parametrize(
    ("members", "said"),
    [
        (frozenset({0xAB32698F1C0A1B2C}), None),
        (frozenset({0xABCDEF0123453269}), "lease granted by member abcdef0123453269 at"),
        (frozenset(), "lease granted at"),
    ],
)
def test_what_the_ids_of_leases_tell(members: frozenset[int], said: str | None) -> None:
    """By which member, where one fits; nothing where none can have given it."""
    report = a_report(a_leak(waiters=0))
    text = " ".join(page(replace(report, cluster=replace(report.cluster, members=members))).split())

    assert (said in text) if said else ("lease granted" not in text)


def test_a_long_queue_is_cut() -> None:
    """The rest is counted; the JSON has it."""
    report = a_report(a_lock_report(a_lock(waiters=MAX_QUEUED + 4)))

    assert f"waiter {MAX_QUEUED - 1}" in page(report)
    assert f"waiter {MAX_QUEUED} " not in page(report)
    assert "… 5 more" in page(report)


def test_earlier_runs_make_a_second_chart() -> None:
    """As far back as they go."""
    lock = a_leak(waiters=0)
    trace = lock.holder_trace
    assert trace is not None
    first = an_observation(at=NOON - 7200)
    longer = replace(trace, readings=(first, *trace.readings))
    report = a_report(replace(lock, traces={trace.lease_id: longer}))

    assert "Remaining TTL, from earlier runs" in page(report)
    assert "2 h" in page(report)


@pytest.mark.parametrize("evil", [EVIL, b"</text><script>alert(1)</script>", b"\xff\x00\x07"])
def test_pictures_fetch_nothing_and_hold_text_only(evil: bytes) -> None:
    """Whatever a key is called: no script, no address, and well-formed."""
    lock = a_lock(evil, holder=a_key(evil + b"/%x" % HOLDER))
    report = a_report(a_lock_report(lock))

    html, svg = pictures.html(show_parts(report, 110)), pictures.svg(show_parts(report, 110))

    assert "<script" not in html + svg
    assert not re.search(r"(src|href)\s*=|@import|url\((?!#)", html + svg)
    ET.fromstring(svg)  # noqa: S314  # it is ours
