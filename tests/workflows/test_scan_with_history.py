"""Scans that build on earlier ones, with the real store and a simulated cluster."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lockdoctor.domain.evidence import Standing
from lockdoctor.domain.leases import LeaseId
from lockdoctor.domain.past import ClockMark
from lockdoctor.domain.policy import Policy
from lockdoctor.domain.report import Report
from lockdoctor.domain.verdicts import VerdictKind
from lockdoctor.history.store import open_history
from lockdoctor.ports import ScanProgress, Stop
from lockdoctor.workflows.scan import ScanRequest, scan
from tests.fakes import FakeClock, FakeCluster
from tests.waiting import run

ONE_LOOK = ScanRequest(prefixes=(b"/l/",), policy=Policy(), window_s=0.0, sessions=True)


class Nobody:
    """Wants to know nothing."""

    def update(self, progress: ScanProgress) -> None:
        """Take no notice."""


def looks(
    folder: Path, *between: Callable[[FakeCluster], object], every_s: float = 300.0
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
                reports.append(await scan(cluster, clock, ONE_LOOK, Nobody(), Stop(), history))
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


def test_a_finding_that_stands_says_for_how_long(tmp_path: Path) -> None:
    """The third look tells that the second found the same."""
    third = looks(tmp_path, leak, nothing, nothing)[2]

    assert any(isinstance(each, Standing) and each.runs == 2 for each in third.findings[0].evidence)


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
