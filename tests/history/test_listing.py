"""What the history lists for people and for other programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockdoctor.domain.leases import LeaseGone, LeaseId
from lockdoctor.domain.locks import LockId, Recipe
from lockdoctor.domain.past import (
    FindingSeen,
    StoredFinding,
    StoredHold,
    StoredLease,
    StoredRun,
)
from lockdoctor.domain.verdicts import Severity, VerdictKind
from lockdoctor.history.store import open_history
from tests.builders import HOLDER, NOON, an_observation
from tests.history.runs import (
    CLUSTER,
    HOLD,
    ORDERS,
    PREFIX,
    a_clock,
    a_run,
    a_sight,
    by_lease,
    stored,
)

OTHER = LockId(b"/my-lock/\xff", Recipe.SINGLE_KEY)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Two checks that found the same leak; the second one found the lease gone at last."""
    path = tmp_path / "history.sqlite3"
    leak = FindingSeen(VerdictKind.LEAKED_LOCK, ORDERS)
    seen = [a_sight(), a_sight(hold=HOLD._replace(key=b"\xff"), lock=OTHER, is_holder=False)]
    first = a_run(
        holds=seen,
        readings=by_lease(an_observation()),
        findings=[leak, FindingSeen(VerdictKind.LEAKED_SESSION, None)],
        severity=Severity.CRITICAL,
        sessions=4,
    )
    gone = LeaseGone(lease_id=HOLDER, asked_at=NOON + 301, answered_at=NOON + 301.5, raft_term=2)
    readings = by_lease(an_observation(at=NOON + 300, remaining_ttl_s=42), gone)
    stored(path, first)
    stored(path, a_run(NOON + 300, holds=[a_sight(NOON + 300)], readings=readings, findings=[leak]))
    return path


def test_runs_are_listed_the_last_one_first(path: Path) -> None:
    """With what they saw and how bad it was."""
    with open_history(path, a_clock(NOON + 600)) as history:
        second, first = history.runs()

    assert first == StoredRun(
        number=1,
        cluster_id=CLUSTER,
        lineage=1,
        command="check",
        prefixes=(PREFIX,),
        started_at=NOON,
        ended_at=NOON + 1,
        revision=100,
        raft_term=2,
        severity=Severity.CRITICAL,
        holds=2,
        findings=2,
        sessions=4,
    )
    assert (second.number, second.started_at, second.sessions) == (2, NOON + 300, None)


def test_a_lock_is_listed_with_its_holds_and_findings(path: Path) -> None:
    """Who contended for it, and since when until when it was found leaked."""
    with open_history(path, a_clock(NOON + 600)) as history:
        holds, findings = history.of_lock(ORDERS.name)

    assert holds == (
        StoredHold(
            cluster_id=CLUSTER,
            lineage=1,
            hold=HOLD,
            lease_id=HOLDER,
            lock_name=ORDERS.name,
            recipe="mutex",
            first_answered_at=NOON + 0.01,
            last_asked_at=NOON + 300,
            held_first_answered_at=NOON + 0.01,
            runs=2,
        ),
    )
    assert findings == (
        StoredFinding(
            cluster_id=CLUSTER,
            lineage=1,
            verdict="leaked-lock",
            lock_name=ORDERS.name,
            recipe="mutex",
            since_at=NOON,
            last_at=NOON + 301,
            runs=2,
        ),
    )


def test_a_lease_is_listed_until_its_end(path: Path) -> None:
    """What was read of it, folded, and when it was gone."""
    with open_history(path, a_clock(NOON + 600)) as history:
        holds, readings = history.of_lease(HOLDER)

    assert {each.lock_name for each in holds} == {ORDERS.name, OTHER.name}
    assert readings == (
        StoredLease(
            cluster_id=CLUSTER,
            lineage=1,
            lease_id=HOLDER,
            granted_ttl_s=60,
            raft_term=2,
            first_answered_at=NOON,
            last_answered_at=NOON + 300,
            last_remaining_ttl_s=42,
            readings=2,
        ),
        StoredLease(
            cluster_id=CLUSTER,
            lineage=1,
            lease_id=HOLDER,
            granted_ttl_s=None,
            raft_term=2,
            first_answered_at=NOON + 301.5,
            last_answered_at=NOON + 301.5,
            last_remaining_ttl_s=None,
            readings=1,
        ),
    )


def test_what_is_not_stored_is_not_listed(path: Path) -> None:
    """An unknown lock or lease gives nothing, and no error."""
    with open_history(path, a_clock()) as history:
        assert history.of_lock(b"/nobody") == ((), ())
        assert history.of_lease(LeaseId(1)) == ((), ())


def test_everything_is_exported_as_plain_values(path: Path) -> None:
    """Each record says what it is; bytes stay bytes, and enums are words."""
    with open_history(path, a_clock(NOON + 600)) as history:
        records = list(history.export())

    kinds = [record["record"] for record in records]
    plain = (str, bytes, int, float, tuple, type(None))
    assert kinds == ["run"] * 2 + ["hold"] * 2 + ["lease"] * 2 + ["finding"] * 2
    assert all(type(value) in plain for record in records for value in record.values())
    assert records[1]["severity"] == "critical"
    assert (records[2]["key"], records[2]["create_revision"]) == HOLD
    assert records[-1]["lock_name"] is None


def test_moments_are_listed_in_this_runs_time(path: Path) -> None:
    """A wall clock that was set since the runs shifts them all."""
    with open_history(path, a_clock(NOON + 3600, stepped_s=3000)) as history:
        assert [run.started_at for run in history.runs()] == [NOON + 3300, NOON + 3000]
