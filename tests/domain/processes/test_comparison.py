"""What processes and counters add to a report, and what they never claim."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockdoctor.domain.evidence import Evidence
from lockdoctor.domain.evidence.processes import (
    KeptAliveBy,
    ProcessSessions,
    ServerCounted,
    UnattributedSessions,
)
from lockdoctor.domain.evidence.verdicts import VerdictKind
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.processes.comparison import (
    ProcessData,
    ProcessSnapshot,
    add_process_evidence,
)
from lockdoctor.domain.report.processes import CountComparison, MemberCounters
from lockdoctor.domain.report.report import Report
from lockdoctor.domain.report.unseen import Part, ProcessPart, Unseen
from tests.factories.processes import goroutine_counts
from tests.factories.report_examples import a_healthy_lock, a_leak, leaked_sessions
from tests.factories.reports import HOLDER, a_report, a_session

NOBODY = ProcessData()
NO_WORDS: frozenset[LeaseId] = frozenset()


def process(
    sessions: int = 0, *, at: float | None = 55.0, name: str = "orders-7f", **fields: Any
) -> ProcessSnapshot:
    """A process with so many live sessions, none of which waits."""
    counts = {"sessions": sessions, "keepalives": sessions, "lock_waiters": 0, "words": NO_WORDS}
    shows_ids = bool(fields.get("words"))
    counts["named_keepalives"] = fields.get("keepalives", sessions) if shows_ids else 0
    return ProcessSnapshot(
        name=name, source=name, seen_at=at, counts=goroutine_counts(**{**counts, **fields})
    )


def leaking(renewed: int, undecided: int = 0, **fields: Any) -> Report:
    """A report with the finding that sessions leak, and so many leases without keys."""
    renewed_ones = [a_session(n) for n in range(1, renewed + 1)]
    young = [a_session(10_000 + n, VerdictKind.UNDETERMINED) for n in range(undecided)]
    return a_report(
        sessions=(*renewed_ones, *young), session_verdicts=(leaked_sessions(),), **fields
    )


def counters(read_at: float, **fields: Any) -> MemberCounters:
    """What a member that leads has counted."""
    return MemberCounters(
        **{
            "member": "a",
            "read_at": read_at,
            "started_at": 1.0,
            "is_leader": True,
            "granted": 100,
            "revoked": 40,
            "expired": 10,
            "renewed": 5_000,
            "leader_changes": 1,
            "keepalive_streams": 2,
            **fields,
        }
    )


def added(report: Report, kind: type[Evidence]) -> list[Any]:
    """Evidence of one kind on the finding that sessions leak."""
    (verdict,) = report.session_verdicts
    return [each for each in verdict.evidence if isinstance(each, kind)]


def agreement(sessions: int, renewed: int, undecided: int = 0, **fields: Any) -> CountComparison:
    """How a process's sessions compare."""
    heard = ProcessData(processes=(process(sessions, **fields),))
    (told,) = add_process_evidence(leaking(renewed, undecided), NOBODY, heard).processes
    assert told.agreement is not None
    return told.agreement


@pytest.mark.parametrize(
    ("sessions", "renewed", "undecided", "expected"),
    [
        (97, 100, 0, CountComparison.AS_MANY),
        (95, 100, 0, CountComparison.AS_MANY),
        (94, 100, 0, CountComparison.FEWER),
        (105, 100, 0, CountComparison.AS_MANY),
        (106, 100, 0, CountComparison.MORE),
        (126, 100, 21, CountComparison.AS_MANY),
        (127, 100, 21, CountComparison.MORE),
        (3, 0, 0, CountComparison.AS_MANY),
        (4, 0, 0, CountComparison.MORE),
        (1, 4, 0, CountComparison.AS_MANY),
        (0, 4, 0, CountComparison.FEWER),
    ],
)
def test_numbers_agree_within_five_per_cent_or_three(
    sessions: int, renewed: int, undecided: int, expected: CountComparison
) -> None:
    """Young leases, of which nothing is proven yet, may be the process's or not."""
    assert agreement(sessions, renewed, undecided) is expected


