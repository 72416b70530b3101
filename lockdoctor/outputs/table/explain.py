"""Writes the page of `lockdoctor explain` on a verdict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import RenderableType
from rich.markdown import Markdown
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lockdoctor.verdict_docs import Explanation


def explanation_parts(told: Explanation) -> Iterator[RenderableType]:
    """Yield one section with its code examples."""
    yield Text(told.verdict, style="bold")
    yield Padding(Markdown(told.text, code_theme="ansi_dark"), (1, 0, 0, 0))


def summary_parts(told: Iterable[Explanation]) -> Iterator[RenderableType]:
    """Yield one or two lines for each verdict."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="bold")
    table.add_column()
    for each in told:
        table.add_row(each.verdict, Text(each.summary))
    yield table
    yield Text("\nlockdoctor explain VERDICT says more of one.", style="dim")
