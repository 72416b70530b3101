"""Writes the page of `lockdoctor show`: all facts on one lock or lease."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lockdoctor.domain.inference.hold_age import HoldAge
from lockdoctor.domain.inference.lease_origin import LeaseOrigin, origin
from lockdoctor.domain.inference.renewals import RenewalTrace
from lockdoctor.domain.inference.ttl_timeline import segments
from lockdoctor.domain.model.leases import LeaseReading, Reading, hex_id
from lockdoctor.domain.model.locks import LockKey
from lockdoctor.domain.recipes.owner_notes import NoteKind, OwnerNote, owner_notes
from lockdoctor.domain.report.findings import Finding, LockReport, SessionReport
from lockdoctor.domain.report.report import Report
from lockdoctor.outputs.table.parts.layout import indented
from lockdoctor.outputs.table.parts.locks import renewed
from lockdoctor.outputs.table.parts.ttl_chart import Chart
from lockdoctor.outputs.table.report import alarm_remedies, finding_parts, headline_style, listed
from lockdoctor.outputs.text.headline import alarms, headline
from lockdoctor.outputs.text.report import context, note_text
from lockdoctor.outputs.text.unseen import unseen_text
from lockdoctor.outputs.text.values import (
    at_least,
    at_most,
    count,
    duration,
    lock_title,
    moment,
    name,
    safe,
)

MAX_QUEUED = 30
"""Maximum keys of a queue in the list; JSON has all of them."""

MAX_KEYS = 20

ORIGINS = "Who created these leases (written by clients, not verified)"


def show_parts(report: Report, width: int) -> Iterator[RenderableType]:
    """Yield the parts of the page for a width in columns."""
    yield Text(_headline(report), style=headline_style(report))
    yield from alarm_remedies(report)
    yield Text(context(report), style="dim")
    for lock in report.locks:
        yield from _lock(lock, report, width)
    for session in report.sessions:
        yield from _session(session, report, width)
    yield from listed("Not examined", list(map(unseen_text, report.unseen)))
    yield from listed("Notes", list(map(note_text, report.notes)))


def _headline(report: Report) -> str:
    if report.locks or not report.sessions:
        return headline(report)
    (session, *_) = report.sessions
    text = f"Lease {hex_id(session.trace.lease_id)} has no keys: {session.verdict.kind.value}"
    return "; ".join([*alarms(report), text])


def _lock(report: LockReport, run: Report, width: int) -> Iterator[RenderableType]:
    lock = report.lock
    title = f"{lock_title(lock)} ({lock.recipe.value}, {lock.kind.value})"
    yield Text(f"\n{title}", style="bold")
    if lock.holder is None:
        yield indented("This lock has no holder.")
    else:
        yield _queue(report)
        if report.holder_trace is not None:
            yield from _charts(report.holder_trace, run, width)
        origins = list(_origins(report, run))
        yield from listed(ORIGINS, origins)
        yield from listed("Keys on the holder's lease", list(_keys(report)))
    for verdict in report.verdicts:
        yield from finding_parts(Finding(verdict, report), "\n")
        yield indented(f"What the verdict means: lockdoctor explain {verdict.kind.value}")


def _session(session: SessionReport, run: Report, width: int) -> Iterator[RenderableType]:
    yield Text(f"\nLease {hex_id(session.trace.lease_id)} (no keys)", style="bold")
    yield from _charts(session.trace, run, width)
    yield from finding_parts(Finding(session.verdict, None), "\n")


def _queue(report: LockReport) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    for _ in range(3):
        table.add_column(overflow="fold")
    table.add_row("", "lease", "held or waiting", "renewed", "remaining TTL", style="dim")
    for role, key, age in _queued_keys(report):
        trace = report.traces.get(key.lease_id)
        lease = hex_id(key.lease_id) if key.has_lease else "none"
        table.add_row(role, lease, age, ", ".join(renewed(trace)) or "not proven", _ttl(trace))
    hidden = len(report.lock.keys) - MAX_QUEUED
    if hidden > 0:
        table.add_row("", f"… {hidden:,} more")
    return Padding(table, (0, 0, 0, 2))


def _queued_keys(report: LockReport) -> Iterator[tuple[str, LockKey, str]]:
    lock = report.lock
    holders = [key for key in lock.keys if key not in lock.waiters]
    for key in holders[:MAX_QUEUED]:
        age = _age(report.age) if key is lock.holder and report.age else ""
        yield "holder", key, age
    waiting = zip(lock.waiters, (*report.waited_s, *(0.0 for _ in lock.waiters)), strict=False)
    for number, (key, waited_s) in enumerate(waiting, start=1):
        if len(holders) + number > MAX_QUEUED:
            return
        age = f"at least {at_least(waited_s)}" if waited_s else "new in this run"
        yield f"waiter {number}", key, age


def _age(age: HoldAge) -> str:
    bound = "" if age.at_most_s is None else f", at most {at_most(age.at_most_s)}"
    return f"at least {at_least(age.at_least_s)}{bound}"


def _ttl(trace: RenewalTrace | None) -> str:
    last = trace.readings[-1] if trace and trace.readings else None
    if last is None:
        return "not read"
    if not isinstance(last, LeaseReading):
        return "lease ended"
    return f"{last.remaining_ttl_s} of {duration(last.granted_ttl_s)}"


def _charts(trace: RenewalTrace, run: Report, width: int) -> Iterator[RenderableType]:
    """Yield the chart of this run, and one of the time that earlier runs have seen."""
    granted_ttl_s = trace.granted_ttl_s
    if not granted_ttl_s:
        return
    until = run.started_at + run.watched_s
    begins = {"Remaining TTL, this run": run.started_at}
    if trace.readings[0].asked_at < run.started_at:
        begins["Remaining TTL, from earlier runs"] = trace.readings[0].asked_at
    for title, since in begins.items():
        if until - since < 1:
            continue
        chart = Chart(
            teeth=segments(trace),
            granted_ttl_s=granted_ttl_s,
            since=since,
            until=until,
            leader_changes=tuple(_leader_changes(trace.readings, since)),
        )
        yield Text(f"\n{title}", style="bold")
        yield Text("\n".join(chart.lines(width)), no_wrap=True)
        if chart.leader_changes:
            yield indented("^ a new leader: it reset every TTL")


def _leader_changes(readings: tuple[Reading, ...], since: float) -> Iterator[float]:
    for before, after in pairwise(readings):
        if before.raft_term != after.raft_term and after.answered_at >= since:
            yield after.answered_at


def _origins(report: LockReport, run: Report) -> Iterator[str]:
    for key in report.lock.keys[:MAX_QUEUED]:
        notes = list(map(_note, owner_notes(key)))
        granted = (
            origin(key.lease_id, run.cluster.members, run.started_at) if key.has_lease else None
        )
        notes += [_granted(granted)] if granted else []
        if notes:
            yield f"{name(key.key)}: {', '.join(notes)}"


def _granted(lease: LeaseOrigin) -> str:
    """Return the bound from the lease's ID, which is not the time of the grant."""
    since = f"at {moment(lease.not_before_at)} or later"
    if lease.member_id is None:
        return f"lease granted {since}, if etcd chose its ID"
    return f"lease granted by member {lease.member_id:x} {since}"


def _note(note: OwnerNote) -> str:
    if isinstance(note.value, float):
        return f"created at {moment(note.value)} by the client's clock"
    if note.what is NoteKind.NETWORK_CARD:
        return f"on the machine with the network card {note.value}"
    label = f"{note.field} " if note.what is NoteKind.FIELD else ""
    return f"{label}{safe(note.value)}"


def _keys(report: LockReport) -> Iterator[str]:
    trace = report.holder_trace
    readings = [r for r in trace.readings if isinstance(r, LeaseReading)] if trace else []
    attached = next((r.attached_keys for r in reversed(readings) if r.attached_keys), ())
    yield from map(name, attached[:MAX_KEYS])
    if attached[MAX_KEYS:]:
        yield f"… and {count(len(attached) - MAX_KEYS, 'more key')}"
