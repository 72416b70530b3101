"""Finds the line of a value in a TOML text, which the standard parser omits."""

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
"""Keys of tables and indices of arrays, the outermost first."""


def line_of(text: str, path: Path) -> int:
    """
    Return the line, counted from 1, of the statement that creates a path.

    The text must be valid TOML with the path. Longer and longer beginnings of the text are parsed.
    The path exists from the first line of its statement on, so a binary search finds it.
    """
    lines = text.split("\n")

    def is_there(index: int) -> bool:
        return _has(_first_statements(lines, index + 1), path)

    return bisect.bisect_left(range(len(lines)), True, key=is_there) + 1


def _first_statements(lines: list[str], at_least: int) -> Any:
    """Parse the first N lines, and more if a statement continues."""
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
