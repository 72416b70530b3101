"""What one run leaves for the next: holds, readings, marks, findings, counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockdoctor.domain.evidence.verdicts import VerdictKind
from lockdoctor.domain.model.leases import (
    FOREVER_S,
    LeadershipProbe,
    LeaseId,
    LeaseNotFound,
    Reading,
)
from lockdoctor.domain.model.locks import Hold, LockId, Recipe
from lockdoctor.domain.past.past import NO_PAST, PastFinding, PastHold, RevisionMark
from lockdoctor.domain.past.run_record import FindingSeen
from lockdoctor.history.store import open_history
from lockdoctor.history.write_readings import MAX_SPANS
from lockdoctor.history.write_run import SWEEP_RUNS
from tests.factories.history import (
    HOLD,
    ORDERS,
    PREFIX,
    a_clock,
    a_mark,
    a_run,
    a_sight,
    ask,
    by_lease,
    recalled,
    stored,
)
from tests.factories.reports import HOLDER, NOON, an_observation

LEAK = FindingSeen(VerdictKind.LEAKED_LOCK, ORDERS)
PILE = FindingSeen(VerdictKind.LEAKED_SESSION, None, leases=(LeaseId(0x51),))
MINUTES = 60.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite3"


def gone(at: float, lease_id: int = HOLDER) -> LeaseNotFound:
    return LeaseNotFound(lease_id=LeaseId(lease_id), asked_at=at, answered_at=at, raft_term=2)


def test_the_first_run_has_no_past(path: Path) -> None:
    """A fresh history tells nothing."""
    assert recalled(path, NOON) == NO_PAST


def test_another_cluster_has_another_past(path: Path) -> None:
    """What was seen of one cluster is never told of another."""
    stored(path, a_run(holds=[a_sight()], readings=by_lease(an_observation())))

    assert recalled(path, NOON + 300, cluster_id=1) == NO_PAST


def test_a_hold_is_told_with_its_first_and_last_sight(path: Path) -> None:
    """First seen when the first reading was answered, last when the last one was asked."""
    for at in (NOON, NOON + 300, NOON + 600):
        stored(path, a_run(at, holds=[a_sight(at)]))

    past = recalled(path, NOON + 900)

    assert past.holds == {
        HOLD: PastHold(
            first_answered_at=NOON + 0.01,
            last_asked_at=NOON + 600,
            held_first_answered_at=NOON + 0.01,
        )
    }


def test_a_waiter_that_came_to_hold_is_told_apart(path: Path) -> None:
    """Its wait does not count as holding."""
    stored(path, a_run(holds=[a_sight(is_holder=False)]))
    assert recalled(path, NOON + 100).holds[HOLD].held_first_answered_at is None

    stored(path, a_run(NOON + 300, holds=[a_sight(NOON + 300)]))

    seen = recalled(path, NOON + 600).holds[HOLD]
    assert (seen.first_answered_at, seen.held_first_answered_at) == (NOON + 0.01, NOON + 300.01)


def test_a_key_written_anew_is_another_hold(path: Path) -> None:
    """A session that unlocks and locks again has not held all the time."""
    stored(path, a_run(holds=[a_sight()]))

    assert recalled(path, NOON + 300, holds=[Hold(HOLD.key, 90)]).holds == {}


def test_keys_are_raw_bytes(path: Path) -> None:
    """A key of any bytes is stored and found again, and so is a lock's name."""
    key = bytes(range(256))
    lock = LockId(b"\xff\x00'; DROP TABLE run; --", Recipe.GO_MUTEX)
    hold = Hold(key, 10)
    run = a_run(
        holds=[a_sight(hold=hold, lock=lock)],
        findings=[FindingSeen(VerdictKind.LEAKED_LOCK, lock)],
        prefixes=(b"\xff", b""),
    )
    stored(path, run)

    past = recalled(path, NOON + 300, holds=[hold], prefixes=(b"", b"\xff"))

    assert list(past.holds) == [hold]
    assert [finding.lock for finding in past.findings] == [lock]


def test_ids_of_64_bits_are_kept(path: Path) -> None:
    """Cluster and member IDs have no sign; lease IDs have one."""
    top = 2**64 - 1
    run = a_run(
        cluster_id=top,
        probes=(LeadershipProbe(NOON, 2, top),),
        readings=by_lease(an_observation(lease_id=-(2**63)), an_observation(lease_id=2**63 - 1)),
    )
    stored(path, run)

    past = recalled(path, NOON + 300, cluster_id=top, lease_ids=(-(2**63), 2**63 - 1))

    assert past.probes == (LeadershipProbe(NOON, 2, top),)
    assert set(past.readings) == {-(2**63), 2**63 - 1}


