"""Writes the history for people: runs, and one lock or lease; times are UTC."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from lockdoctor.domain.evidence.verdicts import Severity
from lockdoctor.domain.model.leases import hex_id
from lockdoctor.domain.past.stored import Stored, StoredFinding, StoredHold, StoredLease, StoredRun
from lockdoctor.outputs.text.values import at_least, count, date, duration, lease_name, name, safe

MAX_RUNS = 50
"""Maximum runs in the list, the latest ones; JSON has all of them."""

MAX_ROWS = 50
"""Maximum holds, readings and findings in a list, the latest; the export has all."""

_EXPORT = "history export has them all"

_STYLES = {Severity.WARNING: "yellow", Severity.CRITICAL: "bold red"}

Row = TypeVar("Row")


def runs_parts(runs: Sequence[StoredRun], now: float) -> Iterator[RenderableType]:
    """Yield the runs, the latest one first; `now` (POSIX seconds) gives their age."""
    last = runs[0]
    yield Text(
        f"{count(len(runs), 'run')} since {date(runs[-1].started_at)} UTC, the last one"
        f" {_ago(last.ended_at, now)}: {last.severity.name}",
        style="bold",
    )
    many_lineages = len({(run.cluster_id, run.lineage) for run in runs}) > 1
    by_scope: dict[tuple[object, ...], list[StoredRun]] = {}
    for run in runs[:MAX_RUNS]:
        by_scope.setdefault((run.cluster_id, run.lineage, run.prefixes), []).append(run)
    for same in by_scope.values():
        yield Text(f"\nBelow {_scope_name(same[0], with_lineage=many_lineages)}", style="bold")
        yield _run_table(same)
    yield from _more(len(runs) - MAX_RUNS, "earlier run", "--format json has them all")
    ahead = sum(run.ended_at > now for run in runs)
    if ahead:
        yield Text(
            f"\nIn the future of this machine's clock: {count(ahead, 'run')}. lockdoctor leaves"
            " them out until that time. It deletes no run for a clock."
        )


def _run_table(runs: Sequence[StoredRun]) -> Table:
    table = _table("Started (UTC)", "By", "Worst")
    for heading in ("Took", "Keys", "Findings", "Sessions"):
        table.add_column(heading, justify="right", no_wrap=True)
    for run in runs:
        table.add_row(
            date(run.started_at),
            Text(safe(run.command)),
            Text(run.severity.name, style=_STYLES.get(run.severity, "")),
            duration(max(0.0, run.ended_at - run.started_at)),
            f"{run.holds:,}",
            f"{run.findings:,}",
            "-" if run.sessions is None else f"{run.sessions:,}",
        )
    return table


def stored_parts(subject: bytes, stored: Stored, now: float) -> Iterator[RenderableType]:
    """Yield the stored facts on one lock or lease; there must be at least one."""
    yield Text(f"{_summary(subject, stored)}, {_last_seen(stored, now)}", style="bold")
    if stored.holds:
        yield Text("\nHolds, the last one first", style="bold")
        yield _hold_table(_last(stored.holds, lambda hold: hold.last_asked_at), now)
        yield from _more(len(stored.holds) - MAX_ROWS, "earlier hold", _EXPORT)
    if stored.leases:
        yield Text("\nReadings of the lease, the last ones first", style="bold")
        yield _lease_table(_last(stored.leases, lambda lease: lease.last_answered_at))
        yield from _more(len(stored.leases) - MAX_ROWS, "earlier row", _EXPORT)
    if stored.findings:
        yield Text("\nFindings, the last one first", style="bold")
        yield _finding_table(_last(stored.findings, lambda finding: finding.last_at), now)
        yield from _more(len(stored.findings) - MAX_ROWS, "earlier finding", _EXPORT)


def _last_seen(stored: Stored, now: float) -> str:
    moments = [hold.last_asked_at for hold in stored.holds]
    moments += [lease.last_answered_at for lease in stored.leases]
    moments += [finding.last_at for finding in stored.findings]
    return f"last seen {_ago(max(moments), now)}"


def _hold_table(holds: Sequence[StoredHold], now: float) -> Table:
    table = _wide_table("Hold", "Seen (UTC)")
    for hold in holds:
        table.add_row(
            Text("\n".join(_hold_lines(hold, now))),
            _span(hold.first_answered_at, hold.last_asked_at),
            f"{hold.runs:,}",
        )
    return table


def _hold_lines(hold: StoredHold, now: float) -> Iterator[str]:
    key, seen_s = hold.hold.key, hold.last_asked_at - hold.first_answered_at
    yield name(hold.lock_name or key)
    if key not in (hold.lock_name, b"%s/%x" % (hold.lock_name, hold.lease_id)):
        yield f"key {name(key)}"
    yield f"{lease_name(hold.lease_id)}, create revision {hold.hold.create_revision}"
    if hold.held_first_answered_at is None:
        state = f"in the queue for at least {at_least(seen_s)}, never seen as holder"
    else:
        held_s = hold.last_asked_at - hold.held_first_answered_at
        state = f"held for at least {at_least(held_s)}"
    yield f"{state}, last seen {_ago(hold.last_asked_at, now)}"


def _lease_table(leases: Sequence[StoredLease]) -> Table:
    table = _table("Lease", "TTL", "Last remaining", "Read (UTC)")
    table.add_column("Readings", justify="right", no_wrap=True)
    for lease in leases:
        is_gone = lease.granted_ttl_s is None
        table.add_row(
            hex_id(lease.lease_id),
            "gone" if is_gone else f"{lease.granted_ttl_s} s",
            "-" if is_gone else f"{lease.last_remaining_ttl_s} s",
            _span(lease.first_answered_at, lease.last_answered_at),
            f"{lease.readings:,}",
        )
    return table


def _finding_table(findings: Sequence[StoredFinding], now: float) -> Table:
    table = _wide_table("Finding", "Found (UTC)")
    for finding in findings:
        lasted = duration(max(0.0, finding.last_at - finding.since_at))
        lines = (
            safe(finding.verdict),
            name(finding.lock_name or b""),
            f"for {lasted}, last found {_ago(finding.last_at, now)}",
        )
        table.add_row(
            Text("\n".join(lines)), _span(finding.since_at, finding.last_at), f"{finding.runs:,}"
        )
    return table


def _wide_table(what: str, when: str) -> Table:
    table = _table()
    table.add_column(what, ratio=1, overflow="fold")
    table.add_column(when, no_wrap=True)
    table.add_column("Runs", justify="right", no_wrap=True)
    return table


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    return table


def _ago(at: float, now: float) -> str:
    return f"{duration(max(0.0, now - at))} ago"


def _scope_name(run: StoredRun, *, with_lineage: bool) -> str:
    prefixes = ", ".join(name(prefix) if prefix else "every key" for prefix in run.prefixes)
    lineage = f", lineage {run.lineage}" if with_lineage else ""
    return f"{prefixes} in cluster {run.cluster_id:x}{lineage}"


def _summary(subject: bytes, stored: Stored) -> str:
    parts = [
        count(number, noun)
        for number, noun in (
            (len(stored.holds), "hold"),
            (sum(lease.readings for lease in stored.leases), "reading"),
            (len(stored.findings), "finding"),
        )
        if number
    ]
    clusters = {hold.cluster_id for hold in stored.holds} | {o.cluster_id for o in stored.leases}
    where = f" in {count(len(clusters), 'cluster')}" if len(clusters) > 1 else ""
    return f"{name(subject)}: {', '.join(parts)} stored{where}"


def _span(first_at: float, last_at: float) -> str:
    first, last = date(first_at), date(last_at)
    return first if first == last else f"{first} to\n{last}"


def _last(rows: Iterable[Row], at: Callable[[Row], float]) -> list[Row]:
    return sorted(rows, key=at, reverse=True)[:MAX_ROWS]


def _more(number: int, noun: str, where: str) -> Iterator[RenderableType]:
    if number > 0:
        yield Text(f"… and {count(number, noun)}; {where}", style="dim")
