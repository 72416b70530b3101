"""Writes a restore for people: its plan and its outcome."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from lockdoctor.domain.model.actions import Result
from lockdoctor.domain.model.locks import LockKey
from lockdoctor.domain.treatment.restore_plan import RestorePlan, SkippedKey
from lockdoctor.domain.treatment.results import ActionResult
from lockdoctor.outputs.table.journal import MAX_KEYS
from lockdoctor.outputs.table.parts.layout import bullets
from lockdoctor.outputs.text.refusals import NOT_RESTORED, failure_text
from lockdoctor.outputs.text.treatment import restore_cautions
from lockdoctor.outputs.text.values import count, duration, name, safe, size

_STYLES = {Result.DONE: "bold green", Result.UNKNOWN: "bold red"}


def plan_parts(plan: RestorePlan, *, will_act: bool) -> Iterator[RenderableType]:
    """Yield the plan, and how to execute it unless this run does so."""
    total = len(plan.keys) + len(plan.left)
    of = f" of {total}" if plan.left else ""
    lease = "without a lease" if plan.ttl_s is None else f"on a new lease of {duration(plan.ttl_s)}"
    to_put = f"{len(plan.keys)}{of} {'key' if total == 1 else 'keys'} {lease}"
    yield Text(f"Plan: restore {to_put}" if plan.keys else "No key to restore", style="bold")
    yield from _keys(plan.keys)
    yield from _left(plan.left)
    if plan.keys:
        yield bullets(restore_cautions(plan))
        if not will_act:
            yield Text("\netcd was not changed. To restore them, add --yes.", style="bold")


def restored_parts(restored: ActionResult[RestorePlan]) -> Iterator[RenderableType]:
    """Yield the outcome."""
    total = len(restored.target.keys)
    put = total - len(restored.skipped)
    headline = f"Restored {put} of {count(total, 'key')}"
    if restored.result is Result.UNKNOWN:
        headline += "; the outcome of 1 key is unknown"
    yield Text(headline, style=_STYLES.get(restored.result, "bold yellow"))
    yield from _left(restored.skipped)
    if restored.failure:
        yield Text(f"etcd: {failure_text(restored.failure)}")
    if restored.unrecorded:
        yield Text(
            f"The journal has only the intent: {safe(restored.unrecorded)}", style="bold red"
        )
    if restored.entry_id:
        yield Text(f"Journal entry {safe(restored.entry_id)}", style="dim")


def _keys(keys: tuple[LockKey, ...]) -> Iterator[RenderableType]:
    lines = [f"{name(key.key)}  ({size(key.value_size)})" for key in keys[:MAX_KEYS]]
    yield from _lines(lines, len(keys))


def _left(left: tuple[SkippedKey, ...]) -> Iterator[RenderableType]:
    if left:
        yield Text("Not restored:", style="bold")
        lines = [f"{name(each.key.key)}: {NOT_RESTORED[each.why]}" for each in left[:MAX_KEYS]]
        yield from _lines(lines, len(left))


def _lines(lines: list[str], total: int) -> Iterator[RenderableType]:
    for line in lines:
        yield Padding(Text(line, overflow="fold"), (0, 0, 0, 2))
    if total > len(lines):
        yield Text(f"  … and {count(total - len(lines), 'more key')}", style="dim")
