"""The status line of monitoring plugins, whole, and what must never break it."""

from __future__ import annotations

import io
import re

import pytest

from lockdoctor.domain.check.health import AnyCheckResult, FailedCheck
from lockdoctor.domain.evidence.remedies import Advice
from lockdoctor.domain.evidence.verdicts import Confidence, VerdictKind
from lockdoctor.domain.model.locks import LockId, Recipe
from lockdoctor.domain.past.past import PastFinding
from lockdoctor.domain.report.report import Unseen
from lockdoctor.outputs.nagios import NagiosOutput, status_line
from lockdoctor.outputs.text.remedies import remedy_text
from tests.factories.checks import FAILED, LIMITS, a_checkup, a_healthy_lock, a_leak
from tests.factories.report_examples import HOSTILE, an_accepted_leak, everything
from tests.factories.reports import NOON, a_lock, a_lock_report, a_verdict

PERFDATA = re.compile(
    r"(\w+=(?:U|-?[\d.]+s?)(?:;[-~:@\d.]*){3})(?: (\w+=(?:U|-?[\d.]+s?)(?:;[-~:@\d.]*){3}))*"
)
"""label=value[UOM];warn;crit;min, and no blank anywhere else."""


def render(checked: AnyCheckResult) -> list[str]:
    out = io.StringIO()
    NagiosOutput().render(checked, out)
    return out.getvalue().splitlines()


def test_leak_of_the_story() -> None:
    """What is wrong, where, since when and for how many runs; then each piece of evidence."""
    assert render(a_checkup(a_leak(), a_healthy_lock(), limits=LIMITS)) == [
        (
            "LOCKDOCTOR CRITICAL - 1 leaked lock blocks 4 waiters: /my-lock/orders,"
            " lease 32698f1c0a1b2c3d, held at least 3 h 20 min, at most 3 h 25 min,"
            " renewed at least 61 times in 1 h 5 min, never released, found 3 runs in a row,"
            " since 2026-01-01 12:00 UTC;"
            " waiters is 4 (limit 3); oldest_hold is 3 h 20 min (limit ~:3600)"
            " | locks=2;;;0 held=2;;;0 waiters=4;3;20;0 leaked=1;;;0 findings=1;;;0"
            " accepted=0;;;0 treated=0;;;0 sessions=0;;;0"
            " oldest_hold=12000s;~:3600;;0 lookups=5;;;0"
            " seconds=0.123s;;;0"
        ),
        "CRITICAL: leaked-lock, proven, /my-lock/orders, lease 32698f1c0a1b2c3d",
        "  The hold has stood for at least 3 h 20 min, at most 3 h 25 min.",
        (
            "  A client renewed the lease at least 61 times in 1 h 5 min, on average every 63 s or"
            " more often."
        ),
        "  It has not been released since it was first seen.",
        "  4 waiters wait for it, the longest for at least 1 h 5 min.",
        (
            "  The last 3 runs with the same limits found the same, since 2026-01-01 12:00 UTC: it"
            " has stood for at least 10 min."
        ),
        f"  What to do: {remedy_text(Advice.FREE_AND_FIX)}",
    ]


def test_all_is_well() -> None:
    """One line, with the numbers for the graphs."""
    assert render(a_checkup(a_healthy_lock())) == [
        (
            "LOCKDOCTOR OK - No leaked locks: 1 lock examined, 1 healthy"
            " | locks=1;;;0 held=1;;;0 waiters=0;;;0 leaked=0;;;0 findings=0;;;0"
            " accepted=0;;;0 treated=0;;;0 sessions=0;;;0"
            " oldest_hold=0s;;;0 lookups=5;;;0 seconds=0.123s;;;0"
        )
    ]


@pytest.mark.parametrize(
    ("past_runs", "text"),
    [
        (0, "LOCKDOCTOR OK - baseline taken: 1 lock; proof needs a second run"),
        (None, "LOCKDOCTOR OK - 1 lock read once; proof needs a history of earlier runs"),
    ],
)
def test_first_run(past_runs: int | None, text: str) -> None:
    """A first run says that it is one; how many sessions are renewed it cannot know."""
    checkup = a_checkup(a_healthy_lock(), past_runs=past_runs)

    assert status_line(checkup) == text
    assert " sessions=U;;;0 " in render(checkup)[0]


def test_first_run_that_finds_something() -> None:
    """What is proven on a first run comes before that it is one."""
    line = status_line(a_checkup(a_leak(), past_runs=0))

    assert line.startswith("LOCKDOCTOR CRITICAL - 1 leaked lock blocks 4 waiters:")
    assert "baseline" not in line


def test_first_run_that_suspects_something() -> None:
    """What nothing proves yet is counted, told below, and does not alarm."""
    doubtful = a_verdict(VerdictKind.ETERNAL_LOCK, confidence=Confidence.POSSIBLE)
    checkup = a_checkup(a_lock_report(None, doubtful), past_runs=0)

    assert status_line(checkup) == (
        "LOCKDOCTOR OK - baseline taken: 1 lock; proof needs a second run; 1 finding not proven yet"
    )
    assert any("eternal-lock, possible" in line for line in render(checkup))


