"""How few look-ups a verdict takes: each is a request, and one with keys is a large one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from lockdoctor.domain.evidence.verdicts import VerdictKind
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.past.past import ClockMark
from lockdoctor.domain.policy.policy import Limits, Policy
from lockdoctor.domain.report.report import Report
from lockdoctor.history.store import open_history
from lockdoctor.ports import ScanProgress, StopRequest
from lockdoctor.workflows.scan.request import ScanRequest
from lockdoctor.workflows.scan.scan import scan
from tests.eventually import run
from tests.fakes.cluster import FakeClock, FakeCluster

SCAN = ScanRequest(prefixes=(b"/l/",), policy=Policy(), window_s=60.0, sessions=True)
LIMITED = Policy(overrides=Limits(max_hold_s=300.0))
CHECK = replace(SCAN, policy=LIMITED, window_s=0.0, command="check")
MANY = 30


class Nobody:
    """Wants to know nothing."""

    def update(self, progress: ScanProgress) -> None:
        """Take no notice."""


class Counted:
    """What a run reported, and what it asked of the cluster for that."""

    def __init__(self, cluster: FakeCluster, report: Report, before: tuple[int, int]) -> None:
        """Count from what was asked before the run on."""
        self.report = report
        self.lookups = cluster.lookups - before[0]
        self.with_keys = cluster.lookups_with_keys - before[1]
        self.kinds = {each.verdict.kind for each in report.locks}


def counted(
    layout: Callable[[FakeCluster], object], *requests: ScanRequest, history: Path | None = None
) -> list[Counted]:
    """Let runs follow one another, five minutes apart, each on what the earlier ones have seen."""

    async def story(path: Path) -> list[Counted]:
        clock = FakeClock()
        cluster = FakeCluster(clock)
        layout(cluster)
        runs = []
        for request in requests:
            before = cluster.lookups, cluster.lookups_with_keys
            mark = ClockMark(wall_at=clock.now(), boot_id="boot", steady_at=clock.now())
            with open_history(path, mark) as past:
                report = await scan(cluster, clock, request, Nobody(), StopRequest(), past)
            runs.append(Counted(cluster, report, before))
            await clock.sleep(300.0)
        return runs

    with tempfile.TemporaryDirectory() as folder:
        return run(story(history or Path(folder) / "history.sqlite3"))


def take(cluster: FakeCluster, name: bytes, lease_id: LeaseId | None = None) -> LeaseId:
    """Contend for a lock, on a session that is kept alive."""
    session = cluster.session(60) if lease_id is None else lease_id
    cluster.put(b"/l/%s/%x" % (name, session), lease_id=session)
    return session


def many_locks(cluster: FakeCluster) -> None:
    """Hold many locks, each on a session of its own."""
    for number in range(MANY):
        take(cluster, b"%d" % number)


def one_session(cluster: FakeCluster) -> None:
    """Hold as many locks on one session."""
    session = cluster.session(60)
    for number in range(MANY):
        take(cluster, b"%d" % number, session)


def one_queue(cluster: FakeCluster) -> None:
    """Let many wait for one lock."""
    for _ in range(1 + MANY):
        take(cluster, b"orders")


def test_with_a_history_one_look_up_decides_a_lease(tmp_path: Path) -> None:
    """The second check proves every leak with one more look at each lease."""
    first, second = counted(many_locks, CHECK, CHECK, history=tmp_path / "history")

    assert (first.lookups, second.lookups) == (MANY, MANY)
    assert second.kinds == {VerdictKind.LEAKED_LOCK}


def test_without_a_history_three_look_ups_do() -> None:
    """Two renewals are seen with three looks, made when they can tell something."""
    (only,) = counted(many_locks, SCAN)

    assert only.lookups == 3 * MANY
    assert only.kinds == {VerdictKind.SUSPECTED_LEAK}


def test_a_lease_with_many_keys_is_looked_up_once(tmp_path: Path) -> None:
    """However many locks one session holds, it is one lease."""
    first, second = counted(one_session, CHECK, CHECK, history=tmp_path / "history")

    assert (first.lookups, second.lookups) == (1, 1)
    assert len(second.report.locks) == MANY
    assert second.kinds == {VerdictKind.LEAKED_LOCK}


def test_keys_are_asked_for_where_they_matter_only(tmp_path: Path) -> None:
    """Of a holder, for what else hangs on its lease, and once; never of those who wait."""
    first, second = counted(one_queue, CHECK, CHECK, history=tmp_path / "history")
    (watched,) = counted(many_locks, SCAN)

    assert (first.lookups, first.with_keys) == (1 + MANY, 1)
    assert (second.lookups, second.with_keys) == (1 + MANY, 1)
    assert (watched.lookups, watched.with_keys) == (3 * MANY, MANY)


def test_sessions_are_asked_for_their_keys_each_time() -> None:
    """Whether it still has none is the question; what has some at the first look is let go."""

    def busy(cluster: FakeCluster) -> None:
        cluster.session(60)
        for number in range(MANY):  # of another application, outside the prefix
            cluster.put(b"/elsewhere/%d" % number, lease_id=cluster.session(60))

    (only,) = counted(busy, SCAN)

    assert len(only.report.sessions) == 1
    assert only.lookups == only.with_keys == 2 + MANY
