"""`lockdoctor check` from the outside, as far as it needs no etcd: bad usage, and what failed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lockdoctor.cli.commands.check import run as check_run
from lockdoctor.cli.commands.check.options import StatusFlags
from lockdoctor.cli.commands.check.run import check_request, limits_of
from lockdoctor.cli.config.file import Config
from lockdoctor.cli.main import main
from lockdoctor.cli.options.limits import LimitFlags
from lockdoctor.cli.options.prefixes import PrefixFlags
from lockdoctor.cli.options.run import LookupFlags
from lockdoctor.domain.check.metrics import NAMES
from lockdoctor.domain.policy.policy import Rule
from lockdoctor.errors import ConfigError
from tests.folders import ROOT

OPTIONS = (
    *("--prefix", "--warning", "--critical", "--first-run-unknown", "--timeout", "--history"),
    *("--no-history", "--format", "--output", "--textfile", "--ping-url", "--quiet"),
    "--max-hold",
)
CLOSED_PORT = "127.0.0.1:1"
"""Nobody listens there without being root."""

NOBODY = ("check", "--prefix", "/a", "--endpoints", CLOSED_PORT, "--dial-timeout", "1s")


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the configuration of whoever runs the tests out of them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def run(*argv: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lockdoctor", *argv],
        env=os.environ | environ,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )


def test_help_names_every_option_and_metric(capsys: pytest.CaptureFixture[str]) -> None:
    """The help names the options and the metrics, and fits a terminal."""
    assert main(["check", "--help"]) == 0

    text = capsys.readouterr().out
    assert {*re.findall(r"--[a-z-]+", text)} >= {*OPTIONS}
    assert set(re.findall(r"\w+", text)) >= {*NAMES}
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        ("", "No prefix given. Add `--prefix /my-lock/`, or list prefixes in lockdoctor.toml."),
        ("--prefix /a --windw 1", "No such option"),  # typer 0.19 quotes it
        ("--prefix", "Option '--prefix' requires an argument"),
        ("--prefix /a --timeout 5", "Invalid value for '--timeout': '5' has no unit;"),
        ("--prefix /a --format xml", "Invalid value for '--format': 'xml' is not one of: nagios,"),
        ("--prefix /a --config no.toml", "Cannot read no.toml: No such file or directory"),
        ("--prefix /a -w waiters", "--warning waiters: '' is not a range;"),
        ("--prefix /a -c x=1", "--critical x=1 has another form. Write METRIC=RANGE, with one of"),
        ("--prefix /a --user ops", "No password for the user 'ops'. Add `--password-file"),
        ("--prefix /a --history x --no-history", "--history and --no-history exclude"),
        ("--prefix /a --output x", "--output x has another form. Write FORMAT=FILE"),
    ],
)
def test_bad_usage_is_unknown_in_one_line(
    argv: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A typo in a crontab is never read as CRITICAL; the textfile says that the check is down."""
    assert main(["check", "--textfile", "x.prom", *argv.split()]) == 3

    out, err = capsys.readouterr()
    assert out.startswith(f"LOCKDOCTOR UNKNOWN - {sentence}")
    assert out.count("\n") == 1
    assert err == ""
    assert "\nlockdoctor_up 0.0\n" in Path("x.prom").read_text()


def test_command_is_known_whatever_comes_before_it(capsys: pytest.CaptureFixture[str]) -> None:
    """An option in the wrong place does not turn UNKNOWN into CRITICAL; `scan` keeps its own."""
    assert main(["--prefix", "/a", "check"]) == 3
    assert capsys.readouterr().out.startswith("LOCKDOCTOR UNKNOWN - ")
    assert main(["scan", "--prefix", "check", "--nonsense"]) == 2
    assert capsys.readouterr().out == ""


def test_bad_line_of_the_file_is_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    """A bad line of lockdoctor.toml is told with its number."""
    Path("lockdoctor.toml").write_text('[[accept]]\nlock = "/a"\nverdict = "leaked-lock"\n')

    assert main(["check"]) == 3
    assert capsys.readouterr().out.startswith(
        "LOCKDOCTOR UNKNOWN - lockdoctor.toml line 1: an [[accept]] needs verdict, until and"
    )


