"""Several runs at once on one file, each a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lockdoctor.domain.past import FindingSeen
from lockdoctor.domain.verdicts import VerdictKind
from tests.builders import NOON
from tests.history.runs import HOLD, ORDERS, recalled

RUNS = 15
WRITER = f"""
import sys
from pathlib import Path
from tests.builders import an_observation
from tests.history.runs import *
from tests.history.test_together import LEAK

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
