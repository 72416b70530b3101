"""What a shell can complete: names of commands and of clusters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import typer

ClusterNames: TypeAlias = Callable[[Path | None], list[str]]
"""Reads the names of the clusters in a configuration file; None is the default file."""


class CommandName(NamedTuple):
    """One name to complete, with the fields of click's CompletionItem."""

    value: str
    help: None = None
    type: str = "plain"


def cluster_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete the name of a cluster, read by the function that the program passes."""
    read: ClusterNames | None = ctx.find_root().obj
    names = [] if read is None else read(ctx.params.get("config"))
    return [name for name in names if name.startswith(incomplete)]


def without_help(items: list[Any]) -> list[Any]:
    """Remove the descriptions: typer loads rich to print them in zsh and fish."""
    for item in items:
        item.help = None
    return items
