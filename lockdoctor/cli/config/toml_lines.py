"""Find the line on which something stands in a TOML text; the standard parser does not tell."""

from __future__ import annotations

import bisect
import sys
from collections.abc import Sequence
from typing import Any, TypeAlias

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Path: TypeAlias = Sequence[str | int]
"""Keys of tables and indices of arrays, from the outermost in."""


def line_of(text: str, path: Path) -> int:
    """
    Give the line, counted from 1, on which the statement begins that brings this path about.

    The text must be valid TOML that has the path. Ever longer beginnings of the text are parsed:
    the path appears with the first line of its statement, and once there it stays, so a binary
    search finds it.
    """
    lines = text.split("\n")

    def is_there(index: int) -> bool:
        return _has(_first_statements(lines, index + 1), path)

    return bisect.bisect_left(range(len(lines)), True, key=is_there) + 1


def _first_statements(lines: list[str], at_least: int) -> Any:
    """Parse this many lines, and more where a statement runs on."""
    beginnings = (_parsed(lines[:count]) for count in range(at_least, len(lines) + 1))
    return next(document for document in beginnings if document is not None)


def _parsed(lines: list[str]) -> Any | None:
    try:
        return tomllib.loads("\n".join(lines))
    except tomllib.TOMLDecodeError:
        return None


def _has(document: Any, path: Path) -> bool:
    try:
        for step in path:
            document = document[step]
    except (KeyError, IndexError, TypeError):
        return False
    return True
