"""A history that an earlier lockdoctor wrote; fixtures/README.md says how it was made."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from lockdoctor.cli.main import main
from lockdoctor.domain.evidence.verdicts import Severity, VerdictKind
from lockdoctor.domain.inference.leadership import Leadership
from lockdoctor.domain.inference.renewals import trace
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.model.locks import Hold, LockId, Recipe
from lockdoctor.domain.past.past import ClockMark, Past
from lockdoctor.domain.past.run_record import FindingSeen
from lockdoctor.history.database.migrations import STEPS, version
from lockdoctor.history.reader import open_reader
from lockdoctor.history.store import open_history
from tests.factories.history import a_mark, a_run, a_sight, ask
from tests.folders import TESTS

FILE = TESTS / "history" / "fixtures" / "layout-1.sqlite3"
BOOT_ID = "4fcbc530-44e1-437d-bef8-56255ae40426"
BOOTED_AT = 1795972462.0436215
FIRST_RUN_AT = 1795979730.5952077
LAST_RUN_ENDED_AT = 1795979778.3822134
CLUSTER_ID = 0x7F017E38852508E3
LEASE = LeaseId(0x6B93A228BBD8B505)
HOLD = Hold(b"/my-lock/orders/6b93a228bbd8b505", 2)
LOCK = LockId(b"/my-lock/orders", Recipe.GO_MUTEX)


def clock(after_s: float) -> ClockMark:
    """Return the time of a run on the same boot, so many seconds after the last stored run."""
    at = LAST_RUN_ENDED_AT + after_s
    return ClockMark(wall_at=at, boot_id=BOOT_ID, steady_at=at - BOOTED_AT)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A copy of the file, for it is migrated where it is opened."""
    return Path(shutil.copy(FILE, tmp_path / "history.sqlite3"))


def recalled(path: Path, after_s: float) -> Past:
    with open_history(path, clock(after_s)) as history:
        past = ask(history, cluster_id=CLUSTER_ID, revision=3, holds=(HOLD,), lease_ids=(LEASE,))
        assert history.notes == []
    return past


def layout(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return version(connection)


def test_a_reader_that_may_not_write_reads_the_earlier_layout(path: Path) -> None:
    """It reads every run, and the file stays as it is."""
    assert layout(path) == 1 < len(STEPS)
    path.chmod(0o400)

    with open_reader(path, clock(60)) as history:
        runs = [(run.number, run.command) for run in history.runs()]
        holds = history.about(LOCK.name).holds
        lines = list(history.export())

    assert runs == [(4, "revoke"), (3, "check"), (2, "scan"), (1, "scan")]
    assert HOLD in {hold.hold for hold in holds}
    assert lines
    assert path.read_bytes() == FILE.read_bytes()


def test_opening_it_migrates_it_and_keeps_every_run(path: Path) -> None:
    """Two scans, a check and a revoke, with what they reported."""
    recalled(path, 60)

    assert layout(path) == len(STEPS)
    with open_reader(path, clock(60)) as history:
        runs = history.runs()
    assert [(run.number, run.command, run.severity, run.findings) for run in runs] == [
        (4, "revoke", Severity.CRITICAL, 1),
        (3, "check", Severity.CRITICAL, 1),
        (2, "scan", Severity.OK, 0),
        (1, "scan", Severity.OK, 0),
    ]
    assert {run.prefixes for run in runs} == {(b"/my-lock/",)}


def test_the_age_of_the_hold_and_its_renewals_are_recalled(path: Path) -> None:
    """The next run builds on all of them, to the second, and proves the same renewals."""
    past = recalled(path, 60)

    assert past.runs == 4
    hold = past.holds[HOLD]
    assert hold.first_answered_at == pytest.approx(FIRST_RUN_AT, abs=1.0)
    assert hold.held_first_answered_at == hold.first_answered_at
    assert LAST_RUN_ENDED_AT - 25 < hold.last_asked_at < LAST_RUN_ENDED_AT
    readings = past.readings[LEASE]
    assert trace(LEASE, readings, Leadership.of(readings, past.probes)).renewals >= 2


def test_the_migrated_file_takes_the_next_runs(path: Path) -> None:
    """A run is stored with the rest, and the run after it builds on all five."""
    at = LAST_RUN_ENDED_AT + 60
    leak = FindingSeen(VerdictKind.LEAKED_LOCK, LOCK, hold=HOLD)
    run = a_run(
        at,
        cluster_id=CLUSTER_ID,
        marks=(a_mark(at, 3),),
        holds=(a_sight(at, HOLD, lock=LOCK, lease_id=LEASE),),
        findings=[leak],
        severity=Severity.CRITICAL,
    )
    with open_history(path, clock(60)) as history:
        history.record(run)

    past = recalled(path, 120)
    assert past.runs == 5
    assert past.holds[HOLD].first_answered_at == pytest.approx(FIRST_RUN_AT, abs=1.0)
    assert past.holds[HOLD].last_asked_at == pytest.approx(at)
    assert [found.kind for found in past.findings] == [VerdictKind.LEAKED_LOCK]
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_the_commands_of_the_history_read_the_migrated_file(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Runs, one lock, export and prune."""
    recalled(path, 60)

    assert main(["history", "runs", "--history", str(path), "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [run["number"] for run in document["runs"]] == [4, 3, 2, 1]

    assert main(["history", "show", "/my-lock/orders", "--history", str(path)]) == 0
    assert f"{LEASE:x}" in capsys.readouterr().out

    assert main(["history", "export", "--history", str(path)]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["record"] for line in lines} == {"run", "hold", "lease", "finding"}

    assert main(["history", "prune", "--older-than", "36500d", "--history", str(path)]) == 0
