"""Writes pages as HTML and SVG files that load no other resource."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable

from rich.console import Console, RenderableType

WIDTH = 110

_FONT_FACE = re.compile(r"@font-face\s*\{[^}]*\}\s*")
_FONT_FAMILY = re.compile(r"font-family:[^;\"']*;")

_HTML = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>lockdoctor</title>
<style>
{stylesheet}
body {{ color: {foreground}; background-color: {background}; }}
pre {{ font-family: monospace; line-height: 1.2; }}
</style>
</head>
<body>
<pre>{code}</pre>
</body>
</html>
"""


def html(parts: Iterable[RenderableType], width: int = WIDTH) -> str:
    """Return the parts as one HTML document with escaped text."""
    return _recorded(parts, width).export_html(code_format=_HTML, inline_styles=True)


def svg(parts: Iterable[RenderableType], width: int = WIDTH) -> str:
    """Return an SVG drawing of a terminal with the parts; it loads no font."""
    drawn = _recorded(parts, width).export_svg(title="lockdoctor", unique_id="lockdoctor")
    drawn = _FONT_FAMILY.sub("font-family: monospace;", _FONT_FACE.sub("", drawn))
    drawn = drawn.replace("<svg ", '<svg xml:space="preserve" ', 1)  # some viewers trim indents
    return "\n".join(line.rstrip() for line in drawn.splitlines()) + "\n"


def _recorded(parts: Iterable[RenderableType], width: int) -> Console:
    console = Console(
        record=True, width=width, file=io.StringIO(), markup=False, highlight=False, emoji=False
    )
    for part in parts:
        console.print(part)
    return console
