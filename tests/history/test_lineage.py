"""Clusters that are set back: a restored snapshot never inherits the evidence of before."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockdoctor.domain.model.locks import Hold
from lockdoctor.domain.past.past import NO_PAST
from lockdoctor.history.reader import open_reader
from lockdoctor.history.store import open_history
from tests.factories.history import (
    HOLD,
    a_clock,
    a_mark,
    a_run,
    a_sight,
    by_lease,
    recalled,
    stored,
)
from tests.factories.reports import HOLDER, NOON, an_observation


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A history in which one run saw a hold and its lease, at revision 100 and term 5."""
    path = tmp_path / "history.sqlite3"
    readings = by_lease(an_observation(raft_term=5))
    stored(path, a_run(raft_term=5, holds=[a_sight()], readings=readings))
    return path


@pytest.mark.parametrize(("revision", "raft_term"), [(100, 5), (101, 5), (100, 6)])
def test_a_cluster_that_goes_on_keeps_its_past(path: Path, revision: int, raft_term: int) -> None:
    """An idle one, one that was written to, one with a new leader."""
    past = recalled(path, NOON + 300, revision=revision, raft_term=raft_term)

    assert (past.runs, list(past.holds)) == (1, [HOLD])


@pytest.mark.parametrize(("revision", "raft_term"), [(99, 5), (99, 6), (10**9, 2)])
def test_a_restored_cluster_has_no_past(path: Path, revision: int, raft_term: int) -> None:
    """Its revision is lower, or, if somebody raised that, its raft term is."""
    assert recalled(path, NOON + 300, revision=revision, raft_term=raft_term) == NO_PAST


def test_the_past_of_before_never_comes_back(path: Path) -> None:
    """Not even once the restored cluster has overtaken the revision of before."""
    stored(path, a_run(NOON + 300, marks=(a_mark(NOON + 300, 50),), holds=()))
    stored(path, a_run(NOON + 600, marks=(a_mark(NOON + 600, 200),), raft_term=9, holds=()))

    past = recalled(path, NOON + 900, revision=300, raft_term=9, holds=[Hold(b"k", 201)])

    assert (past.runs, past.readings) == (2, {})
    assert [mark.revision for mark in past.marks] == [200]


def test_a_cluster_may_be_restored_again_and_again(path: Path) -> None:
    """Each time its past begins anew."""
    for number, revision in enumerate((50, 40, 30), start=1):
        at = NOON + 300 * number
        stored(path, a_run(at, marks=(a_mark(at, revision),)))

    with open_reader(path, a_clock(NOON + 1200)) as history:
        lineages = [run.lineage for run in history.runs()]

    assert lineages == [4, 3, 2, 1]
    assert recalled(path, NOON + 1200, revision=30).runs == 1


def test_a_run_that_another_one_overtook_is_no_restore(path: Path) -> None:
    """A check that began and ended within a scan knows a later revision than the scan's first."""
    with open_history(path, a_clock(NOON + 10)) as scan:
        stored(path, a_run(NOON + 20, raft_term=6, marks=(a_mark(NOON + 20, 150),)))
        readings = by_lease(an_observation(at=NOON + 30, raft_term=5))
        scan.record(
            a_run(
                NOON + 10,
                ended_at=NOON + 31,
                raft_term=5,
                marks=(a_mark(NOON + 10, 120),),
                readings=readings,
            )
        )

    past = recalled(path, NOON + 300, revision=150, raft_term=6)

    assert past.runs == 3
    assert len(past.readings[HOLDER]) == 2


def test_a_run_of_another_machine_cannot_have_been_overtaken(path: Path) -> None:
    """Its clock does not prove that the two were on their way together: rather no past."""
    assert recalled(path, a_clock(NOON, boot_id="b"), revision=99, raft_term=5) == NO_PAST


def test_two_clusters_in_one_file_keep_apart(path: Path) -> None:
    """The lower revision of the one sets the other one back by nothing."""
    other = a_run(NOON + 60, cluster_id=1, marks=(a_mark(NOON + 60, 3),), holds=[a_sight()])
    stored(path, other)

    assert list(recalled(path, NOON + 300, raft_term=5).holds) == [HOLD]
    assert recalled(path, NOON + 300, cluster_id=1, revision=3).runs == 1


def test_a_cluster_set_up_anew_has_no_past(path: Path) -> None:
    """Under the same addresses it has the same ID; its keys tell that it is another one."""
    other = Hold(b"/my-lock/orders/1a2b3c", 12)

    past = recalled(path, NOON + 300, revision=150, raft_term=5, holds=[other])

    assert past == NO_PAST


def test_its_first_run_begins_a_past_of_its_own(path: Path) -> None:
    """What stands in it is dated by its own runs only."""
    other = Hold(b"/my-lock/orders/1a2b3c", 12)
    at = NOON + 300
    anew = a_run(at, raft_term=5, marks=(a_mark(at, 150),), holds=[a_sight(at, other)])
    stored(path, anew)

    past = recalled(path, NOON + 600, revision=160, raft_term=5, holds=[other])

    assert past.runs == 1
    assert past.holds[other].first_answered_at == at + 0.01
    assert [mark.answered_at for mark in past.marks] == [at + 0.01]


def test_a_key_that_is_younger_than_the_last_run_tells_nothing(path: Path) -> None:
    """All locks may have been released and taken again since."""
    younger = Hold(b"/my-lock/orders/1a2b3c", 101)

    assert recalled(path, NOON + 300, revision=150, raft_term=5, holds=[younger]).runs == 1


def test_one_key_that_is_known_suffices(path: Path) -> None:
    """A key that the last run left out for a reason of its own makes no new cluster."""
    unknown = Hold(b"/my-lock/left-out", 12)

    assert recalled(path, NOON + 300, raft_term=5, holds=[HOLD, unknown]).runs == 1


def test_keys_below_other_prefixes_tell_nothing(path: Path) -> None:
    """No run has looked there before; but the revision clock dates what stands there."""
    other = Hold(b"/other/1a2b3c", 12)

    past = recalled(path, NOON + 300, raft_term=5, holds=[other], prefixes=(b"/other/",))

    assert past.runs == 0
    assert [mark.revision for mark in past.marks] == [100]
