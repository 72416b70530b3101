"""
Makes docs/report.svg, the picture in the README, from what a real scan prints on a terminal.

Runs `lockdoctor demo`, so it needs what the demo needs, and takes half a minute.
"""  # noqa: INP001  # a script, no package

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

from rich.text import Text

from lockdoctor.cli.commands.demo.run import SCAN
from lockdoctor.outputs.html import svg

PICTURE = Path(__file__).with_name("report.svg")
COLUMNS, LINES = 100, 50
FROM_HERE_ON_MORE_OF_THE_SAME = "Finding 2 of"


def main() -> None:
    """Scan, draw, write."""
    shown = Text.from_ansi(beginning(report()))
    PICTURE.write_text(svg([shown], COLUMNS), encoding="utf-8")


def report() -> str:
    """
    Run the demo as on a terminal, its talk on standard error left out.

    Raises:
        SystemExit: The demo did not end as it should.
    """
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    with subprocess.Popen(
        [sys.executable, "-m", "lockdoctor", "demo"],
        stdin=subprocess.DEVNULL,
        stdout=its,
        stderr=subprocess.DEVNULL,
        env=_environment(),
    ) as demo:
        os.close(its)
        printed = _read_all(ours)
    if demo.returncode != 0:
        sys.exit(f"lockdoctor demo ended with {demo.returncode}; run it to see why")
    return printed.replace("\r\n", "\n")


def beginning(printed: str) -> str:
    """Keep the headline, the table and the first finding, below the command that shows them."""
    lines = printed.splitlines()
    ends = (n for n, line in enumerate(lines) if FROM_HERE_ON_MORE_OF_THE_SAME in line)
    return "\n".join([f"$ {SCAN}", *lines[: next(ends, len(lines))]]).rstrip()


def _environment() -> dict[str, str]:
    unwanted = {"NO_COLOR", "COLUMNS", "LINES"}
    kept = {name: value for name, value in os.environ.items() if name not in unwanted}
    return {**kept, "TERM": "xterm-256color"}


def _read_all(terminal: int) -> str:
    """Read until the other side is closed, which Linux tells by an error and others by no bytes."""
    parts: list[bytes] = []
    with open(terminal, "rb", buffering=0) as stream:  # it is a descriptor
        try:
            while part := stream.read(65536):
                parts.append(part)
        except OSError:
            pass
    return b"".join(parts).decode()


if __name__ == "__main__":
    main()