def test_what_could_not_be_examined_comes_before_what_was_not_found() -> None:
    """An UNKNOWN begins with what went wrong."""
    failed = Unseen(what="leases", count=3, why="etcd did not answer in time.", is_failure=True)
    checkup = a_checkup(a_healthy_lock(), unseen=(failed,), problems=("Cannot write a.prom: x",))

    line, detail = render(checkup)

    assert line.startswith(
        "LOCKDOCTOR UNKNOWN - could not examine 3 leases (etcd did not answer in time);"
        " Cannot write a.prom: x; no leaked locks: 1 lock examined,"
    )
    assert detail == "Not seen: 3 leases (etcd did not answer in time)"


def test_run_that_ended_early() -> None:
    """Why it ended comes first, on a first run as well."""
    text = "LOCKDOCTOR UNKNOWN - Incomplete (the time-out of 30 s is over): No leaked locks:"

    for past_runs in (0, 5):
        checkup = a_checkup(
            a_healthy_lock(), interrupted="the time-out of 30 s is over", past_runs=past_runs
        )
        assert status_line(checkup).startswith(text)


def test_nothing_examined() -> None:
    """One line says why; the time it took is still worth a graph."""
    assert render(FAILED) == [
        "LOCKDOCTOR UNKNOWN - Cannot reach etcd at 127.0.0.1:1: nobody listens | seconds=2s;;;0"
    ]


def test_what_stands_no_more() -> None:
    """The findings of the last run that are gone are named."""
    gone = (
        PastFinding(
            kind=VerdictKind.LEAKED_LOCK,
            lock=LockId(b"/my-lock/or|ders", Recipe.GO_MUTEX),
            since_at=NOON,
            runs=2,
        ),
        PastFinding(kind=VerdictKind.LEAKED_SESSION, lock=None, since_at=NOON, runs=2),
    )

    assert render(a_checkup(a_healthy_lock(), gone=gone, notes=("A new one was begun.",)))[1:] == [
        r"Ended since the last run: leaked-lock, /my-lock/or\x7cders",
        "Ended since the last run: leaked-session",
        "Note: A new one was begun.",
    ]


def test_what_is_accepted() -> None:
    """An accepted finding does not alarm, and is told with its reason."""
    line, detail = render(a_checkup(an_accepted_leak()))

    assert line.startswith("LOCKDOCTOR OK - Nothing found that is not accepted:")
    assert " leaked=0;;;0 findings=0;;;0 accepted=1;;;0 " in line
    assert detail == (
        "Accepted until 2026-03-31: leaked-lock, /my-lock/orders, lease 32698f1c0a1b2c3d"
        r" (the importer is rewritten in March [bold]\x1b[31m)"
    )


def test_everything_in_one_report() -> None:
    """Whatever a report holds, there is one bar in the output, before sound perfdata."""
    report = everything()
    text = "\n".join(render(a_checkup(*report.locks, unseen=report.unseen)))

    line, _, details = text.partition("\n")
    assert PERFDATA.fullmatch(line.partition(" | ")[2])
    assert "|" not in details


@pytest.mark.parametrize("name", [*HOSTILE, b"a|b=1;2", b"|", b"x'y\" | locks=0"])
def test_no_name_breaks_the_line(name: bytes) -> None:
    """A name cannot end the line, begin perfdata of its own or reach the terminal."""
    lock = a_lock(b"/my-lock/" + name, waiters=1)
    lines = render(a_checkup(a_lock_report(lock, a_verdict(lock=lock))))

    assert [line for line in lines if not line.isprintable()] == []
    assert "\n".join(lines).count("|") == 1
    summary, perfdata = lines[0].split(" | ")
    assert summary.startswith("LOCKDOCTOR WARNING - 1 leaked lock blocks 1 waiter: /my-lock/")
    assert PERFDATA.fullmatch(perfdata)
    assert max(map(len, lines)) < 1500


@pytest.mark.parametrize("hostile", ["a | b=1\nLOCKDOCTOR OK - \x1b[31m", "x" * 10_000])
def test_what_a_server_says_breaks_nothing(hostile: str) -> None:
    """The words of an error stay in its line, and leave room for the perfdata."""
    (line,) = render(FailedCheck(at=NOON, took_s=0.5, why=hostile))

    assert line.isprintable()
    assert line.count("|") == 1
    assert line.endswith(" | seconds=0.5s;;;0")
    assert len(line) < 1500


def test_terminal_that_cannot_show_a_letter() -> None:
    """Under a locale of cron's that lacks a letter it is escaped rather than an error."""
    lock = a_lock("/my-lock/schön".encode())
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")

    NagiosOutput().render(a_checkup(a_lock_report(lock, a_verdict(lock=lock))), out)

    out.flush()
    assert rb"/my-lock/sch\xf6n" in raw.getvalue()
