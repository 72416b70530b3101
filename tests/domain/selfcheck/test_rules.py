"""What a look at members and permissions comes to."""

from __future__ import annotations

from typing import Any

import pytest

from lockdoctor.domain.selfcheck.rules import (
    CERTIFICATE_SOON_S,
    CLOCKS_APART_S,
    CheckLevel,
    MemberFacts,
    Permission,
    SelfCheckFacts,
    judge,
)
from lockdoctor.outputs.text.selfcheck import fact_text
from tests.factories.reports import NOON

READ = Permission(what="read the keys", prefix=b"/my-lock/")


def a_member(**fields: Any) -> MemberFacts:
    """A leader without a bug."""
    return MemberFacts(
        **{
            "endpoint": "10.0.0.5:2379",
            "cluster_id": 1,
            "member_id": 7,
            "leader_id": 7,
            "raft_term": 2,
            "version": "3.6.16",
            "answered_in_s": 0.002,
            **fields,
        }
    )


def remarks(*members: MemberFacts, **fields: Any) -> list[tuple[CheckLevel, str]]:
    given = {"permissions": (READ,), **fields}
    found = judge(SelfCheckFacts(now=NOON, members=members, **given))
    return [(remark.mark, fact_text(remark.fact)) for remark in found.remarks]


def test_a_sound_cluster_is_fine() -> None:
    """Each line says so, and nothing is a problem."""
    assert remarks(a_member()) == [
        (CheckLevel.FINE, "etcd 3.6.16, leader, term 2, answered in 2 ms"),
        (CheckLevel.FINE, "works"),
    ]


def test_a_member_that_does_not_answer_is_a_problem() -> None:
    """In the words that tell why."""
    found = remarks(a_member(), a_member(refusal="connection refused, nothing listens there"))

    assert (CheckLevel.PROBLEM, "connection refused, nothing listens there") in found


def test_a_member_without_a_leader_is_a_problem() -> None:
    """It answers nothing that a scan asks."""
    found = remarks(a_member(leader_id=0))

    assert found[0][0] is CheckLevel.PROBLEM
    assert "without a leader" in found[0][1]


def test_a_learner_is_noted() -> None:
    """It serves no reads, which is as it should be."""
    found = remarks(a_member(), a_member(is_learner=True, member_id=9))

    assert found[1] == (
        CheckLevel.NOTE,
        "etcd 3.6.16, learner, which serves no reads, term 2, answered in 2 ms",
    )


def test_endpoints_without_the_leader_are_noted() -> None:
    """Followers answer half as fast; a scan works all the same."""
    found = remarks(a_member(member_id=9))

    assert any(
        "the leader is not among them" in text for mark, text in found if mark is CheckLevel.NOTE
    )


def test_endpoints_of_two_clusters_are_a_problem() -> None:
    """A scan would refuse them."""
    found = remarks(a_member(), a_member(cluster_id=2))

    assert (
        CheckLevel.PROBLEM,
        "they belong to different clusters: give the endpoints of one cluster",
    ) in found


def test_known_bugs_are_named_with_their_cure() -> None:
    """Which release mends them, or that none of the line does."""
    texts = [text for _, text in remarks(a_member(version="3.4.41"))]

    assert any("PR" not in text and "not fixed in 3.4" in text for text in texts)
    assert any("fixed in 3.5.13" in text for _, text in remarks(a_member(version="3.5.12")))


def test_a_release_that_is_too_old_or_unreadable_is_noted() -> None:
    """It may work, but nobody has tried."""
    assert any("tested with etcd 3.4" in text for _, text in remarks(a_member(version="3.3.10")))
    assert any("not of the form" in text for _, text in remarks(a_member(version="beta")))


@pytest.mark.parametrize(
    ("left_s", "mark"),
    [
        (CERTIFICATE_SOON_S + 1, CheckLevel.FINE),
        (CERTIFICATE_SOON_S, CheckLevel.NOTE),
        (1.0, CheckLevel.NOTE),
        (0.0, CheckLevel.PROBLEM),
        (-1.0, CheckLevel.PROBLEM),
    ],
)
def test_a_certificate_that_ends(left_s: float, mark: CheckLevel) -> None:
    """Two weeks before, it is noted; then it is a problem."""
    assert remarks(a_member(certificate_ends_at=NOON + left_s))[1][0] is mark


@pytest.mark.parametrize(
    ("ahead_s", "said"),
    [
        ((CLOCKS_APART_S, CLOCKS_APART_S + 1), "5 s ahead of"),
        ((-9.0, -8.0), "8 s behind"),
        ((CLOCKS_APART_S - 0.1, CLOCKS_APART_S + 1), None),
        ((-5.5, -4.5), None),
        ((-0.5, 0.6), None),
    ],
)
def test_clocks_that_are_apart(ahead_s: tuple[float, float], said: str | None) -> None:
    """Only what is proven: the nearer end of the bracket counts."""
    texts = " ".join(text for _, text in remarks(a_member(clock_ahead_s=ahead_s)))

    assert (said in texts) if said else ("clock" not in texts)


def test_what_a_scan_can_do_without_is_no_problem() -> None:
    """The list of leases is optional; the keys are not."""
    optional = Permission(what="list the leases", refusal="may not", is_optional=True)
    needed = Permission(what="read the keys", prefix=b"", refusal="may not")

    found = judge(SelfCheckFacts(now=NOON, members=(a_member(),), permissions=(optional,)))
    assert not found.has_problem
    found = judge(SelfCheckFacts(now=NOON, members=(a_member(),), permissions=(needed,)))
    assert found.has_problem


def test_without_any_permission_it_was_blind() -> None:
    """No member could be read from: that is another exit status than a problem."""
    found = judge(SelfCheckFacts(now=NOON, members=(a_member(refusal="gone"),)))

    assert found.is_blind
    assert found.has_problem
