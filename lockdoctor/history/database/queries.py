"""Find the queries of queries.sql by their names."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

_NAME = "-- name: "


def sql(name: str) -> str:
    """Return the text of a query."""
    return names()[name]


def inserted(connection: sqlite3.Connection, name: str, row: Mapping[str, Any]) -> int:
    """Insert a row by a query, and return its number."""
    number = connection.execute(sql(name), row).lastrowid
    assert number is not None  # noqa: S101 - an INSERT that did not raise has a row
    return number


@cache
def names() -> dict[str, str]:
    """Return every query of the file by its name, without the comments."""
    text = files("lockdoctor.history.database").joinpath("queries.sql").read_text(encoding="utf-8")
    blocks = (block.split("\n") for block in text.split(_NAME)[1:])
    return {name.strip(): _bare(lines) for name, *lines in blocks}


def _bare(lines: Iterable[str]) -> str:
    # Python 3.10 assumes that a statement which begins with a comment changes no rows.
    return "\n".join(line for line in lines if line and not line.startswith("--"))
