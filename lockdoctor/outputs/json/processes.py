"""Converts the data of additional sources to JSON; described in docs/json.md."""

from __future__ import annotations

from lockdoctor.domain.report.processes import CallSite, CounterChanges, ProcessReport
from lockdoctor.outputs.json.values import Json, picked
from lockdoctor.outputs.text.values import safe

COUNTS = ("granted", "revoked", "expired", "renewed", "leader_changes", "keepalive_streams")
"""The counters of etcd, in the order of the document."""


def process_json(process: ProcessReport) -> Json:
    """Return one process."""
    counts = process.counts
    return {
        **picked(process, "name", "source", "is_saved"),
        **picked(counts, "is_whole", "goroutines", "sessions"),
        **picked(process, "sessions_before", "watched_s"),
        **picked(counts, "keepalives", "named_keepalives", "clients", "lock_waiters", "candidates"),
        "oldest_keepalive_s": counts.oldest_keepalive_s,
        **picked(process, "keyless_kept", "locks_held", "agreement"),
        "callers": [_caller(caller) for caller in counts.callers],
    }


def server_json(server: CounterChanges | None) -> Json | None:
    """Return the changes of etcd's counters; null if they cannot be compared."""
    if server is None:
        return None
    counts = ("watched_s", *COUNTS)
    members = [picked(each, "member", *counts, "was_restarted") for each in server.members]
    return {**picked(server, *counts), "members": members}


def _caller(caller: CallSite) -> Json:
    return {
        "call": caller.call,
        "function": safe(caller.frame.function),
        "place": safe(caller.frame.place),
        "goroutines": caller.goroutines,
    }
