"""What a history stores, as its outputs are given it."""

from __future__ import annotations

from typing import Any

from lockdoctor.domain.evidence.verdicts import Severity
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.model.locks import Hold
from lockdoctor.domain.past.stored import Stored, StoredFinding, StoredHold, StoredLease, StoredRun
from tests.factories.reports import HOLDER, NOON

HOUR = 3600.0
NAME = b"/my-lock/orders"
KEY = b"/my-lock/orders/32698f1c0a1b2c3d"


def a_stored_run(number: int = 1, **fields: Any) -> StoredRun:
    at = NOON + 300 * number
    return StoredRun(
        **{
            "number": number,
            "cluster_id": 0xABC,
            "lineage": 1,
            "command": "check",
            "prefixes": (b"/my-lock/",),
            "started_at": at,
            "ended_at": at + 1.2,
            "revision": 100,
            "raft_term": 2,
            "severity": Severity.OK,
            "holds": 1234,
            "findings": 0,
            "sessions": None,
            **fields,
        }
    )


def a_stored_hold(name: bytes = NAME, key: bytes = KEY, **fields: Any) -> StoredHold:
    return StoredHold(
        **{
            "cluster_id": 0xABC,
            "lineage": 1,
            "hold": Hold(key, 10),
            "lease_id": HOLDER,
            "lock_name": name,
            "recipe": "mutex",
            "first_answered_at": NOON,
            "last_asked_at": NOON + 3 * HOUR,
            "held_first_answered_at": NOON + HOUR,
            "runs": 37,
            **fields,
        }
    )


def a_stored_lease(**fields: Any) -> StoredLease:
    return StoredLease(
        **{
            "cluster_id": 0xABC,
            "lineage": 1,
            "lease_id": HOLDER,
            "granted_ttl_s": 60,
            "raft_term": 2,
            "first_answered_at": NOON,
            "last_answered_at": NOON + 3 * HOUR,
            "last_remaining_ttl_s": 41,
            "readings": 37,
            **fields,
        }
    )


def a_stored_finding(**fields: Any) -> StoredFinding:
    return StoredFinding(
        **{
            "cluster_id": 0xABC,
            "lineage": 1,
            "verdict": "leaked-lock",
            "lock_name": NAME,
            "recipe": "mutex",
            "since_at": NOON + HOUR,
            "last_at": NOON + 3 * HOUR,
            "runs": 25,
            **fields,
        }
    )


def some_runs() -> tuple[StoredRun, ...]:
    """Two prefixes and two lineages, the last run first."""
    return (
        a_stored_run(3, severity=Severity.CRITICAL, findings=2, sessions=1050),
        a_stored_run(2, prefixes=(b"",), command="scan"),
        a_stored_run(1, lineage=2),
    )


def a_stored_lock() -> Stored:
    """A holder, a waiter that left, the leases of both, and a finding."""
    waiter = a_stored_hold(
        key=b"/my-lock/orders/other",
        lease_id=LeaseId(0x77),
        last_asked_at=NOON + HOUR,
        held_first_answered_at=None,
    )
    gone = a_stored_lease(
        lease_id=LeaseId(0x77),
        granted_ttl_s=None,
        last_remaining_ttl_s=None,
        first_answered_at=NOON + 2 * HOUR,
        last_answered_at=NOON + 2 * HOUR,
        readings=1,
    )
    return Stored(
        holds=(waiter, a_stored_hold()),
        leases=(gone, a_stored_lease()),
        findings=(a_stored_finding(),),
    )