def test_only_what_is_asked_for_is_told(path: Path) -> None:
    """Other holds and leases stay in the file."""
    other = Hold(b"/my-lock/other/1", 50)
    run = a_run(
        holds=[a_sight(), a_sight(hold=other)],
        readings=by_lease(an_observation(), an_observation(lease_id=1)),
    )
    stored(path, run)

    past = recalled(path, NOON + 300)

    assert (list(past.holds), list(past.readings)) == ([HOLD], [HOLDER])


def test_readings_between_the_first_and_the_last_are_folded(path: Path) -> None:
    """Fifty checks leave two readings of a lease that goes on as it is."""
    moments = [NOON + 300 * number for number in range(50)]
    for at in moments:
        stored(path, a_run(at, readings=by_lease(an_observation(at=at, remaining_ttl_s=45))))

    readings = recalled(path, moments[-1] + 300).readings[HOLDER]

    assert readings == (
        an_observation(at=moments[0], remaining_ttl_s=45),
        an_observation(at=moments[-1], remaining_ttl_s=45),
    )


def test_a_new_raft_term_keeps_both_sides_of_the_change(path: Path) -> None:
    """The last reading under the old leader and the first under the new one stay."""
    readings = [
        an_observation(at=NOON + 20 * number, raft_term=2 if number < 3 else 3)
        for number in range(6)
    ]
    stored(path, a_run(ended_at=NOON + 101, readings=by_lease(*readings), raft_term=3))

    found = recalled(path, NOON + 300, raft_term=3).readings[HOLDER]

    assert found == (readings[0], readings[2], readings[3], readings[5])


def test_a_reading_that_shows_a_new_leader_is_kept(path: Path) -> None:
    """The mark of a promotion is not folded away with the readings around it."""
    marked = an_observation(at=NOON + 300, remaining_ttl_s=60)
    around = [an_observation(at=NOON + at, remaining_ttl_s=45) for at in (0, 600)]
    for reading in (around[0], marked, around[1]):
        stored(path, a_run(reading.asked_at, readings=by_lease(reading)))

    assert recalled(path, NOON + 900).readings[HOLDER] == (around[0], marked, around[1])


def test_an_answer_of_a_member_without_the_lead_is_not_stored(path: Path) -> None:
    """A remaining TTL of "for ever" says nothing."""
    forever = an_observation(at=NOON, remaining_ttl_s=FOREVER_S)
    stored(path, a_run(readings=by_lease(forever)))

    assert recalled(path, NOON + 300).readings == {}


@pytest.mark.parametrize("ending", [gone(NOON + 10), an_observation(at=NOON, granted_ttl_s=30)])
def test_an_earlier_lease_of_the_same_id_proves_nothing(path: Path, ending: Reading) -> None:
    """What ended, or had another TTL, is not this lease."""
    stored(path, a_run(ended_at=NOON + 11, readings=by_lease(an_observation(), ending)))
    later = an_observation(at=NOON + 300)
    stored(path, a_run(NOON + 300, readings=by_lease(later)))

    assert recalled(path, NOON + 600).readings == {HOLDER: (later,)}


def test_a_lease_that_ended_is_not_told(path: Path) -> None:
    """Nothing is left to prove of it."""
    stored(path, a_run(ended_at=NOON + 11, readings=by_lease(an_observation(), gone(NOON + 10))))

    assert recalled(path, NOON + 300).readings == {}


def test_leases_without_keys_are_told_since_when(path: Path) -> None:
    """It counts from the first look of an unbroken row of looks that found no keys."""
    looks: list[tuple[float, tuple[bytes, ...] | None]] = [
        (NOON, ()),
        (NOON + 300, (b"/my-lock/a",)),
        (NOON + 600, ()),
        (NOON + 900, None),
        (NOON + 1200, ()),
    ]
    for at, keys in looks:
        reading = an_observation(at=at, attached_keys=keys)
        stored(path, a_run(at, readings=by_lease(reading)))

    assert recalled(path, NOON + 1500).keyless_since == {HOLDER: NOON + 600}


@pytest.mark.parametrize("end", [gone(NOON + 300), an_observation(at=NOON, attached_keys=(b"k",))])
def test_a_lease_in_use_or_gone_is_not_without_keys(path: Path, end: Reading) -> None:
    """A session that takes a lock, or ends, has not been idle all the time."""
    stored(path, a_run(readings=by_lease(an_observation(attached_keys=()), end)))

    assert recalled(path, NOON + 600).keyless_since == {}


