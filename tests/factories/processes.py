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


WITNESS_EVIDENCE: tuple[tuple[Evidence, str], ...] = (
    (
        KeptAliveBy(process="orders-7f", kept=1, of=1, saved=False),
        "orders-7f keeps the lease alive: its ID stands in its goroutines.",
    ),
    (
        KeptAliveBy(process="dump.txt\x1b", kept=40, of=1_000, saved=True),
        (
            r"dump.txt\x1b kept 40 of these 1,000 leases alive when its profile was saved: their"
            " IDs stand in its goroutines."
        ),
    ),
    (
        KeptAliveBy(process="a", kept=5, of=5, saved=False),
        "a keeps all of these leases alive: their IDs stand in its goroutines.",
    ),
    (
        live_sessions(before=5_700, watched_s=45.2, waiting=11, kept=5_801),
        (
            "orders-7f has 5,812 live sessions, 11 of them waiting for a lock; 45 s earlier it was"
            " 5,700. It keeps 5,801 of etcd's 5,830 renewed leases without keys alive, by their"
            " IDs: this process leaks them."
        ),
    ),
    (
        live_sessions(sessions=40, kept=30),
        (
            "orders-7f has 40 live sessions. It keeps 30 of etcd's 5,830 renewed leases without"
            " keys alive, by their IDs."
        ),
    ),
    (
        live_sessions(),
        (
            "orders-7f has 5,812 live sessions. etcd has 5,830 renewed leases without keys: as many"
            " within 5 %, so that it very likely is the one that leaks them."
        ),
    ),
    (
        live_sessions(sessions=4, keyless_leases=4, saved=True),
        (
            "orders-7f had 4 live sessions. etcd has 4 renewed leases without keys: about as"
            " many, so that it may be the one that leaks them."
        ),
    ),
    (
        live_sessions(sessions=40, agreement="fewer"),
        (
            "orders-7f has 40 live sessions. etcd has 5,830 renewed leases without keys: they"
            " cannot all be its sessions."
        ),
    ),
    (
        live_sessions(keyless_leases=40, agreement="more"),
        (
            "orders-7f has 5,812 live sessions. etcd has 40 renewed leases without keys: it has"
            " more, so that some have keys or belong to another etcd."
        ),
    ),
    (
        UnattributedSessions(leases=5_790, processes=1),
        (
            "About 5,790 of them are not named in the goroutines of the process asked: they come"
            " from elsewhere, or from keep-alives without a session, which newer clients hide."
        ),
    ),
    (
        UnattributedSessions(leases=40, processes=2),
        (
            "About 40 of them are not named in the goroutines of the 2 processes asked: they come"
            " from elsewhere, or from keep-alives without a session, which newer clients hide."
        ),
    ),
    (
        ServerCounted(granted=12, revoked=0, expired=None, watched_s=45.2),
        "In 45 s etcd itself counted 12 leases granted and 0 ended: nobody closed a session.",
    ),
    (
        ServerCounted(granted=12, revoked=4, expired=3, watched_s=45.2),
        "In 45 s etcd itself counted 12 leases granted and 4 ended, 3 of them by running out.",
    ),
    (
        ServerCounted(granted=12, revoked=12, expired=0, watched_s=45.2),
        (
            "In 45 s etcd itself counted 12 leases granted and 12 ended: as many end as begin, in"
            " the whole cluster."
        ),
    ),
)
"""Evidence, and how it must be worded."""


def a_census(**fields: Any) -> GoroutineCounts:
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
            "census": a_census(),
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
