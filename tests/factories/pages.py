"""Writes the parts of a page as text."""

from __future__ import annotations

import io
from collections.abc import Iterable

from rich.console import RenderableType

from lockdoctor.outputs.table.parts.layout import write


def page(parts: Iterable[RenderableType], width: int = 80, *, colour: bool = False) -> str:
    """Return a page as a terminal of a width shows it."""
    out = io.StringIO()
    write(parts, out, width=width, colour=colour)
    return out.getvalue()
