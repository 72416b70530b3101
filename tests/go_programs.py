"""Building the Go programs under tests/clients, once for each change of their sources."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SOURCES = Path(__file__).parent / "clients"
CACHE = Path(
    os.environ.get("LOCKDOCTOR_TEST_CACHE")
    or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lockdoctor-tests"
)
"""Outside the tree, so that a fresh clone finds what an earlier one has built."""


class NoGoError(Exception):
    """There is no Go that could build the program; the message says what is missing."""


class BuildError(Exception):
    """Go could not build the program; the message carries what Go said."""


def build(program: str) -> Path:
    """
    Build the Go module in tests/clients/PROGRAM, unless that has been done.

    Processes that ask for the same program at the same time build it once.

    Raises:
        NoGoError: Go is missing, or too old for the module.
        BuildError: Go failed.
    """
    folder = SOURCES / program
    binary = CACHE / f"{program}-{_digest(folder, _go_version(folder))}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with _locked(CACHE / f"{program}.lock"):
        if not binary.exists():
            unfinished = binary.with_suffix(".unfinished")
            _go(folder, "build", "-trimpath", "-ldflags=-s -w", "-o", str(unfinished), ".")
            unfinished.rename(binary)
    return binary


def _go_version(folder: Path) -> str:
    """Ask inside the module, where a newer Go may take over or an older one refuse."""
    if shutil.which("go") is None:
        raise NoGoError(f"go is not in PATH ({os.environ.get('PATH', '')}); install Go")
    try:
        return _go(folder, "env", "GOVERSION", "GOOS", "GOARCH")
    except BuildError as error:
        raise NoGoError(str(error)) from error


def _go(folder: Path, *words: str) -> str:
    done = subprocess.run(["go", *words], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"go {words[0]} in {folder.name}: {done.stderr.strip()}")
    return done.stdout


def _digest(folder: Path, go_version: str) -> str:
    digest = hashlib.sha256(go_version.encode())
    for source in sorted(folder.iterdir()):
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
