"""The ready files of docs/operating, as their readers take them apart."""

from __future__ import annotations

import configparser
from collections.abc import Iterator

from tests.docs.pages import OPERATING

PROGRAM = "/opt/lockdoctor/bin/lockdoctor"


def text(name: str) -> str:
    """Give what stands in one of them."""
    return (OPERATING / name).read_text(encoding="utf-8")


def statements(name: str) -> Iterator[str]:
    """Give the lines that are no comment."""
    lines = (line.strip() for line in text(name).splitlines())
    return (line for line in lines if line and not line.startswith("#"))


def cron_command() -> str:
    """Give what cron runs, behind the five fields of the time and the user."""
    *_, line = statements("lockdoctor.cron")
    return line.split(None, 6)[6]


def unit(name: str) -> configparser.ConfigParser:
    """Read a unit, or a part of one."""
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their case
    parser.read_string(text(name))
    return parser
