"""Examples of what is heard besides etcd's leases, and how it must be worded."""

from __future__ import annotations

from typing import Any

from lockdoctor.domain.evidence import Evidence
from lockdoctor.domain.evidence.processes import (
    KeptAliveBy,
    ProcessSessions,
    ServerCounted,
    UnattributedSessions,
)
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.report.processes import (
    CallSite,
    CountComparison,
    CounterChanges,
    Frame,
    GoroutineCounts,
    MemberCounterChanges,
    ProcessReport,
)


def live_sessions(**fields: Any) -> ProcessSessions:
    """The process of the mission's story, beside what etcd has."""
    return ProcessSessions(
        **{
            "process": "orders-7f",
            "sessions": 5_812,
            "before": None,
            "watched_s": 0.0,
            "waiting": 0,
            "keyless_leases": 5_830,
            "kept": None,
            "agreement": "as-many",
            "saved": False,
            **fields,
        }
    )


WITNESS_EVIDENCE: tuple[Evidence, ...] = (
    KeptAliveBy(process="orders-7f", kept=1, of=1, saved=False),
    KeptAliveBy(process="dump.txt\x1b", kept=40, of=1_000, saved=True),
    KeptAliveBy(process="a", kept=5, of=5, saved=False),
    live_sessions(before=5_700, watched_s=45.2, waiting=11, kept=5_801),
    live_sessions(sessions=40, kept=30),
    live_sessions(),
    live_sessions(sessions=4, keyless_leases=4, saved=True),
    live_sessions(sessions=40, agreement="fewer"),
    live_sessions(keyless_leases=40, agreement="more"),
    UnattributedSessions(leases=5_790, processes=1),
    UnattributedSessions(leases=40, processes=2),
    ServerCounted(granted=12, revoked=0, expired=None, watched_s=45.2),
    ServerCounted(granted=12, revoked=4, expired=3, watched_s=45.2),
    ServerCounted(granted=12, revoked=12, expired=0, watched_s=45.2),
)


def goroutine_counts(**fields: Any) -> GoroutineCounts:
    """The goroutines of a service that leaks a session with each request."""
    frame = Frame("main.request", "leaks.go:45")
    return GoroutineCounts(
        **{
            "goroutines": 11_700,
            "sessions": 5_812,
            "keepalives": 5_812,
            "named_keepalives": 5_812,
            "clients": 1,
            "lock_waiters": 11,
            "candidates": 0,
            "oldest_keepalive_s": 10_800,
            "callers": (CallSite("Lock", frame, 11), CallSite("NewSession", frame, 11)),
            "words": frozenset({LeaseId(0x694D71DDACFDA227)}),
            "is_whole": True,
            **fields,
        }
    )


def a_process(**fields: Any) -> ProcessReport:
    """That service, compared with etcd."""
    return ProcessReport(
        **{
            "name": "orders-7f",
            "source": "http://orders-7f:6060",
            "counts": goroutine_counts(),
            "is_saved": False,
            "sessions_before": 5_700,
            "watched_s": 45.2,
            "keyless_kept": 5_801,
            "locks_held": 1,
            "agreement": CountComparison.AS_MANY,
            **fields,
        }
    )


def a_member(**fields: Any) -> MemberCounterChanges:
    """What a leader counted in 45 s of that leak."""
    return MemberCounterChanges(
        **{
            "member": "http://10.0.0.1:2379/metrics",
            "watched_s": 45.2,
            "granted": 112,
            "revoked": 0,
            "expired": 0,
            "renewed": 12_500,
            "leader_changes": 0,
            "keepalive_streams": 3,
            "was_restarted": False,
            **fields,
        }
    )


def a_server(*members: MemberCounterChanges) -> CounterChanges:
    """The members that were asked; that leader alone unless said otherwise."""
    return CounterChanges(members=members or (a_member(),))
