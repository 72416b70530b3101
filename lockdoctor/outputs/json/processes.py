"""Converts the data of additional sources to JSON; described in docs/json.md."""

from __future__ import annotations

import dataclasses

from lockdoctor.domain.report.processes import CallSite, CounterChanges, ProcessReport
from lockdoctor.outputs.json.values import Json
from lockdoctor.outputs.text.values import safe


def process_json(process: ProcessReport) -> Json:
    """Return one process."""
    census = process.census
    return {
        "name": safe(process.name),
        "source": safe(process.source),
        "is_saved": process.is_saved,
        "is_whole": census.is_whole,
        "goroutines": census.goroutines,
        "sessions": census.sessions,
        "sessions_before": process.sessions_before,
        "watched_s": round(process.watched_s, 3),
        "keepalives": census.keepalives,
        "named_keepalives": census.named_keepalives,
        "clients": census.clients,
        "lock_waiters": census.lock_waiters,
        "candidates": census.candidates,
        "oldest_keepalive_s": census.oldest_keepalive_s,
        "keyless_kept": process.keyless_kept,
        "locks_held": process.locks_held,
        "agreement": process.agreement.value if process.agreement else None,
        "callers": [_caller(caller) for caller in census.callers],
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
