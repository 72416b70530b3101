"""Writes the page of `lockdoctor explain` on a verdict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TextIO

from rich.console import RenderableType
from rich.markdown import Markdown
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lockdoctor.outputs.table.parts.layout import write
from lockdoctor.verdict_docs import Explanation


def write_explanation(told: Explanation, out: TextIO, *, width: int, colour: bool) -> None:
    """Write one section with its code examples."""
    write(_section(told), out, width=width, colour=colour)


def write_summaries(told: Iterable[Explanation], out: TextIO, *, width: int, colour: bool) -> None:
    """Write one or two lines for each verdict."""
    write(_summaries(told), out, width=width, colour=colour)


def _section(told: Explanation) -> Iterator[RenderableType]:
    yield Text(told.verdict, style="bold")
    yield Padding(Markdown(told.text, code_theme="ansi_dark"), (1, 0, 0, 0))


def _summaries(told: Iterable[Explanation]) -> Iterator[RenderableType]:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="bold")
    table.add_column()
    for each in told:
        table.add_row(each.verdict, Text(each.summary))
    yield table
    yield Text("\nlockdoctor explain VERDICT says more of one.", style="dim")
