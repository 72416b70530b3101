"""The options for the format of the result."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Annotated

import typer

from lockdoctor.cli.options.completion import words
from lockdoctor.cli.options.types import one_of


class OutputFormat(str, enum.Enum):
    """The formats of most commands."""

    TABLE = "table"
    JSON = "json"


@dataclass(frozen=True, kw_only=True)
class FormatFlags:
    """The format of the result."""

    format: Annotated[
        str,  # a Format; typer before 0.29 would convert an enumeration after its parser did
        typer.Option(
            "--format",
            parser=one_of(*OutputFormat),
            autocompletion=words(*OutputFormat),
            metavar="table|json",
            show_default=False,
            help="Output format (default table).",
        ),
    ] = OutputFormat.TABLE
