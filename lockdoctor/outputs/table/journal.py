"""Writes the journal for people: the list, and a single entry; times are UTC."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich import box
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lockdoctor.domain.model.actions import Action, Result
from lockdoctor.domain.model.leases import NO_LEASE, LeaseId, hex_id
from lockdoctor.domain.model.locks import LockKey
from lockdoctor.domain.treatment.journal_entry import Entry, Intent, is_cut
from lockdoctor.outputs.table.parts.layout import NoWrapText
from lockdoctor.outputs.table.treatment import STYLES
from lockdoctor.outputs.text.plan import RESULTS
from lockdoctor.outputs.text.values import (
    count,
    date,
    duration,
    lease_name,
    moment,
    name,
    printable,
    safe,
    shortened,
    size,
    took,
)

MAX_NAMES = 3
"""Maximum locks of one entry in the list."""

MAX_KEYS = 50
"""Maximum keys of one entry; JSON has all of them."""

VALUE_WIDTH = 60
"""Longer values lose their middle."""


def subject(intent: Intent) -> str:
    """Return the subject of an entry: its locks, or its lease if it has no lock."""
    if not intent.locks:
        return f"lease {hex_id(intent.lease_id)}" if intent.lease_id else "no lock"
    named = ", ".join(map(name, intent.locks[:MAX_NAMES]))
    more = len(intent.locks) - MAX_NAMES
    return f"{named} and {count(more, 'more lock')}" if more > 0 else named


def list_parts(
    shown: Sequence[Entry], total: int, notes: Iterable[str]
) -> Iterator[RenderableType]:
    """Yield the list of the shown entries, the latest first; total counts all."""
    yield Text(_headline(shown, total), style="bold")
    if shown:
        yield Text()
        yield _rows(shown)
    yield from _notes(notes)


def _headline(shown: Sequence[Entry], total: int) -> str:
    if not shown:
        return "No journal entries to show"
    which = f"The last {len(shown)} of {count(total, 'entry', 'entries')}"
    if len(shown) == total:
        which = count(total, "entry", "entries")
    unknown = [entry for entry in shown if entry.result is Result.UNKNOWN]
    if not unknown:
        return f"{which}, the last one first"
    return (
        f"{which}, {len(unknown)} of unknown outcome:"
        f" lockdoctor journal show {safe(unknown[0].intent.entry_id)}"
    )


def _rows(shown: Sequence[Entry]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("Entry", no_wrap=True)
    table.add_column("When (UTC)", no_wrap=True)
    table.add_column("What", ratio=1, overflow="fold")
    table.add_column("Outcome", no_wrap=True)
    for entry in shown:
        intent = entry.intent
        result = Text(RESULTS[entry.result], style=STYLES[entry.result])
        what = f"{intent.action.value} {subject(intent)}\n{_by(intent)}"
        table.add_row(Text(safe(intent.entry_id)), date(intent.at), Text(what), result)
    return table


def _by(intent: Intent) -> str:
    why = f", {safe(intent.why.verdict)}" if intent.why.verdict else ""
    of = f" of {safe(intent.of)}" if intent.of else ""
    keys = count(len(intent.keys), "key") if intent.keys else "no keys"
    unattended = "unattended, as " if intent.treated_under is not None else "by "
    return f"{keys}{of}, {unattended}{safe(intent.who.user)} on {safe(intent.who.host)}{why}"


def entry_parts(entry: Entry, notes: Iterable[str]) -> Iterator[RenderableType]:
    """Yield all facts on an entry."""
    intent = entry.intent
    heading = Text(f"{intent.action.value} {subject(intent)}: ", style="bold")
    yield heading.append(RESULTS[entry.result], STYLES[entry.result])
    yield Padding(_facts(entry), (0, 0, 0, 2))
    keys = intent.keys
    if keys:
        yield Text(f"\n{count(len(keys), 'key')}, as read right before", style="bold")
    for key in keys[:MAX_KEYS]:
        yield Padding(Text("\n".join(_key(key)), overflow="fold"), (0, 0, 0, 2))
    if keys[MAX_KEYS:]:
        more = count(len(keys) - MAX_KEYS, "more key")
        yield Text(f"… and {more}; --format json has them all", style="dim")
    if entry.perhaps_deleted and intent.action is Action.QUARANTINE:
        yield Text("\nTo undo the quarantine before it ends:")
        yield NoWrapText(f"  lockdoctor revoke --undo {safe(intent.entry_id)}")
    if entry.perhaps_deleted:
        yield Text("\nTo restore the keys that no longer exist:")
        yield NoWrapText(f"  lockdoctor journal restore {safe(intent.entry_id)}")
    yield from _notes(notes)


def _facts(entry: Entry) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for label, fact in _fact_rows(entry):
        grid.add_row(label, Text(fact))
    return grid


def _fact_rows(entry: Entry) -> Iterator[tuple[str, str]]:
    intent, outcome = entry.intent, entry.outcome
    yield "Entry", safe(intent.entry_id)
    yield "When", moment(intent.at)
    if outcome is None:
        yield "Outcome", "none was written: etcd might have been changed, or the action still runs"
    else:
        yield "Outcome", f"{safe(outcome.detail)} (after {took(outcome.took_s)})"
    yield "Who", f"{safe(intent.who.user)} on {safe(intent.who.host)}, process {intent.who.pid}"
    if intent.treated_under is not None:
        yield "", f"unattended, as the policy for {name(intent.treated_under)} allows"
    if intent.why.verdict:
        yield "Why", f"{safe(intent.why.verdict)}, {safe(intent.why.confidence)}"
    yield from (("", f"- {safe(sentence)}") for sentence in intent.why.evidence)
    if intent.of:
        yield "Of entry", safe(intent.of)
    yield "Cluster", f"{intent.cluster_id:x}"
    yield "Lease", _lease(intent.lease_id, intent.granted_ttl_s)
    if intent.new_lease_id is not None:
        yield "New lease", _lease(intent.new_lease_id, intent.new_ttl_s)


def _lease(lease_id: LeaseId, granted_s: int | None) -> str:
    if lease_id == NO_LEASE:
        return "none"
    return hex_id(lease_id) + (f", TTL {duration(granted_s)}" if granted_s is not None else "")


def _key(key: LockKey) -> Iterator[str]:
    yield name(key.key)
    yield (
        f"  {lease_name(key.lease_id)}, create revision {key.create_revision},"
        f" modified at {key.mod_revision} (version {key.version})"
    )
    if not key.value_size:
        yield "  empty value"
    elif is_cut(key):
        yield f"  value of {size(key.value_size)}, of which {size(len(key.value))} were kept"
    else:
        yield f"  value of {size(key.value_size)}: {shortened(printable(key.value), VALUE_WIDTH)}"


def _notes(notes: Iterable[str]) -> Iterator[RenderableType]:
    for note in notes:
        yield Text(f"\nNote: {safe(note)}")
