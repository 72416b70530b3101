"""What a command loads: what takes long to load is loaded only where it is used."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence

import pytest

from lockdoctor.cli.main import COMMANDS, load

ETCD = {"grpc", "google.protobuf", "etcd3", "lockdoctor.etcd"}
"""What talks to etcd."""

TABLES = {"rich.table", "rich.console"}
WEB = {"http.client", "urllib.request", "prometheus_client"}
TREATS = {
    "lockdoctor.etcd.writer",
    "lockdoctor.journal.file",
    "lockdoctor.workflows.treatment.unattended",
}
HEAVY = ETCD | TABLES | WEB | {"rich", "humanize", "sqlite3", "asyncio", "ssl", "tomllib"}
HEAVY |= {"lockdoctor.domain.evidence.verdicts", "lockdoctor.outputs", "lockdoctor.history"}
"""What a help does not need."""

NOBODY = ("--endpoints", "127.0.0.1:1", "--dial-timeout", "100ms")


def loaded(*commands: Sequence[str]) -> set[str]:
    """Run commands in one fresh process, and name the modules that it has loaded by then."""
    code = "import sys; from lockdoctor.cli.main import main\n"
    code += "".join(f"main({list(words)!r})\n" for words in commands)
    code += "print('LOADED', *sys.modules)"
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env=plain,  # measuring coverage loads modules of its own
    )
    assert "Traceback" not in done.stderr
    return set(done.stdout.rpartition("LOADED")[2].split())


def paths() -> Iterator[tuple[str, ...]]:
    """Every command, those of groups too."""
    for name in COMMANDS:
        yield (name,)
        yield from ((name, inner) for inner in getattr(load(name), "commands", {}))


def test_no_help_loads_anything_heavy() -> None:
    """Neither that of the program nor of any command, nor the version."""
    commands = list(paths())
    assert {("scan",), ("history", "prune"), ("journal", "restore")} <= set(commands)

    modules = loaded(["--version"], ["--help"], *([*words, "--help"] for words in commands))

    assert "lockdoctor.cli.commands.scan" in modules
    assert not HEAVY & modules


def test_the_help_of_the_program_loads_no_command() -> None:
    """It only lists them."""
    modules = loaded([], ["--help"], ["--version"], ["--bad"], ["scn"], ["--debug", "--version"])

    assert not {f"lockdoctor.cli.commands.{name}" for name in COMMANDS} & modules


def test_bad_usage_loads_nothing_of_etcd() -> None:
    """A typo is told at once."""
    assert not (ETCD | TABLES) & loaded(["scan", "--prefx", "/my-lock/"])


@pytest.mark.parametrize(
    "words",
    [
        ["explain", "leaked-lock"],
        ["history", "runs", "--history", "none"],
        ["journal", "list", "--journal", "none"],
    ],
    ids=lambda words: words[0],
)
def test_what_reads_no_etcd_loads_nothing_of_it(words: list[str]) -> None:
    """A page, or a file, takes no gRPC."""
    modules = loaded(words)

    assert f"lockdoctor.cli.commands.{words[0]}.run" in modules
    assert not (ETCD | WEB) & modules


def test_a_check_loads_what_it_uses() -> None:
    """A check every minute draws no table and asks nobody on the web, and cannot treat."""
    modules = loaded(["check", "--prefix", "/my-lock/", *NOBODY])

    assert "grpc" in modules
    assert not (TABLES | WEB | {"rich.progress", "lockdoctor.workflows.show", *TREATS}) & modules
