"""Who is told what a check came to, and what happens where one of them cannot be told."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from lockdoctor.cli.commands.check.options import CheckFormat, ReportFlags
from lockdoctor.cli.commands.check.report import guessed_teller, teller_of
from lockdoctor.domain.check.health import AnyCheckResult
from lockdoctor.errors import ConfigError
from tests.factories.checks import FAILED, a_checkup, a_healthy_lock, a_leak

OK = a_checkup(a_healthy_lock())
CRITICAL = a_checkup(a_leak())


def tell(checked: AnyCheckResult, *, by_signal: bool = False, **flags: Any) -> int:
    return teller_of(ReportFlags(**flags)).tell(checked, by_signal=by_signal)


@pytest.mark.parametrize(("checked", "status"), [(OK, 0), (CRITICAL, 2), (FAILED, 3)])
def test_status_line_and_exit_status(
    checked: AnyCheckResult, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is said and what is returned are one."""
    assert tell(checked) == status

    out, err = capsys.readouterr()
    assert out.startswith(f"LOCKDOCTOR {checked.health.name} - ")
    assert err == ""


def test_ctrl_c_is_130(capsys: pytest.CaptureFixture[str]) -> None:
    """What was seen is told all the same."""
    assert tell(CRITICAL, by_signal=True) == 130
    assert "CRITICAL" in capsys.readouterr().out


def test_several_forms_of_one_result(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each file gets its form, and standard output another."""
    forms = ["json", "nagios", "prometheus", "table"]
    output = [f"{form}={tmp_path / form}" for form in forms]

    assert (
        tell(CRITICAL, output=output, textfile=tmp_path / "a=b.prom", format=CheckFormat.JSON) == 2
    )

    printed = json.loads(capsys.readouterr().out)
    assert json.loads((tmp_path / "json").read_text()) == printed
    assert (tmp_path / "nagios").read_text().startswith("LOCKDOCTOR CRITICAL - ")
    assert (tmp_path / "table").read_text().startswith("LOCKDOCTOR CRITICAL - ")
    assert "\nlockdoctor_status 2.0\n" in (tmp_path / "prometheus").read_text()
    assert (tmp_path / "a=b.prom").read_text() == (tmp_path / "prometheus").read_text()


def test_quiet_is_silent_when_ok_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Cron mails what is printed; files are written all the same."""
    assert tell(OK, quiet=True, textfile=tmp_path / "x") == 0
    assert capsys.readouterr().out == ""
    assert (tmp_path / "x").exists()

    assert tell(CRITICAL, quiet=True) == 2
    assert capsys.readouterr().out != ""


def test_file_that_cannot_be_written_is_a_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It makes the check UNKNOWN, but hides nothing critical; the other files are written."""
    flags: dict[str, Any] = {
        "output": [f"json={tmp_path / 'no' / 'x'}"],
        "textfile": tmp_path / "x.prom",
    }

    assert tell(OK, **flags) == 3
    assert "No such file or directory" in capsys.readouterr().out
    assert "\nlockdoctor_status 3.0\n" in (tmp_path / "x.prom").read_text()
    assert tell(CRITICAL, **flags) == 2
    assert tell(FAILED, **flags) == 3
    assert "nobody listens; Cannot write" in capsys.readouterr().out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
@pytest.mark.parametrize(("checked", "status"), [(OK, 3), (CRITICAL, 2)])
def test_standard_output_that_is_full(
    checked: AnyCheckResult,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A result that nobody can read is told on standard error, and never OK."""
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert tell(checked) == status
        monkeypatch.undo()

    assert capsys.readouterr().err == (
        "lockdoctor: Cannot write the result to standard output: No space left on device.\n"
    )


def test_ping_that_fails_changes_no_status(capsys: pytest.CaptureFixture[str]) -> None:
    """It is told on standard error, unless all is well and nothing is to be said."""
    url = "http://127.0.0.1:1/secret"

    assert tell(OK, ping_url=url) == 0
    assert capsys.readouterr().err == (
        "lockdoctor: the ping to 127.0.0.1 failed: connection refused, nothing listens there\n"
    )
    assert tell(OK, ping_url=url, quiet=True) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("output", ["json", "json=", "xml=/x", "=/x", "/x"])
def test_output_that_makes_no_sense(output: str) -> None:
    """It is named, with what could be written."""
    with pytest.raises(ConfigError, match="FORMAT=FILE, with one of nagios, json, prometheus"):
        teller_of(ReportFlags(output=[output]))


def test_a_ping_url_is_not_shown() -> None:
    """Neither in an error nor where the flags are."""
    flags = ReportFlags(ping_url="ftp://secret/")

    assert "secret" not in repr(flags)
    with pytest.raises(ConfigError) as refused:
        teller_of(flags)
    assert "secret" not in str(refused.value)


def test_bad_command_line_still_says_whom_to_tell() -> None:
    """Whatever else is wrong with it, and whichever way its options are written."""
    line = (
        "check --prefx /a --textfile=/x=y.prom --format json --output nagios=/z --output bad"
        " --ping-url ftp://x --quiet --timeout"
    )
    guessed = guessed_teller(line.split())
    known = teller_of(
        ReportFlags(format=CheckFormat.JSON, output=["nagios=/z"], textfile=Path("/x=y.prom"))
    )

    assert set(guessed.files) == set(known.files)
    assert dataclasses.replace(guessed, files=()) == dataclasses.replace(known, files=())


def test_bad_format_is_the_plain_one() -> None:
    """Who asked for a form that does not exist is told in the usual one."""
    assert guessed_teller(["check", "--format", "xml"]).form == "nagios"
    assert guessed_teller(["check", "--format"]).form == "nagios"