def test_etcd_is_down() -> None:
    """One line, status 3, and a textfile with up 0; nothing on standard error."""
    done = run(*NOBODY, "--textfile", "x.prom", "--output", "json=x.json")

    assert (done.returncode, done.stderr) == (3, "")
    (line,) = done.stdout.splitlines()
    assert line.startswith("LOCKDOCTOR UNKNOWN - No etcd member reached: 127.0.0.1:1:")
    assert "\nlockdoctor_up 0.0\n" in Path("x.prom").read_text()
    assert '"status": "unknown"' in Path("x.json").read_text()


@pytest.mark.parametrize("error", [RuntimeError("boom | x=1\nsecond"), MemoryError()])
def test_unforeseen_error_is_unknown_in_one_line(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever breaks, who monitors gets one sound line; the details go to standard error."""

    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr(check_run, "examine", broken)

    assert main([*NOBODY, "--textfile", "x.prom"]) == 3
    out, err = capsys.readouterr()
    assert out.startswith(f"LOCKDOCTOR UNKNOWN - Internal error: {type(error).__name__}")
    assert (out.count("\n"), out.count("|")) == (1, 1)
    assert "Traceback" in err
    assert "\nlockdoctor_up 0.0\n" in Path("x.prom").read_text()


def test_program_that_cannot_be_loaded_is_unknown() -> None:
    """A broken installation is UNKNOWN as well."""
    code = (
        "import sys; sys.modules['grpc'] = None; from lockdoctor.cli.main import main;"
        f"sys.exit(main({[*NOBODY]!r}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 3
    assert done.stdout.startswith("LOCKDOCTOR UNKNOWN - ")
    assert done.stdout.count("\n") == 1
    assert "Traceback" in done.stderr


def test_debug_shows_where_an_error_came_from() -> None:
    """--debug puts the traceback on standard error, the line stays."""
    for done in (run(*NOBODY, "--debug"), run(*NOBODY, LOCKDOCTOR_DEBUG="1")):
        assert done.returncode == 3
        assert done.stdout.count("\n") == 1
        assert "Traceback" in done.stderr


def test_secrets_are_never_shown() -> None:
    """Neither a password nor a ping URL is in what is printed, not even with the traceback."""
    for done in (
        run(*NOBODY, "--user", "ops:hunter2", "--debug"),
        run(*NOBODY, "--ping-url", "http://127.0.0.1:1/hunter2", "--debug"),
        run(*NOBODY, "--ping-url", "http://ops:hunter2@127.0.0.1/", "--debug"),
        run(*NOBODY, "--pign-url=http://127.0.0.1:1/hunter2", "--ping-url", "hunter2"),
    ):
        assert done.returncode == 3
        assert "hunter2" not in done.stdout + done.stderr


def test_ranges() -> None:
    """Each metric has a range for WARNING and one for CRITICAL."""
    limits = limits_of(StatusFlags(warning=["waiters=5", "locks=1:"], critical=["waiters=@9:10"]))

    assert {name: limit.text for name, limit in limits.warning.items()} == {
        "waiters": "5",
        "locks": "1:",
    }
    assert limits.critical["waiters"].text == "@9:10"


def test_two_ranges_for_one_metric() -> None:
    """Nobody knows which of them is meant."""
    with pytest.raises(ConfigError, match="is a second range for waiters"):
        limits_of(StatusFlags(warning=["waiters=5", "waiters=6"]))


def test_request() -> None:
    """One look at every prefix of the file; no limit is added where none is stated."""
    file = Config(rules=(Rule(b"/jobs/", {"max_hold_s": 60.0}), Rule(b"/x/", {})))
    request = check_request(PrefixFlags(), LookupFlags(), LimitFlags(), file)

    assert (request.command, request.window_s, request.sessions) == ("check", 0.0, True)
    assert request.prefixes == (b"/jobs/", b"/x/")
    assert request.policy.thresholds_for(b"/jobs/a").max_hold_s == 60.0
    assert request.policy.thresholds_for(b"/x/a").stated_limit_s is None
    assert not request.policy.thresholds_for(b"/x/a").suspects
