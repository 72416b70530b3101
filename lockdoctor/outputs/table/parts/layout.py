"""Writes rich's layouts to a terminal of any kind or to a file."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import TextIO

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text


class NoWrapText(Text):
    """A line without breaks, which can be copied whole."""


def write(parts: Iterable[RenderableType], out: TextIO, *, width: int, colour: bool) -> None:
    """Write the parts in order, and escape what the stream cannot encode."""
    page = io.StringIO()
    console = Console(
        file=page,
        width=width,
        height=100,  # else rich assumes 80 columns for a dumb terminal
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        markup=False,
        highlight=False,
        emoji=False,
        soft_wrap=False,
    )
    for part in parts:
        console.print(part, soft_wrap=isinstance(part, NoWrapText))
    text = "\n".join(line.rstrip() for line in page.getvalue().splitlines()) + "\n"
    encoding = getattr(out, "encoding", None) or "utf-8"
    out.write(text.encode(encoding, "backslashreplace").decode(encoding))


def bullets(lines: Iterable[str]) -> Padding:
    """Return lines as a list."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column()
    grid.add_column(overflow="fold")
    for line in lines:
        grid.add_row("-", Text(line))
    return Padding(grid, (0, 0, 0, 2))


def indented(line: str) -> Padding:
    """Return a sentence indented below a heading."""
    return Padding(Text(line, overflow="fold"), (0, 0, 0, 2))
