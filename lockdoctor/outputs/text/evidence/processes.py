"""Returns sentences for process data: goroutines, and etcd's own counters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lockdoctor.domain.evidence.processes import (
    KeptAliveBy,
    ProcessSessions,
    ServerCounted,
    UnattributedSessions,
)
from lockdoctor.outputs.text.evidence.entry import entry
from lockdoctor.outputs.text.values import at_least, count, duration, safe, shortened, times

if TYPE_CHECKING:
    from lockdoctor.domain.report.processes import CallSite, CounterChanges, ProcessReport

CONVINCING = 20
"""Smaller numbers can agree without a common cause."""

MAX_CALL = 100
"""Maximum characters of a caller's function call."""


def process_lines(process: ProcessReport) -> Iterator[str]:
    """Yield what a process's goroutines show: one line, and one for each caller."""
    yield f"{safe(process.name)}: {'; '.join(_facts(process))}"
    for caller in process.counts.callers:
        yield f"{safe(process.name)}: {_caller(caller)}"


def server_line(server: CounterChanges) -> str:
    """Return what etcd's own counters show."""
    parts = [
        count(server.granted, "lease") + " granted" if server.granted is not None else "",
        _ended(server.revoked, server.expired) if server.revoked is not None else "",
        count(server.renewed, "renewal") if server.renewed is not None else "",
    ]
    counted = ", ".join(part for part in parts if part)
    text = f"etcd counted {counted} in {duration(server.watched_s)}" if counted else ""
    if server.keepalive_streams is not None:
        streams = count(server.keepalive_streams, "keep-alive stream")
        text = f"{text}; " * bool(text) + f"{streams} open at the members read"
    if server.leader_changes:
        text += f"; the leader changed {times(server.leader_changes)}"
    restarted = [each.member for each in server.members if each.was_restarted]
    if restarted:
        text += f"; restarted during the watch: {', '.join(map(safe, restarted))}"
    return text


def _kept(evidence: KeptAliveBy) -> str:
    verb, when = ("renewed", " when its profile was saved") if evidence.saved else ("renews", "")
    which = "the lease" if evidence.of == 1 else "all of these leases"
    if evidence.kept < evidence.of:
        which = f"{evidence.kept:,} of these {evidence.of:,} leases"
    ids = "its ID is" if evidence.kept == 1 else "their IDs are"
    return f"{safe(evidence.process)} {verb} {which}{when}: {ids} in its goroutines."


def _kept_clause(evidence: KeptAliveBy) -> str:
    which = "" if evidence.kept == evidence.of else f"{evidence.kept:,} of them "
    return f"{which}renewed by {safe(evidence.process)}"


def _process_sessions(evidence: ProcessSessions) -> str:
    verb = "had" if evidence.saved else "has"
    waiting = f", {evidence.waiting:,} of them waiting for a lock" if evidence.waiting else ""
    text = f"{safe(evidence.process)} {verb} {count(evidence.sessions, 'live session')}{waiting}."
    if evidence.before is not None and evidence.before != evidence.sessions:
        text += f" It had {evidence.before:,} {duration(evidence.watched_s)} earlier."
    leases = count(evidence.keyless_leases, "renewed lease")
    if evidence.kept is None:
        return f"{text} etcd has {leases} without keys: {_agreement(evidence)}."
    text += f" It renews {evidence.kept:,} of etcd's {leases} without keys, by their IDs."
    return f"{text} This process leaks them." if evidence.keeps_the_leak else text


def _agreement(evidence: ProcessSessions) -> str:
    if evidence.agreement == "fewer":
        return "more than the sessions of this process, so not all are from it"
    if evidence.agreement == "more":
        return "fewer, so some of its sessions have keys or belong to another etcd"
    if evidence.keyless_leases < CONVINCING:
        return "about the same number, so this process might leak them"
    return "the same number within 5 %, so this process very likely leaks them"


def _unattributed(evidence: UnattributedSessions) -> str:
    number = evidence.processes
    which = "the process" if number == 1 else f"the {number:,} processes"
    return (
        f"About {evidence.leases:,} of these leases are not named in the goroutines of {which}"
        " read. Another process renews them, or a keep-alive without a session, which newer clients"
        " hide."
    )


def _counted(evidence: ServerCounted) -> str:
    text = (
        f"etcd counted {count(evidence.granted, 'lease')} granted and"
        f" {_ended(evidence.revoked, evidence.expired)} in {duration(evidence.watched_s)}"
    )
    if evidence.granted and not evidence.revoked:
        return f"{text}: no session was closed."
    if evidence.granted and evidence.revoked >= evidence.granted:
        return f"{text}. In the whole cluster, as many end as are granted."
    return f"{text}."


def _ended(revoked: int, expired: int | None) -> str:
    return f"{revoked:,} ended" + (f" ({expired:,} of them expired)" if expired else "")


def _facts(process: ProcessReport) -> Iterator[str]:
    counts = process.counts
    least = "" if counts.is_whole else "at least "
    waiting = f", {counts.waiting:,} of them waiting" if counts.waiting else ""
    yield f"{least}{count(counts.sessions, 'live session')}{waiting}"
    if process.sessions_before is not None and process.sessions_before != counts.sessions:
        yield f"{process.sessions_before:,} sessions {duration(process.watched_s)} earlier"
    if counts.beyond_sessions:
        yield f"{count(counts.beyond_sessions, 'lease')} renewed without a session"
    yield count(counts.clients, "client")
    if counts.oldest_keepalive_s:
        yield f"the oldest keep-alive is at least {at_least(counts.oldest_keepalive_s)} old"
    if process.locks_held:
        yield f"holds {count(process.locks_held, 'lock')} of these, by lease ID"
    if process.keyless_kept:
        kept = count(process.keyless_kept, "lease")
        yield f"renews {kept} without keys, by lease ID"
    if counts.oldest_keepalive_s is None and counts.keepalives:
        yield "this profile does not have lease IDs (one with debug=2 might)"
    elif counts.named_keepalives < counts.keepalives:
        named = f"{counts.named_keepalives:,} of {counts.keepalives:,}"
        yield f"{named} keep-alives show their lease ID, so only numbers are compared"
    if process.is_saved:
        yield "from a saved profile"


def _caller(caller: CallSite) -> str:
    place = shortened(safe(caller.frame.text), MAX_CALL)
    many = count(caller.goroutines, "goroutine")
    if caller.call == "NewSession":
        sessions = count(caller.goroutines, "session")
        return f"{sessions} opened by goroutines that are now in {place}"
    return f"{many} in {caller.call}, called by {place}"


ENTRIES = (
    entry(KeptAliveBy, "kept-alive-by", _kept, _kept_clause),
    entry(
        ProcessSessions,
        "live-sessions",
        _process_sessions,
        lambda e: f"leaked by {safe(e.process)}" if e.keeps_the_leak else None,
    ),
    entry(UnattributedSessions, "from-elsewhere", _unattributed),
    entry(ServerCounted, "server-counted", _counted),
)
