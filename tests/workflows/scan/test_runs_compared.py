"""What a run says of the runs before it, with the real store and a simulated cluster."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockdoctor.domain.evidence.age import SeenInEarlierRuns
from lockdoctor.domain.evidence.sessions import SessionsIdle
from lockdoctor.domain.evidence.verdicts import Confidence, Severity, VerdictKind
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.model.locks import Kind
from lockdoctor.domain.past.past import ClockMark
from lockdoctor.domain.policy.policy import Limits, Policy, Rule
from lockdoctor.domain.report.report import Report
from lockdoctor.history.store import open_history
from lockdoctor.ports import ScanProgress, StopRequest
from lockdoctor.workflows.scan.request import ScanRequest
from lockdoctor.workflows.scan.scan import scan
from tests.eventually import run
from tests.fakes.cluster import FakeClock, FakeCluster

TTL_S = 60


def limited(**limits: float) -> Policy:
    return Policy(overrides=Limits(**limits))  # type: ignore[typeddict-item]


CHECK = ScanRequest(
    prefixes=(b"/l/",),
    policy=limited(max_hold_s=100.0),
    window_s=0.0,
    command="check",
    sessions=True,
)
PATIENT = replace(CHECK, policy=limited(max_hold_s=86_400.0))
SCAN = replace(CHECK, policy=Policy(), command="scan", window_s=60.0)


class Nobody:
    """Wants to know nothing."""

    def update(self, progress: ScanProgress) -> None:
        """Take no notice."""


Act = Callable[[FakeCluster], object]


def runs(folder: Path, *steps: tuple[Act, ScanRequest], every_s: float = 300.0) -> list[Report]:
    """Let something happen and time pass, run, and so on."""

    async def story() -> list[Report]:
        clock = FakeClock()
        cluster = FakeCluster(clock)
        reports = []
        for happening, request in steps:
            happening(cluster)
            await clock.sleep(every_s)
            mark = ClockMark(wall_at=clock.now(), boot_id="boot", steady_at=clock.now())
            with open_history(folder / "history", mark) as history:
                reports.append(
                    await scan(cluster, clock, request, Nobody(), StopRequest(), history)
                )
        return reports

    return run(story())


def leak(cluster: FakeCluster) -> LeaseId:
    """Take a lock and keep it alive."""
    lease_id = cluster.session(TTL_S)
    cluster.put(b"/l/orders/%x" % lease_id, lease_id=lease_id)
    return lease_id


def release(cluster: FakeCluster) -> None:
    """Delete every lock's key; the sessions live on."""
    for key in list(cluster._keys):
        cluster.delete(key)


def nothing(_: FakeCluster) -> None:
    """Let time pass."""


def opening(count: int, opened: list[LeaseId] | None = None) -> Act:
    """Open sessions that nobody closes."""

    def act(cluster: FakeCluster) -> None:
        new = [cluster.session(TTL_S) for _ in range(count)]
        if opened is not None:
            opened.extend(new)

    return act


def found(report: Report) -> list[VerdictKind]:
    return [finding.kind for finding in report.findings]


def gone(report: Report) -> list[VerdictKind]:
    return [finding.kind for finding in report.gone]


def standing(report: Report) -> list[int]:
    """In how many runs in a row each finding was found."""
    return [
        each.runs
        for finding in report.findings
        for each in finding.evidence
        if isinstance(each, SeenInEarlierRuns)
    ]


def test_a_scan_does_not_end_or_restart_what_checks_find(tmp_path: Path) -> None:
    """It has other limits: the next check goes on counting, and tells of no end."""
    *_, by_hand, check = runs(
        tmp_path,
        (leak, CHECK),
        (nothing, CHECK),
        (nothing, CHECK),
        (nothing, SCAN),
        (nothing, CHECK),
    )

    assert gone(by_hand) == gone(check) == []
    assert (found(check), standing(check)) == ([VerdictKind.LEAKED_LOCK], [3])


def test_a_check_does_not_end_what_a_scan_suspects(tmp_path: Path) -> None:
    """The key, its lease and all else stand: that a check says less of it ends nothing."""
    suspects, check = runs(tmp_path, (leak, SCAN), (nothing, PATIENT))

    assert found(suspects) == [VerdictKind.SUSPECTED_LEAK]
    assert (found(check), gone(check)) == ([], [])


def test_a_run_with_other_limits_leaves_the_count_alone(tmp_path: Path) -> None:
    """A check by hand with another --max-hold, between those of cron."""
    steps = [(leak, CHECK), (nothing, CHECK), (nothing, PATIENT), (nothing, CHECK)]
    *_, patient, check = runs(tmp_path, *steps)

    assert (found(patient), gone(patient)) == ([], [])
    assert (found(check), standing(check)) == ([VerdictKind.LEAKED_LOCK], [2])


def test_a_changed_policy_ends_nothing(tmp_path: Path) -> None:
    """A key without a lease that the policy calls something else from now on still stands."""

    def put(cluster: FakeCluster) -> None:
        cluster.put(b"/l/orders")

    def of(kind: Kind) -> ScanRequest:
        return replace(CHECK, policy=Policy(rules=(Rule(b"/l/", Limits(kind=kind)),)))

    first, *others = runs(
        tmp_path,
        (put, of(Kind.LOCK)),
        (nothing, of(Kind.REGISTRATION)),
        (nothing, of(Kind.IGNORE)),
    )

    assert found(first) == [VerdictKind.ETERNAL_LOCK]
    assert [gone(other) for other in others] == [[], []]


