"""The report for people, whole, at the widths of a small and of a large terminal."""

from __future__ import annotations

import dataclasses
import io
import re

import pytest

from lockdoctor.domain.evidence.age import EstimatedAge, SeenInEarlierRuns
from lockdoctor.domain.evidence.deadlock import CycleEdge, WaitCycle
from lockdoctor.domain.evidence.verdicts import VerdictKind
from lockdoctor.domain.inference.hold_age import HoldAge
from lockdoctor.domain.inference.queue_activity import QueueActivity
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.report.findings import LockReport
from lockdoctor.domain.report.report import Report
from lockdoctor.outputs.table.parts.locks import sawtooth
from lockdoctor.outputs.table.report import TableOutput
from tests.factories.report_examples import (
    HOSTILE,
    a_deadlock,
    a_freed_lock,
    a_healthy_lock,
    a_leak,
    a_proven_leak,
    an_undetermined_lock,
    everything,
)
from tests.factories.reports import (
    NOON,
    a_key,
    a_lock,
    a_lock_report,
    a_report,
    a_trace,
    a_verdict,
)


def render(report: Report, width: int = 160, *, colour: bool = False) -> str:
    out = io.StringIO()
    TableOutput(width=width, colour=colour).render(report, out)
    return out.getvalue()


@pytest.mark.parametrize("width", [40, 80, 100, 131, 132, 160, 250])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """Only a command line to copy may be longer, since it must not be broken."""
    lines = (render(everything(), width) + render(a_deadlock(), width)).splitlines()

    assert [
        line
        for line in lines
        if len(line) > width and not line.startswith(("    etcdctl", "    lockdoctor revoke"))
    ] == []


@pytest.mark.parametrize("width", [60, 80, 132, 160])
def test_lease_and_verdict_are_never_cut(width: int) -> None:
    """An ID that is cut or broken cannot be copied, a verdict cannot be searched for."""
    table = render(a_report(a_leak(b"/my-lock/" + b"n" * 500)), width).split("Finding 1")[0]

    assert table.count("32698f1c0a1b2c3d") == 2  # in the headline and in the table
    assert "suspected-leak" in table


def test_colour_adds_nothing_but_colour() -> None:
    """Without the escape sequences the text is the same, so nothing depends on them."""
    coloured = render(everything(), 80, colour=True)

    assert "\x1b[" in coloured
    stripped = "\n".join(
        line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", coloured).splitlines()
    )
    assert stripped + "\n" == render(everything(), 80)


