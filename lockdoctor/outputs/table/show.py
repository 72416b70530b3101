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
from lockdoctor.outputs.table.parts.ttl_chart import Chart
from lockdoctor.outputs.table.report import (
    alarm_remedies,
    context,
    finding_parts,
    headline_style,
    listed,
)
from lockdoctor.outputs.text.headline import alarms, headline
from lockdoctor.outputs.text.notes import note_text
from lockdoctor.outputs.text.unseen import unseen_text
from lockdoctor.outputs.text.values import (
    at_least,
    at_most,
    count,
    duration,
    lock_title,
    moment,
    printable,
    safe,
    shortened,
    times,
)

MAX_CONTENDERS = 30
"""Maximum keys of a queue in the list; JSON has all of them."""

MAX_KEYS = 20
NAME_WIDTH = 120


def show_parts(report: Report, width: int) -> Iterator[RenderableType]:
    """Yield the parts of the page for a width in columns."""
    yield Text(_headline(report), style=headline_style(report))
    yield from alarm_remedies(report)
    yield Text(context(report), style="dim")
    for lock in report.locks:
        yield from _lock(lock, report, width)
    for session in report.sessions:
        yield from _session(session, report, width)
    yield from listed("Not seen", list(map(unseen_text, report.unseen)))
    yield from listed("Notes", list(map(note_text, report.notes)))


def _headline(report: Report) -> str:
    if report.locks or not report.sessions:
        return headline(report)
    (session, *_) = report.sessions
    found = f"Lease {hex_id(session.trace.lease_id)} has no keys: {session.verdict.kind.value}"
    return "; ".join([*alarms(report), found])


def _lock(report: LockReport, run: Report, width: int) -> Iterator[RenderableType]:
    lock = report.lock
    title = f"{shortened(lock_title(lock), NAME_WIDTH)} ({lock.recipe.value}, {lock.kind.value})"
    yield Text(f"\n{title}", style="bold")
    if lock.holder is None:
        yield indented("Nobody holds it.")
    else:
        yield _queue(report)
        if report.holder_trace is not None:
            yield from _charts(report.holder_trace, run, width)
        told = list(_origins(report, run))
        yield from listed("By what clients wrote, and by the leases' IDs", told)
        yield from listed("All keys of the holder's lease", list(_keys(report)))
    for verdict in report.verdicts:
        yield from finding_parts(Finding(verdict, report), "\n")
        yield indented(f"What the verdict means: lockdoctor explain {verdict.kind.value}")


def _session(session: SessionReport, run: Report, width: int) -> Iterator[RenderableType]:
    yield Text(f"\nLease {hex_id(session.trace.lease_id)}, which has no keys", style="bold")
    yield from _charts(session.trace, run, width)
    yield from finding_parts(Finding(session.verdict, None), "\n")


def _queue(report: LockReport) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    for _ in range(3):
        table.add_column(overflow="fold")
    table.add_row("", "lease", "stands", "renewed", "TTL left", style="dim")
    for role, key, stands in _contenders(report):
        trace = report.traces.get(key.lease_id)
        lease = hex_id(key.lease_id) if key.has_lease else "none"
        table.add_row(role, lease, stands, _renewed(trace), _ttl(trace))
    hidden = len(report.lock.keys) - MAX_CONTENDERS
    if hidden > 0:
        table.add_row("", f"… {hidden:,} more")
    return Padding(table, (0, 0, 0, 2))


def _contenders(report: LockReport) -> Iterator[tuple[str, LockKey, str]]:
    lock = report.lock
    holders = [key for key in lock.keys if key not in lock.waiters]
    for key in holders[:MAX_CONTENDERS]:
        stands = _age(report.age) if key is lock.holder and report.age else ""
        yield "holds", key, stands
    waiting = zip(lock.waiters, (*report.waited_s, *(0.0 for _ in lock.waiters)), strict=False)
    for number, (key, waited_s) in enumerate(waiting, start=1):
        if len(holders) + number > MAX_CONTENDERS:
            return
        stands = f"at least {at_least(waited_s)}" if waited_s else "came meanwhile"
        yield f"waits {number}", key, stands


def _age(age: HoldAge) -> str:
    bound = "" if age.at_most_s is None else f", at most {at_most(age.at_most_s)}"
    return f"at least {at_least(age.at_least_s)}{bound}"


def _renewed(trace: RenewalTrace | None) -> str:
    if trace is None or not trace.renewals:
        return "not seen"
    every = trace.at_most_every_s
    period = f", every {at_most(every)} or less" if every is not None else ""
    return f"at least {times(trace.renewals)}{period}"


def _ttl(trace: RenewalTrace | None) -> str:
    last = trace.readings[-1] if trace and trace.readings else None
    if last is None:
        return "not read"
    if not isinstance(last, LeaseReading):
        return "the lease is gone"
    return f"{last.remaining_ttl_s} of {duration(last.granted_ttl_s)}"


def _charts(trace: RenewalTrace, run: Report, width: int) -> Iterator[RenderableType]:
    """Yield the chart of this run, and one of the time that earlier runs have seen."""
    granted_ttl_s = trace.granted_ttl_s
    if not granted_ttl_s:
        return
    until = run.started_at + run.watched_s
    begins = {"The TTL that was left, in this run": run.started_at}
    if trace.readings[0].asked_at < run.started_at:
        begins["The same, as far back as earlier runs have seen it"] = trace.readings[0].asked_at
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
            yield indented("^ a new leader, which sets every lease back to its full TTL")


def _leader_changes(readings: tuple[Reading, ...], since: float) -> Iterator[float]:
    for before, after in pairwise(readings):
        if before.raft_term != after.raft_term and after.answered_at >= since:
            yield after.answered_at


def _origins(report: LockReport, run: Report) -> Iterator[str]:
    for key in report.lock.keys[:MAX_CONTENDERS]:
        told = list(map(_told, owner_notes(key)))
        came = origin(key.lease_id, run.cluster.members, run.started_at) if key.has_lease else None
        told += [_granted(came)] if came else []
        if told:
            yield f"{shortened(printable(key.key), NAME_WIDTH)}: {', '.join(told)}"


def _granted(came: LeaseOrigin) -> str:
    """Return the bound from the lease's ID, which is not the time of the grant."""
    since = f"not before {moment(came.not_before_at)}"
    if came.member_id is None:
        return f"lease granted {since}, if etcd chose its ID"
    return f"lease granted by member {came.member_id:x}, {since}"


def _told(each: OwnerNote) -> str:
    if isinstance(each.value, float):
        return f"created at {moment(each.value)} by its clock"
    if each.what is NoteKind.NETWORK_CARD:
        return f"on the machine with the network card {each.value}"
    label = f"{each.field} " if each.what is NoteKind.FIELD else ""
    return f"{label}{safe(each.value)}"


def _keys(report: LockReport) -> Iterator[str]:
    trace = report.holder_trace
    found = [r for r in trace.readings if isinstance(r, LeaseReading)] if trace else []
    attached = next((r.attached_keys for r in reversed(found) if r.attached_keys), ())
    yield from (shortened(printable(key), NAME_WIDTH) for key in attached[:MAX_KEYS])
    if attached[MAX_KEYS:]:
        yield f"… and {count(len(attached) - MAX_KEYS, 'more key')}"
