"""Scans that build on earlier ones, with the real store and a simulated cluster."""

from __future__ import annotations

import contextlib
import sqlite3
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lockdoctor.domain.check.health import CheckResult, Health
from lockdoctor.domain.check.metrics import MetricLimits
from lockdoctor.domain.evidence.age import SeenInEarlierRuns
from lockdoctor.domain.evidence.verdicts import Confidence, Severity, VerdictKind
from lockdoctor.domain.inference.queue_activity import WatchEvent
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.past.past import ClockMark
from lockdoctor.domain.past.run_record import RunRecord
from lockdoctor.domain.policy.policy import Limits, Policy
from lockdoctor.domain.report.notes import HistoryNotPruned
from lockdoctor.domain.report.report import Report
from lockdoctor.domain.treatment.plan import NAMEABLE, Selection
from lockdoctor.domain.treatment.selection import select
from lockdoctor.errors import WrongClusterError
from lockdoctor.history.reader import open_reader
from lockdoctor.history.store import SqliteHistory, open_history
from lockdoctor.outputs.text.headline import headline
from lockdoctor.ports import ScanProgress, StopRequest
from lockdoctor.workflows.scan.request import ScanRequest
from lockdoctor.workflows.scan.scan import scan
from tests.eventually import run
from tests.factories.history import a_clock
from tests.fakes.cluster import FakeClock, FakeCluster

UNLIMITED = ScanRequest(
    prefixes=(b"/l/",),
    policy=Policy(suspects=False),
    window_s=0.0,
    sessions=True,
    command="check",
)
ONE_LOOK = replace(UNLIMITED, policy=Policy(overrides=Limits(max_hold_s=300.0), suspects=False))


class Nobody:
    """Wants to know nothing."""

    def update(self, progress: ScanProgress) -> None:
        """Take no notice."""


def looks(
    folder: Path,
    *between: Callable[[FakeCluster], object],
    every_s: float = 300.0,
    request: ScanRequest = ONE_LOOK,
) -> list[Report]:
    """Look once, let something happen and time pass, look again, and so on."""

    async def story() -> list[Report]:
        clock = FakeClock()
        cluster = FakeCluster(clock)
        reports = []
        for happening in between:
            happening(cluster)
            await clock.sleep(every_s)
            mark = ClockMark(wall_at=clock.now(), boot_id="boot", steady_at=clock.now())
            with open_history(folder / "history", mark) as history:
                reports.append(
                    await scan(cluster, clock, request, Nobody(), StopRequest(), history)
                )
        return reports

    return run(story())


def leak(cluster: FakeCluster) -> None:
    """Take a lock and keep it alive."""
    lease_id = cluster.session(60)
    cluster.put(b"/l/orders/%x" % lease_id, lease_id=lease_id)


def nothing(_: FakeCluster) -> None:
    """Let time pass."""


def test_two_looks_apart_prove_a_leak(tmp_path: Path) -> None:
    """The first look accuses nobody; the second proves renewals and five minutes of holding."""
    first, second = looks(tmp_path, leak, nothing)

    assert first.findings == ()
    assert first.past_runs == 0
    assert [finding.kind for finding in second.findings] == [VerdictKind.LEAKED_LOCK]
    assert second.renewals >= 4
    assert second.locks[0].age is not None
    assert 299.0 < second.locks[0].age.at_least_s < 302.0
    assert second.lookups == 1


def test_without_a_limit_two_checks_mention_a_hold_and_find_nothing(tmp_path: Path) -> None:
    """`etcdctl lock /my-lock/backup sleep 420` in two checks 5 min 30 s apart: OK, with its age."""
    first, second = looks(tmp_path, leak, nothing, every_s=330.0, request=UNLIMITED)
    verdict = second.locks[0].verdict

    assert (first.findings, second.findings) == ((), ())
    assert (verdict.kind, verdict.confidence, verdict.severity) == (
        VerdictKind.SUSPECTED_LEAK,
        Confidence.POSSIBLE,
        Severity.OK,
    )
    assert headline(second) == (
        "No leak proven: 1 lock held, /l/orders for at least 5 min 30 s (no limit stated)"
    )
    assert select(second, Selection()).candidates == []