def test_the_marks_around_the_creation_of_a_hold_are_told(path: Path) -> None:
    """Of the revision clock, the last tick before and the first one at or after the creation."""
    for number, revision in enumerate((100, 200, 300, 400)):
        at = NOON + 300 * number
        stored(path, a_run(at, marks=(a_mark(at, revision),)))

    def marks(*create_revisions: int) -> list[int]:
        holds = [Hold(b"k", revision) for revision in create_revisions]
        past = recalled(path, NOON + 1200, revision=400, holds=holds, prefixes=(b"/other/",))
        return [mark.revision for mark in past.marks]

    assert marks(250) == [200, 300]
    assert marks(300) == [200, 300]
    assert marks(301, 50) == [100, 300, 400]
    assert marks(401) == [400]
    assert marks() == []


def test_of_an_idle_cluster_the_first_and_the_last_mark_are_told(path: Path) -> None:
    """A revision that stands for long dates what came before it and what comes after it."""
    for at in (NOON, NOON + 300, NOON + 600):
        stored(path, a_run(at, marks=(a_mark(at, 100),)))

    marks = recalled(path, NOON + 900, holds=[Hold(b"k", 101)]).marks

    assert marks == (
        RevisionMark(asked_at=NOON, answered_at=NOON + 0.01, revision=100),
        RevisionMark(asked_at=NOON + 600, answered_at=NOON + 600.01, revision=100),
    )


def test_runs_are_counted_by_their_prefixes(path: Path) -> None:
    """A run over other prefixes is no baseline for this one, in whatever order they are given."""
    for at in (NOON, NOON + 300):
        stored(path, a_run(at, prefixes=(b"/b/", b"/a/")))
    stored(path, a_run(NOON + 600))

    past = recalled(path, NOON + 900, prefixes=(b"/a/", b"/b/", b"/a/"))

    assert past.runs == 2


def test_a_finding_is_counted_while_it_stands(path: Path) -> None:
    """In so many runs in a row, since the first of them; once it was gone, it begins anew."""
    for number, findings in enumerate([[LEAK], [LEAK, PILE, LEAK], [PILE], [LEAK, PILE]]):
        at = NOON + 300 * number
        stored(path, a_run(at, findings=findings))

    found = recalled(path, NOON + 1200).findings

    assert set(found) == {
        PastFinding(kind=LEAK.kind, lock=ORDERS, since_at=NOON + 900, runs=1),
        PastFinding(kind=PILE.kind, lock=None, leases=PILE.leases, since_at=NOON + 300, runs=3),
    }


def test_findings_are_compared_over_the_same_prefixes(path: Path) -> None:
    """A run over other prefixes in between does not break the row."""
    stored(path, a_run(findings=[LEAK]))
    stored(path, a_run(NOON + 60, prefixes=(b"/other/",)))
    stored(path, a_run(NOON + 300, findings=[LEAK]))

    assert [finding.runs for finding in recalled(path, NOON + 600).findings] == [2]
    assert recalled(path, NOON + 600, prefixes=(b"/other/",)).findings == ()


def test_a_finding_of_an_unknown_kind_is_left_out(path: Path) -> None:
    """Another version of lockdoctor may have written it."""
    stored(path, a_run(findings=[LEAK, PILE]))
    with open_history(path, a_clock()) as history:
        history._connection.execute("UPDATE finding SET kind = 'haunted' WHERE recipe IS NULL")

    assert [finding.kind for finding in recalled(path, NOON + 300).findings] == [LEAK.kind]


def test_a_run_with_other_limits_breaks_no_row(path: Path) -> None:
    """It neither counts another's findings once more, nor ends them; nor is it told of them."""
    stored(path, a_run(findings=[LEAK]))
    stored(path, a_run(NOON + 60, judged_by="scan", findings=[]))
    stored(path, a_run(NOON + 120, judged_by="patient", findings=[LEAK]))
    stored(path, a_run(NOON + 300, findings=[LEAK]))

    assert [finding.runs for finding in recalled(path, NOON + 600).findings] == [2]
    assert recalled(path, NOON + 600, judged_by="scan").findings == ()
    assert [f.runs for f in recalled(path, NOON + 600, judged_by="patient").findings] == [1]
    assert recalled(path, NOON + 600, judged_by="never").findings == ()


def test_findings_are_told_with_what_they_are_about(path: Path) -> None:
    """Another hold of the lock, or other leases, are another finding."""
    again = Hold(HOLD.key, HOLD.create_revision + 1)
    for number, (hold, leases) in enumerate([(HOLD, (1, 2)), (HOLD, (2, 3)), (again, (4,))]):
        found = [LEAK._replace(hold=hold), PILE._replace(leases=tuple(map(LeaseId, leases)))]
        stored(path, a_run(NOON + 300 * number, findings=found))
        past = recalled(path, NOON + 300 * number + 60).findings

        runs = 2 if number == 1 else 1
        assert [(each.hold, each.leases, each.runs) for each in past] == [
            (hold, (), runs),
            (None, leases, runs),
        ]