def test_sessions_that_wait_have_keys() -> None:
    """They are left out when a process is compared with leases without keys."""
    assert agreement(140, 100, lock_waiters=30, candidates=10) is CountComparison.AS_MANY


def test_a_leak_goes_on_between_the_last_list_and_the_look() -> None:
    """What a growing process has opened in two seconds is no disagreement."""
    before = ProcessData(processes=(process(100, at=10.0),))
    after = ProcessData(processes=(process(320, at=54.0),))
    (told,) = add_process_evidence(leaking(300), before, after).processes

    assert (told.sessions_before, told.watched_s) == (100, 44.0)
    assert told.agreement is CountComparison.AS_MANY


def test_the_process_that_leaks_by_ids() -> None:
    """IDs that are leases of etcd are counted exactly; pointers beside them are nobody's leases."""
    words = frozenset(map(LeaseId, [*range(1, 98), 0xC000123456, -7]))
    report = add_process_evidence(
        leaking(100), NOBODY, ProcessData(processes=(process(97, words=words),))
    )

    (found,) = added(report, ProcessSessions)
    assert (found.process, found.sessions, found.kept, found.keyless_leases) == (
        "orders-7f",
        97,
        97,
        100,
    )
    assert report.processes[0].keyless_kept == 97
    assert added(report, KeptAliveBy) == []


def test_the_process_that_holds_the_lock() -> None:
    """A finding on a lock names the process whose goroutines name its lease; health needs none."""
    holds = process(1, words=frozenset({HOLDER}))
    other = process(1, name="b", words=frozenset({LeaseId(5)}))
    report = add_process_evidence(
        a_report(a_leak(), a_healthy_lock(lease_id=5)),
        NOBODY,
        ProcessData(processes=(holds, other)),
    )

    leak, healthy = report.locks
    assert leak.verdict.evidence[-1] == KeptAliveBy(process="orders-7f", kept=1, of=1, saved=False)
    assert not any(isinstance(each, KeptAliveBy) for each in healthy.verdict.evidence)
    assert [each.locks_held for each in report.processes] == [1, 1]


def test_profiles_that_show_no_ids_claim_none() -> None:
    """Without arguments, or cut off, a profile proves nothing by IDs; numbers are compared."""
    cut = process(97, name="cut", words=frozenset({LeaseId(1)}), is_whole=False)
    report = add_process_evidence(leaking(100), NOBODY, ProcessData(processes=(process(97), cut)))

    assert [each.keyless_kept for each in report.processes] == [None, None]
    assert [(each.kept, each.agreement) for each in added(report, ProcessSessions)] == [
        (None, "as-many"),
        (None, "as-many"),
    ]


SOME = frozenset(map(LeaseId, range(1, 21)))


@pytest.mark.parametrize(
    "unsure",
    [
        {},
        {"words": frozenset({LeaseId(0xC000100660)}), "named_keepalives": 0},
        {"words": SOME, "named_keepalives": 20},
        {"words": SOME, "is_whole": False},
        {"words": SOME, "at": None},
    ],
    ids=["no arguments", "pointers alone", "some IDs", "cut off", "saved earlier"],
)
def test_no_process_is_cleared_by_numbers(unsure: dict[str, Any]) -> None:
    """A process that might keep leases which its profile does not name is never cleared of them."""
    sure = process(40, name="sure", words=frozenset(map(LeaseId, range(1, 41))))
    for heard in ((process(40, **unsure),), (process(40, **unsure), sure)):
        report = add_process_evidence(leaking(100), NOBODY, ProcessData(processes=heard))
        assert added(report, UnattributedSessions) == []

    early = ProcessData(processes=(process(40, words=SOME, at=10.0),))
    assert added(add_process_evidence(leaking(100), early, NOBODY), UnattributedSessions) == []


def test_some_ids_still_accuse() -> None:
    """Of a profile that names some leases only, these are proven, and numbers are compared."""
    mixed = process(100, words=SOME, named_keepalives=20)
    verdict = replace(leaked_sessions(), leases=tuple(SOME))
    report = a_report(sessions=tuple(map(a_session, range(1, 101))), session_verdicts=(verdict,))
    report = add_process_evidence(report, NOBODY, ProcessData(processes=(mixed,)))

    (live,) = added(report, ProcessSessions)
    assert (live.kept, live.agreement) == (None, "as-many")
    assert added(report, KeptAliveBy) == [
        KeptAliveBy(process="orders-7f", kept=20, of=20, saved=False)
    ]


