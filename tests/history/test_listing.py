"""What the history lists for people and for other programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockdoctor.domain.evidence.verdicts import Severity, VerdictKind
from lockdoctor.domain.model.leases import LeaseId, LeaseNotFound
from lockdoctor.domain.model.locks import Hold, LockId, Recipe
from lockdoctor.domain.past.run_record import FindingSeen
from lockdoctor.domain.past.stored import Stored, StoredFinding, StoredHold, StoredLease, StoredRun
from lockdoctor.history.reader import open_reader
from tests.factories.history import (
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
from tests.factories.reports import HOLDER, NOON, an_observation

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
    gone = LeaseNotFound(
        lease_id=HOLDER, asked_at=NOON + 301, answered_at=NOON + 301.5, raft_term=2
    )
    readings = by_lease(an_observation(at=NOON + 300, remaining_ttl_s=42), gone)
    stored(path, first)
    stored(path, a_run(NOON + 300, holds=[a_sight(NOON + 300)], readings=readings, findings=[leak]))
    return path


def test_runs_are_listed_the_last_one_first(path: Path) -> None:
    """With what they saw and how bad it was."""
    with open_reader(path, a_clock(NOON + 600)) as history:
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
    with open_reader(path, a_clock(NOON + 600)) as history:
        found = history.about(ORDERS.name)

    assert found.holds == (
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
    assert found.findings == (
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
    with open_reader(path, a_clock(NOON + 600)) as history:
        found = history.about(b"32698f1c0a1b2c3d", HOLDER)

    assert {each.lock_name for each in found.holds} == {ORDERS.name, OTHER.name}
    assert found.leases == (
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
    with open_reader(path, a_clock()) as history:
        assert history.about(b"/nobody") == Stored()
        assert history.about(b"1", LeaseId(1)) == Stored()


@pytest.mark.parametrize("name", [HOLD.key, b"32698f1c0a1b2c3d"])
def test_of_a_key_or_lease_the_findings_are_told_that_stood_with_it(
    path: Path, name: bytes
) -> None:
    """What was found of the lock before or after this hold is another one's story."""
    later = a_sight(NOON + 900, Hold(b"/my-lock/orders/7", 99), lease_id=7)
    leak = FindingSeen(VerdictKind.BLOCKED_QUEUE, ORDERS)
    stored(path, a_run(NOON + 900, holds=[later], findings=[leak]))

    with open_reader(path, a_clock(NOON + 1000)) as history:
        of_lock = history.about(ORDERS.name)
        of_lease = history.about(name, HOLDER)

    assert [each.verdict for each in of_lock.findings] == ["leaked-lock", "blocked-queue"]
    assert [each.verdict for each in of_lease.findings] == ["leaked-lock"]
    assert {each.lease_id for each in of_lease.leases} == {HOLDER}


def test_everything_is_exported_as_plain_values(path: Path) -> None:
    """Each record says what it is; bytes stay bytes, and enums are words."""
    with open_reader(path, a_clock(NOON + 600)) as history:
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
    with open_reader(path, a_clock(NOON + 3600, stepped_s=3000)) as history:
        assert [run.started_at for run in history.runs()] == [NOON + 3300, NOON + 3000]