def test_the_same_sessions_in_two_findings_are_counted_once_each(path: Path) -> None:
    """What grows and what is idle for too long may both be leaked sessions."""
    for number in range(2):
        found = [PILE._replace(leases=(LeaseId(1),)), PILE._replace(leases=(LeaseId(2),))]
        stored(path, a_run(NOON + 300 * number, findings=found))

    past = recalled(path, NOON + 600).findings

    assert [(each.leases, each.runs) for each in past] == [((1,), 2), ((2,), 2)]


def test_the_last_answer_under_each_term_is_told(path: Path) -> None:
    """It confirms the readings under a term that has ended since."""
    probes = [(NOON, 2, 7), (NOON + 1, 2, None), (NOON + 5, 2, 7), (NOON + 9, 3, 8)]
    run = a_run(raft_term=3, probes=tuple(LeadershipProbe(*probe) for probe in probes))
    stored(path, run)

    assert set(recalled(path, NOON + 300, raft_term=3).probes) == {
        LeadershipProbe(NOON + 1, 2),
        LeadershipProbe(NOON + 5, 2, 7),
        LeadershipProbe(NOON + 9, 3, 8),
    }


def test_runs_that_overlap_do_not_mix_up_the_order(path: Path) -> None:
    """A scan that ends after a check began and ended within it adds what is later, only."""
    with open_history(path, a_clock(NOON)) as scan:
        stored(path, a_run(NOON + 30, readings=by_lease(an_observation(at=NOON + 30))))
        looks = [an_observation(at=NOON + at, raft_term=3) for at in (0, 20, 40, 60)]
        scan.record(a_run(ended_at=NOON + 61, raft_term=3, readings=by_lease(*looks)))

    moments = [r.asked_at for r in recalled(path, NOON + 300, raft_term=3).readings[HOLDER]]

    assert moments == [NOON + 30, NOON + 40, NOON + 60]


def test_one_history_is_asked_again_and_again(path: Path) -> None:
    """What was asked before does not show in a later answer."""
    stored(path, a_run(holds=[a_sight()], readings=by_lease(an_observation())))

    with open_history(path, a_clock(NOON + 300)) as history:
        assert list(ask(history).holds) == [HOLD]
        past = ask(history, holds=(), lease_ids=())

    assert (past.runs, past.holds, past.readings, past.marks) == (1, {}, {}, ())


def test_what_came_and_went_is_swept_out(path: Path) -> None:
    """A hold and a lease that one run saw, and the fifty after it did not, are forgotten."""
    passing = an_observation(lease_id=0x51)
    first = a_run(holds=[a_sight()], readings=by_lease(passing))
    stored(path, first)
    with open_history(path, a_clock()) as history:
        for number in range(1, SWEEP_RUNS):
            history.record(a_run(NOON + number))
        assert ask(history, lease_ids=(0x51,)).readings == {0x51: (passing,)}
        history.record(a_run(NOON + SWEEP_RUNS))
        past = ask(history, lease_ids=(0x51,))

    assert (past.holds, past.readings) == ({}, {})


def test_many_leaders_leave_few_readings(path: Path) -> None:
    """A cluster that changes its leader with every run does not fill the history."""
    with open_history(path, a_clock(NOON + 9600)) as history:
        for term in range(2, 32):
            reading = an_observation(at=NOON + 300 * term, raft_term=term)
            run = a_run(NOON + 300 * term, raft_term=term, readings=by_lease(reading))
            history.record(run)
        readings = ask(history, raft_term=31).readings[HOLDER]

    assert [reading.raft_term for reading in readings] == list(range(32 - MAX_SPANS, 32))


def test_prefixes_are_read_as_they_were_written(path: Path) -> None:
    """A comma or a quote in a prefix makes no two of it."""
    stored(path, a_run(prefixes=(b'/a,"/', PREFIX)))

    assert recalled(path, NOON + 300, prefixes=(PREFIX, b'/a,"/')).runs == 1
    assert recalled(path, NOON + 300, prefixes=(PREFIX,)).runs == 0


def test_half_a_run_is_never_stored(path: Path) -> None:
    """A run that cannot be stored as a whole leaves the history as it was."""
    stored(path, a_run())
    bad = [FindingSeen(VerdictKind.LEAKED_LOCK, LockId("no bytes", None))]  # type: ignore[arg-type]

    with open_history(path, a_clock(NOON + 300)) as history:
        with pytest.raises(AttributeError):
            history.record(a_run(NOON + 300, holds=[a_sight(NOON + 300)], findings=bad))
        past = ask(history)

    assert (past.runs, past.holds[HOLD].last_asked_at) == (1, NOON)
