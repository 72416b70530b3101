"""What a shell completes, asked as bash, zsh and fish ask."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lockdoctor.cli.main import COMMANDS, main
from lockdoctor.domain.evidence.verdicts import VerdictKind
from tests.folders import ROOT

LOADED = "import sys; from lockdoctor.cli.main import main; status = main([]); "
PROGRAM = LOADED + "print(*sys.modules, file=sys.stderr); sys.exit(status)"
SLOW = {"grpc", "rich", "etcd3", "lockdoctor.etcd", "lockdoctor.outputs", "sqlite3"}

TOML = """
[clusters.production]
endpoints = ["https://10.0.0.1:2379"]
[clusters.staging]
endpoints = ["127.0.0.1:2379"]
"""


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run where no configuration file is."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def ask(**environ: str) -> tuple[list[str], set[str]]:
    """Return the completions, and the modules that were loaded for them."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=plain | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "Traceback" not in done.stderr
    return done.stdout.split(), set(done.stderr.split())


def bash(line: str) -> list[str]:
    """Complete the last word of a line, as typer's script for bash does."""
    count = len(line.split(" ")) - 1
    found, loaded = ask(
        _LOCKDOCTOR_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=f"{count}"
    )
    assert "lockdoctor.cli.main" in loaded
    assert not SLOW & loaded
    return found


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("lockdoctor ", list(COMMANDS)),
        ("lockdoctor sc", ["scan"]),
        ("lockdoctor --vers", ["--version"]),
        ("lockdoctor history ", ["runs", "show", "prune", "export"]),
        ("lockdoctor journal ", ["list", "show", "restore"]),
        ("lockdoctor journal --format ", ["table", "json"]),
        ("lockdoctor scan --crit", ["--critical-hold"]),
        ("lockdoctor explain ", [kind.value for kind in VerdictKind]),
        ("lockdoctor explain leaked", ["leaked-lock", "leaked-session"]),
        ("lockdoctor revoke --verdict ", ["leaked-lock", "suspected-leak", "eternal-lock"]),
        ("lockdoctor revoke --how ", ["revoke", "release", "quarantine"]),
        ("lockdoctor scan --format ", ["table", "json"]),
        ("lockdoctor scan --format=j", ["json"]),
        ("lockdoctor check --format ", ["nagios", "json", "prometheus", "table"]),
        ("lockdoctor show --format t", ["table"]),
        ("lockdoctor scan --prefix /a --window 9 --kind ", ["lock", "election", "registration"]),
        ("lockdoctor explain nothing-like-it", []),
    ],
)
def test_bash_completes_words(line: str, expected: list[str]) -> None:
    """Commands, options and the words of an option, without loading what talks to etcd."""
    assert bash(line) == expected


def test_bash_completes_the_clusters_of_the_configuration_file(tmp_path: Path) -> None:
    """Those of the default file, or of the file that the line names."""
    Path("lockdoctor.toml").write_text(TOML)
    other = tmp_path / "other.toml"
    other.write_text("[clusters.elsewhere]\n")

    assert bash("lockdoctor scan --cluster ") == ["production", "staging"]
    assert bash("lockdoctor check --prefix /a --cluster st") == ["staging"]
    assert bash(f"lockdoctor show --config {other} --cluster ") == ["elsewhere"]


@pytest.mark.parametrize("text", [None, "[clusters", "[clusters]\nx = 1\n", "[unknown]\n", "\xff"])
def test_a_file_that_cannot_be_read_completes_no_cluster(text: str | None) -> None:
    """The line that a person types stays as it is."""
    if text is not None:
        Path("lockdoctor.toml").write_text(text, encoding="latin-1")

    assert bash("lockdoctor scan --cluster ") == []
    assert bash("lockdoctor scan --config /no/such.toml --cluster ") == []


def test_zsh_and_fish_complete_too() -> None:
    """By typer's own protocols; without descriptions, which would load rich."""
    words, loaded = ask(
        _LOCKDOCTOR_COMPLETE="complete_zsh", _TYPER_COMPLETE_ARGS="lockdoctor scan --form"
    )
    assert any('"--format"' in word for word in words)
    assert not SLOW & loaded

    words, loaded = ask(
        _LOCKDOCTOR_COMPLETE="complete_fish",
        _TYPER_COMPLETE_FISH_ACTION="get-args",
        _TYPER_COMPLETE_ARGS="lockdoctor s",
    )
    assert words == ["scan", "show", "selfcheck"]
    assert not SLOW & loaded


@pytest.mark.parametrize("instruction", ["complete_bash", "nonsense", "complete_tcsh"])
def test_a_broken_question_has_no_answer(
    instruction: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A status that is not 0, and an empty standard output."""
    monkeypatch.setenv("_LOCKDOCTOR_COMPLETE", instruction)

    assert main([]) != 0
    assert capsys.readouterr().out == ""


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not in PATH")
def test_the_script_for_bash_completes_in_bash(tmp_path: Path) -> None:
    """Bash takes the script that --show-completion prints, and completes with it."""
    program = tmp_path / "lockdoctor"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m lockdoctor "$@"\n')
    program.chmod(0o755)
    lines = (
        'set -e; eval "$(lockdoctor --show-completion)"; complete -p lockdoctor; '
        "COMP_WORDS=(lockdoctor explain dead); COMP_CWORD=2; "
        '_lockdoctor_completion lockdoctor; echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", lines],
        env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert done.stdout.splitlines()[-1] == "deadlock"


def test_the_script_is_installed_in_the_home_of_the_user(tmp_path: Path) -> None:
    """--install-completion exits with 0."""
    done = subprocess.run(
        ["bash", "--norc", "-c", f'"{sys.executable}" -m lockdoctor --install-completion; exit $?'],
        env=os.environ | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / ".bash_completions" / "lockdoctor.sh").is_file()


def test_the_help_has_one_line_for_each_option(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two lines in all, at 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["--help"]) == 0

    lines = capsys.readouterr().out.splitlines()
    at = next(n for n, line in enumerate(lines) if "--install-completion" in line)
    assert "--show-completion" in lines[at + 1]
    assert lines[at + 2].lstrip().startswith("-")
