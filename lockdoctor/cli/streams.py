"""Standard output and standard error of the program."""

from __future__ import annotations

import os
import sys


def say(sentence: str) -> None:
    """Tell the person on standard error."""
    from lockdoctor.outputs.wording import safe  # noqa: PLC0415  # loads humanize

    print(f"lockdoctor: {safe(sentence)}", file=sys.stderr)  # noqa: T201  # a command line talks


def give_up_stdout() -> None:
    """Write no more to it, and spare the interpreter's last flush the failure that we know of."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
