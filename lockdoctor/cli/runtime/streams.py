"""Writes to standard output and standard error of the program."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TextIO


def print_message(sentence: str) -> None:
    """Print a sentence on standard error, if its terminal still exists."""
    from lockdoctor.outputs.text.values import safe  # noqa: PLC0415  # loads humanize

    with contextlib.suppress(OSError):
        print(f"lockdoctor: {safe(sentence)}", file=sys.stderr)  # noqa: T201  # output for the user


def discard_stdout() -> None:
    """Discard further output, so that the last flush does not fail again."""
    _give_up(sys.stdout)


def give_up_what_is_closed() -> None:
    """Avoid a failure of the last flush on a lost terminal, which changes the status."""
    for stream in (sys.stdout, sys.stderr):
        _flush_or_give_up(stream)


def _flush_or_give_up(stream: TextIO) -> None:
    try:
        stream.flush()
    except OSError:
        _give_up(stream)


def _give_up(stream: TextIO) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
