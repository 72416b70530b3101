"""Several runs at once on one file, each a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lockdoctor.domain.evidence.verdicts import VerdictKind
from lockdoctor.domain.past.run_record import FindingSeen
from tests.factories.history import HOLD, ORDERS, recalled
from tests.factories.reports import NOON
from tests.history.database.test_paths import a_damaged_history, corrupt_files

RUNS = 15
WRITER = f"""
import sys
from pathlib import Path
from tests.factories.reports import an_observation
from tests.factories.history import *
from tests.history.test_concurrent_runs import LEAK

path, phase_s = Path(sys.argv[1]), float(sys.argv[2])
for number in range({RUNS}):
    at = NOON + number + phase_s
    with open_history(path, a_clock(at), wait_s=60) as history:
        ask(history)
        reading = an_observation(at=at)
        history.record(
            a_run(at, holds=[a_sight(at)], readings=by_lease(reading), findings=[LEAK])
        )
        history.prune()
        assert history.notes == []
"""
ROUNDS, FINDERS = 8, 5
FINDER = """
import sys
from pathlib import Path
from tests.factories.history import *

for path in sys.argv[1:]:
    print("ready", flush=True)
    at = NOON + float(sys.stdin.readline())
    with open_history(Path(path), a_clock(at), wait_s=60) as history:
        history.record(a_run(at))
"""
LEAK = FindingSeen(VerdictKind.LEAKED_LOCK, ORDERS)


@pytest.mark.slow
def test_runs_at_once_wait_for_each_other(tmp_path: Path) -> None:
    """Three processes that begin, read, write and prune one history lose nothing of any."""
    path = tmp_path / "history.sqlite3"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, path, str(phase_s)])
        for phase_s in (0.0, 0.3, 0.6)
    ]

    assert [writer.wait(timeout=100) for writer in writers] == [0, 0, 0]

    past = recalled(path, NOON + RUNS + 10)
    assert past.runs == 3 * RUNS
    assert [finding.runs for finding in past.findings] == [3 * RUNS]
    assert NOON <= past.holds[HOLD].first_answered_at < NOON + 2


@pytest.mark.slow
def test_runs_at_once_set_a_damaged_history_aside_once(tmp_path: Path) -> None:
    """However many find the damage at one moment, none renames the good file of another."""
    paths = [tmp_path / str(number) / "history.sqlite3" for number in range(ROUNDS)]
    for path in paths:
        path.parent.mkdir()
        a_damaged_history(path, b"x")
    finders = [
        subprocess.Popen(
            [sys.executable, "-c", FINDER, *paths],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        for _ in range(FINDERS)
    ]
    for _ in paths:
        for finder in finders:
            assert finder.stdout is not None
            assert finder.stdout.readline() == "ready\n"
        for number, finder in enumerate(finders):
            assert finder.stdin is not None
            finder.stdin.write(f"{number / 10}\n")

    for finder in finders:
        finder.communicate(timeout=100)
    assert [finder.returncode for finder in finders] == [0] * FINDERS
    assert [len(corrupt_files(path)) for path in paths] == [1] * ROUNDS
    assert [recalled(path, NOON + 300).runs for path in paths] == [FINDERS] * ROUNDS
