"""`lockdoctor history` from the outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lockdoctor.cli.main import main
from lockdoctor.clock import SystemClock
from lockdoctor.domain.evidence.verdicts import Severity, VerdictKind
from lockdoctor.domain.model.locks import Hold, LockId, Recipe
from lockdoctor.domain.past.run_record import FindingSeen
from lockdoctor.history.store import open_history
from tests.factories.history import HOLD, ORDERS, a_run, a_sight, by_lease
from tests.factories.reports import HOLDER, an_observation
from tests.folders import ROOT
from tests.history.database.test_paths import MARKED_BYTES

HOSTILE = LockId(b"/my-lock/\xff\x1b[31m|[bold]", Recipe.SINGLE_KEY)
DAY = 86_400.0


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the history of whoever runs the tests out of them."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("LOCKDOCTOR_HISTORY", raising=False)
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Two runs, ten days and ten minutes ago; a leak and a name that nobody should trust."""
    path = tmp_path / "state" / "lockdoctor" / "history.sqlite3"
    now = time.time()
    with open_history(path, SystemClock().mark()) as history:
        for at in (now - 10 * DAY, now - 600):
            history.record(
                a_run(
                    at,
                    holds=[a_sight(at), a_sight(at, Hold(b"\xff", 11), lock=HOSTILE, lease_id=7)],
                    readings=by_lease(an_observation(at=at)),
                    findings=[FindingSeen(VerdictKind.LEAKED_LOCK, ORDERS)],
                    severity=Severity.CRITICAL,
                )
            )
    return path


def run(*argv: str | bytes) -> int:
    return main(["history", *map(os.fsdecode, argv)])


@pytest.mark.usefixtures("path")
def test_runs_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Those of the history in the XDG state folder, without being told where."""
    assert run("runs") == 0

    out, err = capsys.readouterr()
    assert out.startswith("2 runs since ")
    assert "the last one 9 min 59 s ago: CRITICAL\n" in out or "10 min" in out
    assert err == ""


@pytest.mark.usefixtures("path")
def test_runs_are_listed_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON."""
    assert run("runs", "--format", "json") == 0

    runs = json.loads(capsys.readouterr().out)["runs"]
    assert [each["number"] for each in runs] == [2, 1]


@pytest.mark.parametrize("name", [ORDERS.name, HOLD.key, f"{HOLDER:x}", f"0x{HOLDER:016x}"])
@pytest.mark.usefixtures("path")
def test_a_lock_is_shown_by_its_name_key_or_lease(
    name: str | bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each tells of the hold, the readings and the finding."""
    assert run("show", name) == 0

    out = " ".join(capsys.readouterr().out.split())  # whatever the width
    assert ": 1 hold, 2 readings, 1 finding stored, last seen " in out
    assert "held for at least 9 days 23 h" in out
    assert "leaked-lock" in out


@pytest.mark.usefixtures("path")
def test_a_name_of_any_bytes_is_found_and_shown_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    """The very bytes of the command line; nothing of them reaches the terminal as such."""
    assert run("show", HOSTILE.name) == 0

    assert capsys.readouterr().out.startswith("/my-lock/\\xff\\x1b[31m|[bold]: 1 hold stored")


@pytest.mark.usefixtures("path")
def test_nothing_stored_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """With a status of its own, for scripts."""
    assert run("show", b"/nobody\x1b") == 1
    assert capsys.readouterr().out == "No run has stored /nobody\\x1b\n"


@pytest.mark.usefixtures("path")
def test_everything_is_exported(capsys: pytest.CaptureFixture[str]) -> None:
    """A line of JSON for each record."""
    assert run("export") == 0

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    kinds = [line["record"] for line in lines]
    assert kinds == ["run", "run", "hold", "hold", "lease", "finding"]


def test_pruning_says_what_it_did(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """How many runs went, how many stay, and what the file takes."""
    assert run("prune", "--older-than", "7d") == 0
    assert capsys.readouterr().out.startswith("Forgot 1 run; 1 run stored in ")

    assert run("prune", "--history", str(path)) == 0
    assert capsys.readouterr().out.startswith("Forgot nothing; 1 run stored in ")

    assert run("prune", "--max-size", "0B") == 0
    assert capsys.readouterr().out.startswith("Forgot nothing; 1 run stored in ")

    assert run("prune", "--older-than", "0") == 0
    assert capsys.readouterr().out.startswith("Forgot 1 run; 0 runs stored in ")

    assert run("runs") == 0
    assert capsys.readouterr().out == "No run is stored\n"


def test_the_flag_beats_the_variable_and_that_the_state_folder(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each missing one is named, and none is begun."""
    monkeypatch.setenv("LOCKDOCTOR_HISTORY", str(tmp_path / "variable"))

    assert run("runs") == 3
    assert capsys.readouterr().err.startswith(
        f"lockdoctor: There is no history at {tmp_path / 'variable'}. "
    )
    assert run("export", "--history", str(tmp_path / "flag")) == 3
    assert f"There is no history at {tmp_path / 'flag'}." in capsys.readouterr().err
    assert run("runs", "--history", str(path)) == 0
    assert sorted(each.name for each in tmp_path.iterdir()) == ["state"]


@pytest.mark.parametrize(
    "words", ["runs", "runs --format json", "show /a", "prune --max-size 1MB", "export"]
)
def test_a_damaged_history_is_a_sentence_and_3(
    words: str, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing on standard output, no traceback, and the file is where and as it was."""
    content = path.read_bytes()
    for cut in {1, 99, 100, 511, 512, 4095, 4096, len(content) // 2, len(content) - 1}:
        path.write_bytes(content[:cut])

        assert run(*words.split()) == 3

        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        is_marked = cut >= MARKED_BYTES
        begins = f"The history {path} is damaged" if is_marked else f"{path} is not a lockdoctor"
        assert err.startswith(f"lockdoctor: {begins}")
        assert path.read_bytes() == content[:cut]
        assert not list(path.parent.glob("*.corrupt-*"))


def test_no_subcommand_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Bad usage, with what there is to do."""
    assert main(["history"]) == 2

    out = capsys.readouterr().out
    assert "lockdoctor history show /my-lock/orders" in out
    assert "  export  Write everything" in out


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        ("show", "Missing argument"),
        ("show a b", "Got unexpected extra argument"),
        ("runs --format xml", "Invalid value for '--format': 'xml' is not one of: table, json"),
        ("prune --older-than 7", "Invalid value for '--older-than': '7' has no unit;"),
        ("prune --max-size 50", "Invalid value for '--max-size': '50' is not a size; write"),
        ("prune --max-size -5MB", "Invalid value for '--max-size': '-5MB' is not a size"),
        ("forget", "No such command 'forget'"),
    ],
)
def test_bad_usage_is_one_sentence_and_2(
    argv: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Told with where the help is."""
    assert run(*argv.split()) == 2

    err = capsys.readouterr().err
    assert err.startswith(f"lockdoctor: {sentence}")
    assert "See `lockdoctor history" in err
    assert err.count("\n") == 1


@pytest.mark.usefixtures("path")
def test_it_does_not_load_what_talks_to_etcd() -> None:
    """Looking at a file takes no gRPC."""
    code = (
        "import sys; from lockdoctor.cli.main import main; assert main(['history', 'runs']) == 0;"
        "print('LOADED', *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=ROOT,
    )
    loaded = set(done.stdout.rpartition("LOADED")[2].split())

    assert "lockdoctor.history.reader" in loaded
    assert not {"grpc", "google.protobuf", "etcd3"} & loaded
