"""The status line of monitoring plugins, whole, and what must never break it."""

from __future__ import annotations

import io
import re

import pytest

from lockdoctor.domain.check.health import AnyCheckResult, FailedCheck
from lockdoctor.domain.evidence.verdicts import Confidence, VerdictKind
from lockdoctor.domain.report.unseen import Part, Unseen
from lockdoctor.outputs.nagios import NagiosOutput, status_line
from tests.factories.checks import a_checkup, a_healthy_lock, a_leak
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


@pytest.mark.parametrize("past_runs", [0, None])
def test_first_run(past_runs: int | None) -> None:
    """How many sessions are renewed a first run cannot know."""
    line, *_ = render(a_checkup(a_healthy_lock(), past_runs=past_runs))

    assert line.startswith("LOCKDOCTOR OK - ")
    assert " sessions=U;;;0 " in line


def test_first_run_that_finds_something() -> None:
    """What is proven on a first run comes before that it is one."""
    line = status_line(a_checkup(a_leak(), past_runs=0))

    assert line.startswith("LOCKDOCTOR CRITICAL - 1 leaked lock blocks 4 waiters:")
    assert "first run" not in line


def test_first_run_that_suspects_something() -> None:
    """What nothing proves yet is listed below, and does not alarm."""
    doubtful = a_verdict(VerdictKind.ETERNAL_LOCK, confidence=Confidence.POSSIBLE)
    line, *details = render(a_checkup(a_lock_report(None, doubtful), past_runs=0))

    assert line.startswith("LOCKDOCTOR OK - ")
    assert any("eternal-lock, possible" in detail for detail in details)


def test_what_could_not_be_examined_comes_before_what_was_not_found() -> None:
    """An UNKNOWN begins with what went wrong."""
    reason = "etcd did not answer in time"
    failed = Unseen(what=Part.LEASES, count=3, why=f"{reason}.", is_failure=True)
    checkup = a_checkup(a_healthy_lock(), unseen=(failed,), problems=("Cannot write a.prom: x",))

    line, detail = render(checkup)

    assert line.startswith("LOCKDOCTOR UNKNOWN - ")
    why, problem, healthy = (line.index(text) for text in (reason, "a.prom", "1 healthy"))
    assert why < problem < healthy
    assert reason in detail


def test_run_that_ended_early() -> None:
    """Why it ended comes first, on a first run as well."""
    why = "stopped by `--timeout 30s` while reading the leases"

    for past_runs in (0, 5):
        line = status_line(a_checkup(a_healthy_lock(), interrupted=why, past_runs=past_runs))
        assert line.startswith("LOCKDOCTOR UNKNOWN - ")
        assert line.index(why) < line.index("1 lock")


def test_what_is_accepted() -> None:
    """An accepted finding does not alarm, and is told with its reason."""
    line, detail = render(a_checkup(an_accepted_leak()))

    assert line.startswith("LOCKDOCTOR OK - Only accepted findings:")
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