def test_neither_the_terminal_nor_its_variables_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller says width and colour; a dumb terminal or FORCE_COLOR changes nothing."""
    before = render(everything(), 160)
    for name, value in (("TERM", "dumb"), ("FORCE_COLOR", "1"), ("COLUMNS", "20")):
        monkeypatch.setenv(name, value)

    assert render(everything(), 160) == before


@pytest.mark.parametrize("width", [80, 160])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text(name: bytes, width: int) -> None:
    """No name brings a control character or a colour along, or makes the report long."""
    for report in (a_report(a_leak(b"/my-lock/" + name)), a_deadlock(name, b"/my-lock/" + name)):
        text = render(report, width)

        assert all(line.isprintable() for line in text.splitlines())
        assert len(text) < 8_000


@pytest.mark.parametrize("what", [b"[red]", b"[/]", b"[link=x]", b":smiley:"])
def test_names_are_no_markup(what: bytes) -> None:
    """Brackets and colons are printed as they are."""
    assert what.decode() in render(a_report(a_leak(b"/my-lock/" + what)))


def test_of_many_locks_the_worst_are_listed_and_the_rest_counted() -> None:
    """A thousand healthy locks do not bury the leaked one."""
    fine = [a_healthy_lock(b"/my-lock/%04d" % n, lease_id=n + 1) for n in range(1000)]
    text = render(a_report(a_proven_leak(), *fine, an_undetermined_lock()), 80)

    assert "leaked-lock   /my-lock/orders" in text
    assert "… and 952 more locks: 951 healthy, 1 undetermined" in text
    assert len(text.splitlines()) < 350


def test_of_many_findings_the_rest_is_counted() -> None:
    """Nobody reads a thousand findings, but their number is told."""
    text = render(a_report(*(a_leak(b"/my-lock/%d" % n) for n in range(1000))))

    assert "Finding 20 of 1000:" in text
    assert "… and 980 more findings; --format json has them all" in text


def test_each_prefix_has_its_table() -> None:
    """A prefix without locks is told too; every key of the cluster is no prefix to print."""
    report = a_report(a_healthy_lock(), prefixes=(b"/my-lock/", b"/other\n/"))

    assert "1 lock below /my-lock/\n" in render(report)
    assert "0 locks below /other\\n/\n" in render(report)
    assert "0 locks in the cluster\n" in render(a_report(prefixes=(b"",)))


def test_what_else_is_wrong_stands_below_the_verdict() -> None:
    """A second finding on a lock is not hidden by the first; that it is healthy else is no news."""
    lock = a_lock()
    kinds = (VerdictKind.SUSPECTED_LEAK, VerdictKind.LONG_TTL, VerdictKind.HEALTHY)
    report = a_lock_report(lock, *(a_verdict(kind, lock=lock, evidence=()) for kind in kinds))

    text = render(a_report(report))

    assert "\n+ long-ttl " in text
    assert "healthy" not in text


def test_counts_after_a_gap_in_the_watch_are_lower_bounds() -> None:
    """A plus says that more may have given up."""
    report = a_lock_report(activity=QueueActivity(watched_s=9.0, gave_up=3, has_gap=True))

    assert "3+ gave up" in render(a_report(report), 80)


def test_a_stream_that_lacks_characters_gets_escapes() -> None:
    """An ASCII terminal ends no report with an error."""
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")

    TableOutput(width=80, colour=False).render(a_report(a_leak("/schön".encode())), out)
    out.flush()

    assert rb"/sch\xf6n" in raw.getvalue()


def test_the_sawtooth_shows_each_look() -> None:
    """Full, half and empty can be told apart; of many looks the last are drawn."""
    falling = a_trace((0.0, 59), (30.0, 29), (59.0, 0))

    assert sawtooth(falling) == "█▄▁"
    assert len(sawtooth(a_trace(*((float(n), 59 - n) for n in range(40))))) == 12


def test_a_look_that_says_nothing_is_not_drawn() -> None:
    """A member without the lead answers "for ever"; a lease without end has no height."""
    trace = a_trace((0.0, 59), (1.0, 9_223_372_036))

    assert sawtooth(trace) == "█"
    assert "remaining TTL unknown of 60 s █\n" in render(a_report(a_lock_report(trace=trace)), 80)


def test_a_snapshot_claims_no_time() -> None:
    """With one reading nothing was watched, and no hold has a proven length."""
    report = a_lock_report(age=HoldAge(at_least_s=0.0))
    text = render(a_report(report, window_s=0.0, watched_s=0.01), 80).split("Finding 1")[0]

    assert "Read once with 36 look-ups" in text
    assert "held at least" not in text.split("Verdict")[1]


def test_a_young_hold_has_only_an_upper_bound() -> None:
    """A hold that began while we watched."""
    assert "held at most 46 s\n" in render(
        a_report(a_lock_report(age=HoldAge(at_least_s=0.0, at_most_s=45.2))), 80
    )


def test_an_estimate_stands_where_it_tells_more_than_the_proof() -> None:
    """It must be half as much again as what is proven, and within it."""
    told = [
        a_lock_report(age=HoldAge(at_least_s=100.0, at_most_s=most, estimate=_about(about_s)))
        for most, about_s in ((None, 149.0), (None, 151.0), (200.0, 151.0), (150.0, 151.0))
    ]

    assert ["estimate" in _row(lock) for lock in told] == [False, True, True, False]


def test_what_is_estimated_comes_after_what_is_proven() -> None:
    """A guess does not stand between proofs, wherever the verdict has it."""
    verdict = a_verdict(evidence=(_about(151.0), SeenInEarlierRuns(3, 900.0, NOON)))

    text = render(a_report(a_lock_report(None, verdict)))
    first, second = re.findall(r"^  - (.*)$", text, re.MULTILINE)

    assert first.startswith("The last 3 runs")
    assert second.startswith("Estimated")


def test_a_waiter_is_named_as_one() -> None:
    """What is said of a waiter is not taken for the holder; a holder's key needs no word."""
    lock = a_lock(waiters=1)
    waiter = lock.waiters[0]
    verdict = a_verdict(
        VerdictKind.BLOCKED_QUEUE, lock=lock, key=waiter.key, leases=(waiter.lease_id,)
    )

    waiting = render(a_report(a_lock_report(lock, verdict)))
    holding = render(a_report(a_lock_report(lock)))

    assert "\n  /my-lock/orders, waiter /my-lock/orders/a1, lease 00000000000000a1\n" in waiting
    assert "\n  /my-lock/orders, lease 32698f1c0a1b2c3d\n" in holding


def test_releases_after_a_gap_are_lower_bounds() -> None:
    """Where the watch missed something, there may have been more."""
    activity = QueueActivity(watched_s=9.0, releases=3, has_gap=True)

    assert "released at least 3 times in 9 s\n" in _row(a_lock_report(activity=activity))


def test_a_lease_that_ended_under_its_key_has_freed_nothing_yet() -> None:
    """Only where nobody holds any more is the lock said to be free."""
    freed = a_freed_lock()
    held = dataclasses.replace(freed, age=HoldAge(at_least_s=45.2))

    assert "lease ended, lock freed\n" in _row(freed)
    assert "lease ended\n" in _row(held)


def _about(about_s: float) -> EstimatedAge:
    return EstimatedAge(about_s, 300, 2.0)


def _row(lock: LockReport) -> str:
    """The lock in the table of a narrow terminal."""
    return render(a_report(lock), 80).partition("Verdict")[2].partition("Finding")[0]


def test_a_released_lock_and_an_unread_lease_have_no_facts() -> None:
    """What is not known is left out, not made up."""
    lock = dataclasses.replace(a_lock(holder=a_key()), holder=None)
    report = dataclasses.replace(
        a_lock_report(lock, a_verdict(VerdictKind.HEALTHY, lock=lock, evidence=())),
        age=None,
        traces={},
    )
    text = render(a_report(report), 80)

    assert text.endswith("healthy   /my-lock/orders\n")


def test_a_cycle_of_many_is_cut() -> None:
    """Eight parties are drawn, the rest is counted; two sessions of one client share a place."""
    circle = WaitCycle(
        tuple(
            CycleEdge(LeaseId(n + 1), b"/l/%d" % n, LeaseId(n + 100), is_holder=n > 0)
            for n in range(12)
        ),
        12,
        0.0,
    )
    verdict = a_verdict(VerdictKind.DEADLOCK, evidence=(circle,))
    text = render(a_report(a_lock_report(None, verdict)), 80)

    assert text.count("waits for /l/") == 8
    assert "… and 4 more sessions" in text
    assert "sessions 0000000000000064 and 0000000000000002, likely of one client" in text
    assert "queued for /l/0" in text
