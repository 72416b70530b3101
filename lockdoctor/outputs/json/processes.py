"""Converts the data of additional sources to JSON; described in docs/json.md."""

from __future__ import annotations

import dataclasses

from lockdoctor.domain.report.processes import CallSite, CounterChanges, ProcessReport
from lockdoctor.outputs.json.values import Json
from lockdoctor.outputs.text.values import safe


def process_json(process: ProcessReport) -> Json:
    """Return one process."""
    counts = process.counts
    return {
        "name": safe(process.name),
        "source": safe(process.source),
        "is_saved": process.is_saved,
        "is_whole": counts.is_whole,
        "goroutines": counts.goroutines,
        "sessions": counts.sessions,
        "sessions_before": process.sessions_before,
        "watched_s": round(process.watched_s, 3),
        "keepalives": counts.keepalives,
        "named_keepalives": counts.named_keepalives,
        "clients": counts.clients,
        "lock_waiters": counts.lock_waiters,
        "candidates": counts.candidates,
        "oldest_keepalive_s": counts.oldest_keepalive_s,
        "keyless_kept": process.keyless_kept,
        "locks_held": process.locks_held,
        "agreement": process.agreement.value if process.agreement else None,
        "callers": [_caller(caller) for caller in counts.callers],
    }


def server_json(server: CounterChanges | None) -> Json | None:
    """Return the changes of etcd's counters; null if they cannot be compared."""
    if server is None:
        return None
    return {
        "watched_s": round(server.watched_s, 3),
        "granted": server.granted,
        "revoked": server.revoked,
        "expired": server.expired,
        "renewed": server.renewed,
        "leader_changes": server.leader_changes,
        "keepalive_streams": server.keepalive_streams,
        "members": [
            dataclasses.asdict(member)
            | {"member": safe(member.member), "watched_s": round(member.watched_s, 3)}
            for member in server.members
        ],
    }


def _caller(caller: CallSite) -> Json:
    return {
        "call": caller.call,
        "function": safe(caller.frame.function),
        "place": safe(caller.frame.place),
        "goroutines": caller.goroutines,
    }
