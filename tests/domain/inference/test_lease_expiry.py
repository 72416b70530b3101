"""Leases that etcd fails to end, loses, or lists in vain: told only when seen twice."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockdoctor.domain.evidence.renewals import Expired, ListedNotFound
from lockdoctor.domain.evidence.verdicts import Confidence, Severity, VerdictKind
from lockdoctor.domain.inference.lease_expiry import CONFIRM_AFTER_S, expired_for_s, gone_since
from lockdoctor.domain.inference.lookup_schedule import next_look
from lockdoctor.domain.inference.renewals import RenewalTrace
from lockdoctor.domain.model.leases import LeaseId, LeaseNotFound, Reading
from lockdoctor.domain.rules.lease_rules import judge_expiry
from tests.factories.reports import NOON, a_trace, an_observation

LEASE = LeaseId(7)


def late(at: float, remaining: int, lease: int = LEASE) -> Reading:
    """A look at a lease of 8 s, so many seconds after noon."""
    return an_observation(
        at=NOON + at, remaining_ttl_s=remaining, granted_ttl_s=8, lease_id=lease, took_s=0.5
    )


def gone(at: float, lease: int = LEASE) -> Reading:
    """A look that found no such lease."""
    return LeaseNotFound(
        lease_id=LeaseId(lease), asked_at=NOON + at, answered_at=NOON + at + 0.5, raft_term=2
    )


@pytest.mark.parametrize(
    ("readings", "for_s"),
    [
        ([late(0.0, -1), late(5.4, -7)], None),
        ([late(0.0, -1), late(5.5, -7)], 7.0),
        ([late(0.0, -1), late(5.6, -7)], 7.0),
        ([late(0.0, 0), late(5.6, -6)], None),
        ([late(0.0, -300)], None),
        ([late(0.0, -1), late(5.6, -7), gone(7.0)], None),
        ([late(0.0, -1), late(3.0, 7), late(14.0, -3)], None),
        ([], None),
    ],
)
def test_an_end_is_overdue_when_seen_twice(readings: list[Reading], for_s: float | None) -> None:
    """Two negative readings at least five seconds apart with nothing else in between."""
    assert expired_for_s(readings) == for_s


@given(
    moments=st.lists(st.floats(-8.0, 20.0), min_size=1, max_size=8).map(sorted),
    late_by_s=st.floats(0.0, 4.9),
)
def test_a_crowd_that_ends_late_is_never_overdue(moments: list[float], late_by_s: float) -> None:
    """However one looks: what etcd ends within five seconds of its time is not told."""
    readings: list[Reading] = [
        late(at, math.trunc(-at - 0.5)) if at + 0.5 < late_by_s else gone(at) for at in moments
    ]

    for end in range(len(readings) + 1):
        assert expired_for_s(readings[:end]) is None


def test_a_late_end_is_looked_at_again_until_it_is_proven() -> None:
    """Soon at first, for most late ends come in a moment; then once more, then never again."""
    first, second = late(0.0, -1), late(1.5, -2)
    proof = late(7.25, -8)

    assert next_look([first], 0) == NOON + 1.5
    assert next_look([first, second], 0) == pytest.approx(NOON + 2.0 + CONFIRM_AFTER_S, abs=0.3)
    assert next_look([first, second, proof], 2) is None


@pytest.mark.parametrize(
    ("readings", "since"),
    [
        ([gone(0.0), gone(5.4)], None),
        ([gone(0.0), gone(5.5)], NOON + 0.5),
        ([gone(0.0), gone(5.6)], NOON + 0.5),
        ([gone(0.0)], None),
        ([gone(0.0), late(2.0, 6), gone(8.0)], None),
        ([gone(0.0), gone(8.0), late(9.0, 6)], None),
        ([], None),
    ],
)
def test_a_lease_is_lost_when_it_was_missed_twice(
    readings: list[Reading], since: float | None
) -> None:
    """Two look-ups at least five seconds apart that found none, with nothing else in between."""
    assert gone_since(readings) == since


def traces(*found: list[Reading]) -> dict[LeaseId, RenewalTrace]:
    return {
        readings[0].lease_id: a_trace(readings=readings, lease_id=readings[0].lease_id)
        for readings in found
    }


@pytest.mark.parametrize(("listed_at", "is_ghost"), [(5.4, False), (5.5, True), (5.6, True)])
def test_a_lease_that_only_the_list_has_is_a_ghost(
    listed_at: float,
    is_ghost: bool,  # noqa: FBT001
) -> None:
    """The list must have it long after a look-up found none, and a look-up must find none again."""
    found = judge_expiry(traces([gone(0.0), gone(9.0)]), (), {LEASE: NOON + listed_at})

    assert [verdict.kind for verdict in found] == [VerdictKind.GHOST_LEASE] * is_ghost


def test_a_list_that_lags_makes_no_ghosts() -> None:
    """A lease that only one look-up found gone may be gone since a moment: nothing is said."""
    assert list(judge_expiry(traces([gone(0.0)]), (), {LEASE: NOON + 60.0})) == []
    assert list(judge_expiry(traces([gone(0.0), gone(9.0)]), (), {})) == []


def test_all_ghosts_and_all_late_ends_are_told_together() -> None:
    """One finding for each kind, whatever the number of leases."""
    found = judge_expiry(
        traces(
            [gone(0.0, 1), gone(9.0, 1)],
            [gone(0.0, 2), gone(9.0, 2)],
            [late(0.0, -1, 3), late(9.0, -10, 3)],
            [late(0.0, 7, 4), late(9.0, 7, 4)],
        ),
        [LeaseId(3), LeaseId(4), LeaseId(5)],
        {LeaseId(1): NOON + 8.0, LeaseId(2): NOON + 7.0},
    )

    overdue, ghosts = found
    assert (overdue.kind, overdue.leases) == (VerdictKind.OVERDUE, (3,))
    assert overdue.evidence == (Expired(leases=1, for_s=10.0),)
    assert ghosts.leases == (1, 2)
    assert ghosts.evidence == (ListedNotFound(leases=2, for_s=7.5),)
    assert (ghosts.severity, ghosts.confidence) == (Severity.WARNING, Confidence.PROVEN)
