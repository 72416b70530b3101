"""Writes the page of `lockdoctor selfcheck`: the results and the smallest role."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lockdoctor.domain.selfcheck.rules import CheckItem, CheckLevel, SelfCheck
from lockdoctor.outputs.table.parts.layout import NoWrapText
from lockdoctor.outputs.text.selfcheck import fact_text
from lockdoctor.outputs.text.suggested_commands import role_commands
from lockdoctor.outputs.text.values import count, printable, safe

STYLES = {CheckLevel.FINE: "green", CheckLevel.NOTE: "yellow", CheckLevel.PROBLEM: "bold red"}


def selfcheck_parts(found: SelfCheck, prefixes: Sequence[bytes]) -> Iterator[RenderableType]:
    """Yield the results, and the smallest role that can scan the prefixes."""
    yield Text(_headline(found), style="bold")
    for about, remarks in _grouped(found.remarks):
        yield Text(f"\n{about}", style="bold")
        yield _rows(remarks)
    yield from _role(found, prefixes)


def _headline(found: SelfCheck) -> str:
    """Return a headline with the first problem: often it is the only one."""
    problems = [remark for remark in found.remarks if remark.mark is CheckLevel.PROBLEM]
    if problems:
        first = problems[0]
        return f"{count(len(problems), 'problem')}: {_title(first)}: {fact_text(first.fact)}"
    notes = sum(remark.mark is CheckLevel.NOTE for remark in found.remarks)
    also = f"; {count(notes, 'note')}" if notes else ""
    return f"Everything that a scan needs works{also}"


def _title(remark: CheckItem) -> str:
    """Return the subject of an item; a permission belongs to its prefix."""
    if remark.prefix is None:
        return safe(remark.about)
    return f"keys below {printable(remark.prefix)}" if remark.prefix else "all keys"


def _grouped(remarks: Sequence[CheckItem]) -> Iterator[tuple[str, list[CheckItem]]]:
    """Yield the items by subject; permissions by their prefix."""
    groups: dict[str, list[CheckItem]] = {}
    for remark in remarks:
        groups.setdefault(_title(remark), []).append(remark)
    yield from groups.items()


def _rows(remarks: Sequence[CheckItem]) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for remark in remarks:
        said = fact_text(remark.fact)
        text = said if remark.prefix is None else f"{safe(remark.about)}: {said}"
        table.add_row(Text(remark.mark.value, style=STYLES[remark.mark]), Text(text))
    return Padding(table, (0, 0, 0, 2))


def _role(found: SelfCheck, prefixes: Sequence[bytes]) -> Iterator[RenderableType]:
    if not prefixes:
        return
    yield Text(
        "\nThe smallest role that suffices for a scan, where etcd demands users", style="bold"
    )
    yield from (NoWrapText(f"  {line}") for line in role_commands(prefixes))
    if found.guards_leases:
        text = (
            "This etcd lists leases only to a role that may read every key on a lease, or to root."
            " With the role above sessions without keys are not seen; everything else is."
        )
        yield Padding(Text(text), (0, 0, 0, 2))
