"""Runs for the tests of the history: say what matters, the rest is filled in sanely."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lockdoctor.domain.evidence.verdicts import Severity
from lockdoctor.domain.model.leases import LeadershipProbe, LeaseId, Reading
from lockdoctor.domain.model.locks import Hold, LockId, Recipe
from lockdoctor.domain.past.past import ClockMark, Past, RevisionMark
from lockdoctor.domain.past.run_record import HoldSeen, RunRecord
from lockdoctor.history.store import SqliteHistory, open_history
from tests.factories.reports import HOLDER, NOON

CLUSTER = 0xCDF818194E3A8C32
PREFIX = b"/my-lock/"
ORDERS = LockId(b"/my-lock/orders", Recipe.GO_MUTEX)
HOLD = Hold(b"/my-lock/orders/32698f1c0a1b2c3d", 10)
BOOT = "46e32284-aea7-4160-a82f-e91ce855ded5"
SINCE_BOOT_S = 5000.0
"""What the steady clock showed at noon."""


def a_clock(at: float = NOON, *, boot_id: str | None = BOOT, stepped_s: float = 0.0) -> ClockMark:
    """The moment `at` of a wall clock that was set forward by so much since the boot."""
    return ClockMark(wall_at=at, boot_id=boot_id, steady_at=at - NOON + SINCE_BOOT_S - stepped_s)


def a_mark(at: float = NOON, revision: int = 100) -> RevisionMark:
    return RevisionMark(asked_at=at, answered_at=at + 0.01, revision=revision)


def a_sight(
    at: float = NOON,
    hold: Hold = HOLD,
    *,
    lock: LockId = ORDERS,
    lease_id: int = HOLDER,
    is_holder: bool = True,
) -> HoldSeen:
    return HoldSeen(
        hold=hold,
        lease_id=LeaseId(lease_id),
        lock=lock,
        first_answered_at=at + 0.01,
        last_asked_at=at,
        held_first_answered_at=at + 0.01 if is_holder else None,
    )


def a_run(at: float = NOON, **fields: Any) -> RunRecord:
    """A check that began at a moment, took a second, and saw the one hold and what is said."""
    return RunRecord(
        **{
            "command": "check",
            "judged_by": "check",
            "started_at": at,
            "ended_at": at + 1.0,
            "cluster_id": CLUSTER,
            "prefixes": (PREFIX,),
            "raft_term": 2,
            "marks": (a_mark(at),),
            "severity": Severity.OK,
            "probes": (LeadershipProbe(at + 0.9, 2, 7),),
            "holds": (a_sight(at),),
            **fields,
        }
    )


def by_lease(*readings: Reading) -> dict[LeaseId, list[Reading]]:
    leases: dict[LeaseId, list[Reading]] = {}
    for reading in readings:
        leases.setdefault(reading.lease_id, []).append(reading)
    return leases


def stored(path: Path, run: RunRecord, clock: ClockMark | None = None) -> None:
    """Store a run as its own process would."""
    with open_history(path, clock or a_clock(run.started_at)) as history:
        history.record(run)


def recalled(path: Path, clock: ClockMark | float, **asked: Any) -> Past:
    """What a run that begins at a moment is told."""
    mark = clock if isinstance(clock, ClockMark) else a_clock(clock)
    with open_history(path, mark) as history:
        return ask(history, **asked)


def ask(history: SqliteHistory, **asked: Any) -> Past:
    return history.recall(
        **{
            "cluster_id": CLUSTER,
            "revision": 100,
            "raft_term": 2,
            "prefixes": (PREFIX,),
            "holds": (HOLD,),
            "lease_ids": (HOLDER,),
            "judged_by": "check",
            **asked,
        }
    )
