"""Standard output and standard error: their properties, and writing to them."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TextIO

from lockdoctor.errors import OutputError

if TYPE_CHECKING:
    from rich.console import RenderableType


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
        raise OutputError(f"Cannot write {what} to standard output: {error.strerror}.") from error


def write_page(parts: Iterable[RenderableType], what: str) -> None:
    """Write the parts of a page to standard output; raises as `write_to`."""
    from lockdoctor.outputs.table.parts.layout import write  # noqa: PLC0415  # loads rich

    colour = in_colour(sys.stdout, os.environ)
    write_to(sys.stdout, what, lambda out: write(parts, out, width=width(), colour=colour))


def drop_typed_input(answers: TextIO) -> None:
    """
    Discard input that was typed before the question: it is not an answer to it.

    Input from other sources than a terminal is kept.
    """
    with contextlib.suppress(OSError, ValueError, ImportError):
        import termios  # noqa: PLC0415  # missing on Windows

        termios.tcflush(answers.fileno(), termios.TCIFLUSH)


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