def test_a_hold_that_ended_is_told_once(tmp_path: Path) -> None:
    """By the next run with the same limits, even where a scan came before it."""
    *_, by_hand, check, last = runs(
        tmp_path,
        *[(leak, CHECK), (nothing, CHECK), (release, PATIENT), (nothing, CHECK), (nothing, CHECK)],
    )

    assert gone(by_hand) == []
    assert (found(check), gone(check)) == ([], [VerdictKind.LEAKED_LOCK])
    assert gone(last) == []


def test_a_lock_that_is_held_anew_is_another_finding(tmp_path: Path) -> None:
    """The session took its own key again: the old hold has ended, and the count begins anew."""

    def again(cluster: FakeCluster) -> None:
        (key,) = cluster._keys
        lease_id = cluster._keys[key].lease_id
        cluster.delete(key)
        cluster.put(key, lease_id=lease_id)

    *_, before, check, _, found_again, last = runs(
        tmp_path,
        *[(leak, CHECK), *[(nothing, CHECK)] * 2],
        *[(again, CHECK), *[(nothing, CHECK)] * 3],
    )

    assert standing(before) == [2]
    assert (found(check), gone(check)) == ([], [VerdictKind.LEAKED_LOCK])
    assert found(found_again) == found(last) == [VerdictKind.LEAKED_LOCK]
    assert (standing(found_again), standing(last)) == ([], [2])


def test_a_leak_of_sessions_ends_with_its_leases(tmp_path: Path) -> None:
    """Not in a run that was told to look at none, nor while one of them is there."""
    opened: list[LeaseId] = []

    def crash(cluster: FakeCluster) -> None:
        for lease_id in opened[:5]:
            cluster.stop_renewing(lease_id)

    growing = [(opening(1), CHECK), *[(opening(2, opened), CHECK)] * 4]
    blind = replace(CHECK, sessions=False)
    *_, leaked, unseen, fewer = runs(tmp_path, *growing, (nothing, blind), (crash, CHECK))

    assert leaked.session_verdicts[0].leases == tuple(opened[:6])
    assert (found(unseen), gone(unseen)) == ([], [])
    assert (found(fewer), gone(fewer)) == ([], [])


def test_sessions_that_leak_run_after_run(tmp_path: Path) -> None:
    """Likely, of the new ones alone; and all of them end with the process that opened them."""
    opened: list[LeaseId] = []
    pool: list[LeaseId] = []

    def restart(cluster: FakeCluster) -> None:
        for lease_id in opened:
            cluster.stop_renewing(lease_id)

    growing = [(opening(20, opened), CHECK) for _ in range(4)]
    *_, third, fourth, after = runs(
        tmp_path, (opening(5, pool), CHECK), *growing, (nothing, CHECK), (restart, CHECK)
    )

    (leaked,) = third.session_verdicts
    assert (leaked.kind, leaked.confidence) == (VerdictKind.SESSION_PILE_UP, Confidence.LIKELY)
    assert leaked.leases == tuple(opened[:60])
    (leaked,) = fourth.session_verdicts
    assert leaked.leases == tuple(opened)
    assert standing(fourth) == [2]
    assert (found(after), gone(after)) == ([], [VerdictKind.SESSION_PILE_UP])


@pytest.mark.parametrize("key", [b"/l/orders/%x", b"/elsewhere/%x"])
def test_a_session_that_had_a_key_is_not_idle_since_before(tmp_path: Path, key: bytes) -> None:
    """With a limit for idle sessions: a key that a run saw ends the time without one."""
    request = replace(CHECK, policy=limited(max_idle_session_s=500.0))

    def take(cluster: FakeCluster) -> None:
        for lease_id in list(cluster._leases):
            cluster.put(key % lease_id, lease_id=lease_id)

    *_, last, later, latest = runs(
        tmp_path,
        *[(opening(1), request), (take, request), (release, request)],
        *[(nothing, request)] * 2,
    )

    assert (found(last), found(later)) == ([], [])
    (verdict,) = latest.session_verdicts
    assert isinstance(verdict.evidence[0], SessionsIdle)
    assert 599.0 < verdict.evidence[0].longest_at_least_s < 602.0


@given(
    keyless=st.lists(st.sets(st.integers(0, 5)), min_size=5, max_size=9),
    commands=st.lists(st.sampled_from([CHECK, SCAN, PATIENT]), min_size=9, max_size=9),
)
@settings(max_examples=10, deadline=None)
def test_a_healthy_pool_never_alarms(keyless: list[set[int]], commands: list[ScanRequest]) -> None:
    """Six sessions that take and put down locks of their own, beside services that stay."""
    pool: list[LeaseId] = []

    def begin(cluster: FakeCluster) -> None:
        pool.extend(cluster.session(TTL_S) for _ in range(6))
        for number in range(3):
            service = cluster.session(TTL_S)
            cluster.put(b"/services/%d" % number, b"10.0.0.1", service)
            cluster.session(TTL_S)

    def work(idle: set[int]) -> Act:
        def act(cluster: FakeCluster) -> None:
            if not pool:
                begin(cluster)
            for number, lease_id in enumerate(pool):
                key = b"/l/%d/%x" % (number, lease_id)
                cluster.delete(key)
                if number not in idle:
                    cluster.put(key, lease_id=lease_id)

        return act

    steps = [(work(idle), command) for idle, command in zip(keyless, commands, strict=False)]
    with tempfile.TemporaryDirectory() as folder:
        for report in runs(Path(folder), *steps, every_s=90.0):
            assert report.session_verdicts == ()
            assert report.severity < Severity.CRITICAL
