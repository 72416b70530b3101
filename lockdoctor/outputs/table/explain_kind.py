"""Writes the page of `lockdoctor show --explain-kind`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lockdoctor.domain.model.leases import hex_id
from lockdoctor.domain.model.locks import Basis
from lockdoctor.domain.recipes.explain import Explanation, Outcome, Step
from lockdoctor.outputs.table.parts.layout import indented, write
from lockdoctor.outputs.text.recipes import BASES, advice, step_text
from lockdoctor.outputs.text.values import count, printable, safe, size

STYLES = {Outcome.TAKES: "bold green", Outcome.IF: "yellow"}


def write_table(found: Explanation, out: TextIO, *, width: int, colour: bool) -> None:
    """Write the explanation for people."""
    write(_parts(found), out, width=width, colour=colour)


def _parts(found: Explanation) -> Iterator[RenderableType]:
    yield Text(printable(found.name), style="bold")
    yield from map(indented, _facts(found))
    shown = [step for step in found.steps if _is_shown(step)]
    yield Text("\nRecipes, in the order in which they are tried", style="bold")
    yield _rows(shown)
    left = len(found.steps) - len(shown)
    yield indented(f"{count(left, 'other recipe')}: the pattern does not match the key.")
    if remedy := advice(found):
        yield Text("\nWhat to do", style="bold")
        yield indented(remedy)


def _facts(found: Explanation) -> Iterator[str]:
    key, lock = found.key, found.lock
    if key is None or lock is None:
        yield f"Only the name was examined: {safe(found.unread or 'etcd was not read')}."
        return
    lease = f"lease {hex_id(key.lease_id)}" if key.has_lease else "no lease"
    yield f"{lease}, value of {size(key.value_size)}"
    yield f"Lock {printable(lock.name)}, recipe {safe(lock.recipe.value)}."
    if lock.basis is Basis.UNKNOWN:
        yield "Kind unknown: lockdoctor does not judge this key."
    else:
        yield f"Kind {lock.kind.value}: {BASES[lock.basis]}."


def _is_shown(step: Step) -> bool:
    """Return whether a person wants to see it: their own recipes always."""
    return step.outcome is not Outcome.PATTERN or step.recipe.basis is Basis.OWN_RECIPE


def _rows(steps: list[Step]) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for step in steps:
        recipe = step.recipe
        table.add_row(
            Text(safe(recipe.name), style=STYLES.get(step.outcome, "")),
            recipe.kind.value,
            Text(f"{safe(recipe.match.text)}\n{step_text(step)}"),
        )
    return Padding(table, (0, 0, 0, 2))