def test_a_holder_that_waited_before_is_judged_by_its_hold_alone(tmp_path: Path) -> None:
    """Ten minutes in the queue are no hold: the lock was handed over a minute ago."""
    limited = replace(ONE_LOOK, policy=Policy(overrides=Limits(max_hold_s=480.0)))
    first: list[bytes] = []

    def contend(cluster: FakeCluster) -> None:
        lease_id = cluster.session(60)
        first.append(b"/l/orders/%x" % lease_id)
        cluster.put(first[0], lease_id=lease_id)
        leak(cluster)

    def hand_over(cluster: FakeCluster) -> None:
        cluster.delete(first[0])

    waiting = [nothing] * 9
    reports = looks(
        tmp_path, contend, *waiting, hand_over, nothing, nothing, every_s=60.0, request=limited
    )

    assert [report.findings for report in reports[-3:]] == [(), (), ()]


def test_without_a_limit_a_check_warns_where_a_leak_is_likely(tmp_path: Path) -> None:
    """Somebody has waited as long, and nobody was served: WARNING, and still no proof."""

    def contend(cluster: FakeCluster) -> None:
        leak(cluster)
        leak(cluster)

    second = looks(tmp_path, contend, nothing, every_s=330.0, request=UNLIMITED)[1]
    (finding,) = second.findings

    assert (finding.kind, finding.confidence, finding.severity) == (
        VerdictKind.SUSPECTED_LEAK,
        Confidence.LIKELY,
        Severity.WARNING,
    )
    assert select(second, Selection()).candidates == []


def test_a_registration_of_any_age_is_no_finding(tmp_path: Path) -> None:
    """One key, empty or a uuid, renewed for ever: it is no lock, or not known to be one."""

    def register(cluster: FakeCluster) -> None:
        lease_id = cluster.session(60)
        for number in range(12):
            cluster.put(b"/l/workers/w%d" % number, lease_id=lease_id)
        cluster.put(b"/l/dubbo/providers/x", str(uuid.uuid4()).encode(), cluster.session(60))

    reports = looks(tmp_path, register, nothing, nothing)

    assert [report.findings for report in reports] == [()] * 3
    verdicts = {lock.verdict.kind for lock in reports[2].locks}
    assert verdicts == {VerdictKind.UNDETERMINED, VerdictKind.HEALTHY}
    everything = Selection(verdicts=frozenset(NAMEABLE))
    assert select(reports[2], everything).candidates == []


def test_a_finding_that_stands_says_for_how_long(tmp_path: Path) -> None:
    """The third look tells that the second found the same."""
    third = looks(tmp_path, leak, nothing, nothing)[2]

    assert any(
        isinstance(each, SeenInEarlierRuns) and each.runs == 2
        for each in third.findings[0].evidence
    )


def test_a_leak_that_ended_is_named_as_gone(tmp_path: Path) -> None:
    """Once the process has stopped and etcd has freed the lock, the finding is gone."""

    def stop(cluster: FakeCluster) -> None:
        for lease_id in list(cluster._leases):
            cluster.stop_renewing(LeaseId(lease_id))

    last = looks(tmp_path, leak, nothing, stop)[2]

    assert last.findings == ()
    assert [finding.kind for finding in last.gone] == [VerdictKind.LEAKED_LOCK]


def test_a_leader_change_between_two_looks_proves_nothing(tmp_path: Path) -> None:
    """A lease that nobody renews, kept up by new leaders alone, is never called leaked."""

    def crash(cluster: FakeCluster) -> None:
        cluster.grant(60, 7)
        cluster.put(b"/l/dead/7", lease_id=LeaseId(7))

    reports = looks(
        tmp_path, crash, FakeCluster.change_leader, FakeCluster.change_leader, every_s=50.0
    )

    assert [report.renewals for report in reports] == [0, 0, 0]
    assert all(report.findings == () for report in reports)


