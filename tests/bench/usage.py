"""What a command takes of the machine: time, CPU, memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.figures import Spread

LAUNCHER = Path(__file__).with_name("launcher.py")
OTHERS_SETTINGS = ("ETCDCTL_", "LOCKDOCTOR_")
"""How variables begin that would send a client elsewhere than its flags say."""


class BenchError(Exception):
    """A command did not do what is measured; the message carries what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one process took, from its start to its end, its children included."""

    seconds: float
    cpu_s: float
    peak_mb: float
    output: str
    """Its standard output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpread:
    """What the same command took, several times."""

    seconds: Spread
    cpu_s: Spread
    peak_mb: Spread

    @classmethod
    def of(cls, usages: Sequence[Usage]) -> RunSpread:
        """Sum up at least one run."""
        return cls(
            seconds=Spread.of(usage.seconds for usage in usages),
            cpu_s=Spread.of(usage.cpu_s for usage in usages),
            peak_mb=Spread.of(usage.peak_mb for usage in usages),
        )


def measured(command: Sequence[str], *, statuses: Sequence[int] = (0,)) -> Usage:
    """
    Run a command to its end.

    Raises:
        BenchError: It ended with none of these exit statuses.
    """
    with tempfile.NamedTemporaryFile() as figures:
        launch = [sys.executable, "-I", "-S", str(LAUNCHER), figures.name, *command]
        done = subprocess.run(
            launch, env=_environment(), capture_output=True, text=True, check=False
        )
        if done.returncode not in statuses:
            raise BenchError(f"{command[0]} ended with {done.returncode}: {done.stderr.strip()}")
        seconds, cpu_s, peak_bytes = map(float, figures.read().split())
    return Usage(seconds=seconds, cpu_s=cpu_s, peak_mb=peak_bytes / 1e6, output=done.stdout)


def _environment() -> dict[str, str]:
    """Ours, without what would change what is measured: pip compiles what it installs."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(OTHERS_SETTINGS)}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return kept
