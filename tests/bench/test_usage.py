"""What a command takes is told as its own."""

from __future__ import annotations

import sys

import pytest

from tests.bench.usage import BenchError, measured


def test_memory_is_the_commands_own() -> None:
    """Neither the memory of the tests nor of the launcher counts, that of the command does."""
    small = measured([sys.executable, "-c", "print('small')"])
    large = measured([sys.executable, "-c", "x = bytes(range(256)) * 400_000"])
    assert small.output == "small\n"
    assert small.peak_mb < 60
    assert 60 < large.peak_mb - small.peak_mb < 150


def test_cpu_is_counted() -> None:
    """Work shows as CPU seconds, waiting does not."""
    working = "import time\nwhile time.process_time() < 0.3: pass"
    waiting = "import time; time.sleep(1)"
    assert measured([sys.executable, "-c", working]).cpu_s >= 0.3
    idle = measured([sys.executable, "-c", waiting])
    assert idle.cpu_s < 1 <= idle.seconds


def test_a_command_that_fails_is_no_figure() -> None:
    """What it said goes into the error; a status that was foreseen is fine."""
    fails = [sys.executable, "-c", "import sys; sys.exit('no lease')"]
    with pytest.raises(BenchError, match="ended with 1: no lease"):
        measured(fails)
    assert measured(fails, statuses=(0, 1)).cpu_s > 0