def test_what_comes_from_elsewhere_by_ids() -> None:
    """Where all profiles name all their leases, those that none names are counted, each once."""

    def found(first: range, second: range) -> list[int]:
        heard = ProcessData(
            processes=(
                process(999, words=frozenset(map(LeaseId, first))),
                process(999, name="b", words=frozenset(map(LeaseId, second))),
            )
        )
        told = added(add_process_evidence(leaking(100), NOBODY, heard), UnattributedSessions)
        return [each.leases for each in told]

    assert found(range(1, 51), range(41, 91)) == [10]
    assert found(range(1, 51), range(41, 98)) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"unseen": (Unseen(what=Part.LEASE_LIST, count=None, why="denied"),)},
        {"interrupted": "Ctrl-C"},
    ],
)
def test_nothing_is_compared_with_what_is_not_known(fields: dict[str, Any]) -> None:
    """Where the leases without keys are not all known, a process is told by itself."""
    report = add_process_evidence(
        leaking(4, **fields), NOBODY, ProcessData(processes=(process(400),))
    )

    (told,) = report.processes
    assert (told.agreement, told.keyless_kept, told.counts.sessions) == (None, None, 400)
    assert added(report, ProcessSessions) == []


def test_process_that_was_heard_only_once() -> None:
    """One look stands; a failure that a later look mends is not told, another one is."""
    failed = Unseen(what=ProcessPart("a"), count=None, why="refused")
    other = Unseen(what=ProcessPart("b"), count=None, why="refused")
    before = ProcessData(processes=(process(3, name="b", at=1.0),), unseen=(failed,))
    after = ProcessData(processes=(process(5, name="a"),), unseen=(other,))
    report = add_process_evidence(leaking(4), before, after)

    assert [(p.name, p.counts.sessions) for p in report.processes] == [("a", 5), ("b", 3)]
    assert [(p.sessions_before, p.watched_s) for p in report.processes] == [(None, 0.0)] * 2
    assert report.unseen == (other,)


def test_what_etcd_counted() -> None:
    """The counters are evidence of a leak of sessions, and stand in the report."""
    after = counters(55.0, granted=112)
    report = add_process_evidence(
        leaking(4), ProcessData(counters=(counters(10.0),)), ProcessData(counters=(after,))
    )

    (found,) = added(report, ServerCounted)
    assert (found.granted, found.revoked, found.expired, found.watched_s) == (12, 0, 0, 45.0)
    assert report.server is not None


def test_counters_that_cannot_be_compared() -> None:
    """Read in one instant, or by one that restarted, they are no evidence."""
    first = ProcessData(counters=(counters(10.0),))
    at_once = add_process_evidence(leaking(4), first, ProcessData(counters=(counters(10.9),)))
    anew = add_process_evidence(
        leaking(4), first, ProcessData(counters=(counters(55.0, started_at=9.0),))
    )

    assert at_once.server is None
    assert anew.server is not None
    assert added(at_once, ServerCounted) == added(anew, ServerCounted) == []


COUNT = st.integers(0, 200)


@given(sessions=COUNT, keepalives=COUNT, waiting=COUNT, renewed=COUNT, undecided=COUNT)
def test_witnesses_change_no_verdict(
    sessions: int, keepalives: int, waiting: int, renewed: int, undecided: int
) -> None:
    """Whatever they say, verdicts, severities and findings stay; they only add evidence."""
    report = leaking(renewed, undecided)
    heard = ProcessData(
        processes=(process(sessions, keepalives=keepalives, lock_waiters=waiting),),
        counters=(counters(55.0, granted=100 + sessions),),
    )
    told = add_process_evidence(report, ProcessData(counters=(counters(10.0),)), heard)

    assert [(f.kind, f.severity, f.confidence) for f in told.findings] == [
        (f.kind, f.severity, f.confidence) for f in report.findings
    ]
    elsewhere = sum(each.leases for each in added(told, UnattributedSessions))
    assert elsewhere <= max(0, renewed - sessions)
