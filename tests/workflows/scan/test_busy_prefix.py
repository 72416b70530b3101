"""A busy healthy lock, at any moment, under any load: never called a likely leak."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from lockdoctor.domain.evidence.verdicts import Confidence, VerdictKind
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.policy.policy import Policy
from lockdoctor.domain.report.report import Report
from lockdoctor.domain.rules.leak_score import NO_HAND_OVER_S
from lockdoctor.ports import StopRequest
from lockdoctor.workflows.scan.request import ScanRequest
from lockdoctor.workflows.scan.scan import scan
from tests.eventually import run
from tests.fakes.cluster import START, FakeClock, FakeCluster

NAME = b"/l/busy"
REQUEST = ScanRequest(prefixes=(b"/l/",), policy=Policy(), window_s=60.0, sessions=True)
LEAKS = {VerdictKind.LEAKED_LOCK, VerdictKind.SUSPECTED_LEAK}


class Silence:
    """Wants to know of no progress."""

    def update(self, _: object) -> None:
        """Take no notice."""


@dataclass
class Load:
    """Workers that come one after the other, wait for their turn, do their job and leave."""

    gaps_s: list[float]
    """Between two arrivals, again and again."""
    jobs_s: list[float]
    """How long each holds the lock, again and again."""
    patience_s: float
    """Whoever has waited so long gives up, and closes its session."""
    ttl_s: int
    scanned_at_s: float
    """After so long the scan begins."""
    queue: list[LeaseId] = field(default_factory=list)

    def begin(self, cluster: FakeCluster) -> None:
        """Plan all arrivals."""
        at, number = START, 0
        while at < START + self.scanned_at_s + 70.0:
            cluster.at(at, partial(self._arrive, cluster, self.jobs_s[number % len(self.jobs_s)]))
            at += self.gaps_s[number % len(self.gaps_s)]
            number += 1

    def _arrive(self, cluster: FakeCluster, job_s: float) -> None:
        lease = cluster.session(self.ttl_s)
        cluster.put(NAME + b"/%x" % lease, lease_id=lease)
        self.queue.append(lease)
        self.jobs[lease] = job_s
        if self.queue[0] == lease:
            self._take(cluster)
        else:
            cluster.at(cluster.now + self.patience_s, partial(self._give_up, cluster, lease))

    def _take(self, cluster: FakeCluster) -> None:
        lease = self.queue[0]
        cluster.at(cluster.now + self.jobs[lease], partial(self._release, cluster, lease))

    def _release(self, cluster: FakeCluster, lease: LeaseId) -> None:
        self.queue.remove(lease)
        cluster.revoke(lease)
        if self.queue:
            self._take(cluster)

    def _give_up(self, cluster: FakeCluster, lease: LeaseId) -> None:
        if lease in self.queue[1:]:
            self.queue.remove(lease)
            cluster.revoke(lease)

    jobs: dict[LeaseId, float] = field(default_factory=dict)


def scanned(load: Load) -> Report:
    """Scan while the load goes on."""

    async def story() -> Report:
        clock = FakeClock()
        cluster = FakeCluster(clock)
        load.begin(cluster)
        clock.advance(load.scanned_at_s)
        return await scan(cluster, clock, REQUEST, Silence(), StopRequest())

    return run(story())


LOADS = st.builds(
    Load,
    gaps_s=st.lists(st.floats(0.2, 8.0), min_size=1, max_size=4),
    jobs_s=st.lists(st.floats(0.05, NO_HAND_OVER_S - 1), min_size=1, max_size=4),
    patience_s=st.sampled_from([0.1, 1.0, 5.0, 20.0, 10_000.0]),
    ttl_s=st.sampled_from([2, 3, 5, 10, 30, 60]),
    scanned_at_s=st.floats(20.0, 400.0),
)


@settings(max_examples=60, deadline=None)
@given(LOADS)
def test_a_busy_lock_is_never_called_a_likely_leak(load: Load) -> None:
    """Jobs of less than half a minute, whoever waits or gives up, whenever one looks."""
    for lock in scanned(load).locks:
        verdict = lock.verdict
        if verdict.kind in LEAKS:
            assert verdict.confidence is Confidence.POSSIBLE
            assert not lock.activity.releases
