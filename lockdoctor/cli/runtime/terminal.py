"""Finds out the properties of standard output, and writes to it."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Mapping
from typing import TextIO

from lockdoctor.errors import OutputError


def is_live_terminal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Return whether a stream is a terminal that can redraw a line."""
    return stream.isatty() and environ.get("TERM") != "dumb"


def in_colour(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """
    Return whether to write colors to a stream.

    Source: no-color.org.
    """
    return is_live_terminal(stream, environ) and not environ.get("NO_COLOR")


def width() -> int:
    """Return the width in columns: COLUMNS, else the terminal's, else 120."""
    return shutil.get_terminal_size((120, 24)).columns


def write_to(out: TextIO, what: str, render: Callable[[TextIO], object]) -> None:
    """
    Write an output completely.

    Raises:
        BrokenPipeError: The reader is gone.
        OutputError: It could not be written; the message names it.
    """
    try:
        render(out)
        out.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"Cannot write {what}: {error.strerror}") from error


def drop_typed_input(answers: TextIO) -> None:
    """
    Discard input that was typed before the question: it is not an answer to it.

    Input from other sources than a terminal is kept.
    """
    with contextlib.suppress(OSError, ValueError, ImportError):
        import termios  # noqa: PLC0415  # missing on Windows

        termios.tcflush(answers.fileno(), termios.TCIFLUSH)
