"""Draws which sessions wait for which: deadlock cycles, and trees of locks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lockdoctor.domain.evidence.deadlock import CycleEdge, WaitCycle
from lockdoctor.domain.evidence.verdicts import VerdictKind
from lockdoctor.domain.graph.blocking_tree import BlockedLock
from lockdoctor.domain.model.leases import hex_id
from lockdoctor.domain.model.locks import LockId
from lockdoctor.domain.report.report import Report
from lockdoctor.outputs.text.values import brief, count

MAX_PARTIES = 8
"""Maximum sessions of a drawn cycle; JSON has all sessions of a short cycle."""

MAX_ROWS = 30
"""Maximum locks in a drawn tree."""

MAX_DEPTH = 8
"""Maximum indentation, in levels."""


def cycle(evidence: WaitCycle) -> RenderableType:
    """Draw a cycle: what each session holds, above the session that it waits for."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(ratio=1, overflow="fold")
    parties = list(zip((evidence.ring[-1], *evidence.ring[:-1]), evidence.ring, strict=True))
    for number, (before, wait) in enumerate(parties[:MAX_PARTIES]):
        is_last = number == len(parties) - 1
        grid.add_row("+->" if not number else "+--" if is_last else "|", _party(before, wait))
        side = " " if is_last else "|"
        for line in _places(before, wait):
            grid.add_row(side, f"  {line}")
    if parties[MAX_PARTIES:]:
        grid.add_row("+--", f"… and {count(len(parties) - MAX_PARTIES, 'more session')}")
    return Padding(grid, (0, 0, 0, 2))


def tree(report: Report) -> Iterator[RenderableType]:
    """Draw the locks that block each other, without those of a reported deadlock."""
    deadlocked = {
        lock.lock.id for lock in report.locks if lock.verdict.kind is VerdictKind.DEADLOCK
    }
    rows = [row for group in _groups(report.blocking) if _adds(group, deadlocked) for row in group]
    if not rows:
        return
    yield Text("\nBlocked locks", style="bold").append(
        ": the holder of each lock waits for the lock above it", style="not bold"
    )
    for row in rows[:MAX_ROWS]:
        indent = 2 + 2 * min(row.level, MAX_DEPTH)
        yield Padding(Text(_row(row), overflow="fold"), (0, 0, 0, indent))
    if rows[MAX_ROWS:]:
        yield Text(f"  … and {count(len(rows) - MAX_ROWS, 'more lock')}")


def _party(before: CycleEdge, wait: CycleEdge) -> str:
    if before.behind == wait.waiter:
        return f"session {hex_id(wait.waiter)}"
    return f"sessions {hex_id(before.behind)} and {hex_id(wait.waiter)}, likely of one client"


def _places(before: CycleEdge, wait: CycleEdge) -> Iterator[str]:
    role = "holds    " if before.is_holder else "queued for"
    yield f"{role} {brief(before.waits_for)}"
    yield f"waits for {brief(wait.waits_for)}"


def _groups(rows: Sequence[BlockedLock]) -> list[list[BlockedLock]]:
    """Return each root with all locks that wait behind it."""
    groups: list[list[BlockedLock]] = []
    for row in rows:
        if not row.level:
            groups.append([])
        groups[-1].append(row)
    return groups


def _adds(group: Sequence[BlockedLock], deadlocked: set[LockId]) -> bool:
    return any(row.lock not in deadlocked for row in group)


def _row(row: BlockedLock) -> str:
    name, waiters = brief(row.lock.name), count(row.waiters, "waiter")
    if row.level:
        held = f", held by session {hex_id(row.session)}" if row.session is not None else ""
        return f"{name}: {waiters}{held}"
    total = "" if row.blocks is None else f", {row.blocks:,} in total"
    return f"{name}: {waiters}{total}"