def test_a_healthy_worker_never_alarms(tmp_path: Path) -> None:
    """Fifty looks at a worker that takes and gives back its lock bring no finding."""

    def work(cluster: FakeCluster) -> None:
        lease_id = cluster.session(60)
        key = b"/l/job/%x" % lease_id

        def take() -> None:
            cluster.put(key, lease_id=lease_id)
            cluster.at(cluster._moment + 40.0, give_back)

        def give_back() -> None:
            cluster.delete(key)
            cluster.at(cluster._moment + 5.0, take)

        take()

    reports = looks(tmp_path, work, *[nothing] * 49)

    assert [report.findings for report in reports] == [()] * 50


def test_a_busy_prune_is_a_note_and_the_run_counts(tmp_path: Path) -> None:
    """The run is stored by then; pruning is for the next one."""
    path = tmp_path / "history"

    class Reader(SqliteHistory):
        """Another run locks the file as soon as this one has stored itself."""

        def record(self, run: RunRecord) -> None:
            super().record(run)
            other.execute("BEGIN IMMEDIATE")

    async def story() -> Report:
        clock = FakeClock()
        cluster = FakeCluster(clock)
        leak(cluster)
        mark = ClockMark(wall_at=clock.now(), boot_id="boot", steady_at=clock.now())
        with Reader(path, mark, 0.1) as history:
            return await scan(cluster, clock, ONE_LOOK, Nobody(), StopRequest(), history)

    open_history(path, a_clock()).close()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        report = run(story())

    assert not [each for each in report.unseen if each.is_failure]
    (note,) = [each for each in report.notes if isinstance(each, HistoryNotPruned)]
    assert f"The history {path} is in use by another run" in note.why
    assert health_of(report) is Health.OK
    with open_reader(path, a_clock()) as reader:
        assert len(reader.runs()) == 1


def health_of(report: Report) -> Health:
    limits = MetricLimits(warning={}, critical={})
    return CheckResult(report=report, took_s=1.0, limits=limits, first_run_unknown=False).health


def test_another_cluster_in_the_middle_leaves_nothing_behind(tmp_path: Path) -> None:
    """Neither a report nor a run in the history, wherever in the window it comes."""

    async def story(after_s: float) -> int:
        clock = FakeClock()
        cluster = FakeCluster(clock)
        leak(cluster)
        wrong = WrongClusterError("another cluster")
        cluster.at(clock.now() + after_s, lambda: setattr(cluster, "unreachable", wrong))
        mark = ClockMark(wall_at=clock.now(), boot_id="boot", steady_at=clock.now())
        request = replace(ONE_LOOK, window_s=40.0)
        with (
            open_history(tmp_path / "history", mark) as history,
            pytest.raises(WrongClusterError),
        ):
            await scan(cluster, clock, request, Nobody(), StopRequest(), history)
        with open_reader(tmp_path / "history", mark) as reader:
            return len(reader.runs())

    for after_s in (0.0, 0.0025, 0.5, 10.0):
        assert run(story(after_s)) == 0


def test_another_cluster_that_only_the_watch_meets() -> None:
    """It asks the run to end at once, which then has no report."""

    class Swapped(FakeCluster):
        async def watch(self, prefix: bytes, from_revision: int) -> AsyncIterator[WatchEvent]:
            async for event in super().watch(prefix, from_revision):
                yield event
                raise WrongClusterError("another cluster")

    async def story() -> float:
        clock = FakeClock()
        cluster = Swapped(clock)
        leak(cluster)
        began_at = clock.now()
        with pytest.raises(WrongClusterError):
            await scan(cluster, clock, replace(ONE_LOOK, window_s=600.0), Nobody(), StopRequest())
        return clock.now() - began_at

    assert run(story()) < 10.0
