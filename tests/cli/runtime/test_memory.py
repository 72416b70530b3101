"""Memory that is free goes back to the machine."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

HOLES = """
import os
import sys
from pathlib import Path
from lockdoctor.cli.runtime.memory import give_back_large_blocks

def resident_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

if sys.argv[1] == "give back":
    give_back_large_blocks()
table = b"x" * (16 << 20)
del table  # from here on glibc by itself keeps blocks of this size
before = resident_mb()
tables = [b"x" * (4 << 20) for _ in range(10)]
after_them = b"x" * 100_000
del tables
print(resident_mb() - before)
"""


def left_mb(way: str) -> float:
    """Free ten large blocks with a small one after them, and tell what is not given back."""
    done = subprocess.run([sys.executable, "-c", HOLES, way], capture_output=True, check=True)
    return float(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries do not keep it")
def test_large_blocks_are_given_back() -> None:
    """Nothing is left of them; without our saying so, all of it is."""
    assert left_mb("keep") > 30
    assert left_mb("give back") < 5
