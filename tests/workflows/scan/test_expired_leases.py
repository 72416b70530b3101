"""Scans of a cluster whose leases do not end as they should, and of one where they only churn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockdoctor.domain.evidence.keys import OtherKeys
from lockdoctor.domain.evidence.queue import PossibleAbandonedKey
from lockdoctor.domain.evidence.verdicts import Severity, VerdictKind
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.policy.policy import Policy
from lockdoctor.domain.report.report import Report
from lockdoctor.ports import StopRequest
from lockdoctor.workflows.scan.request import ScanRequest
from lockdoctor.workflows.scan.scan import scan
from tests.eventually import run
from tests.fakes.cluster import START, FakeClock, FakeCluster

REQUEST = ScanRequest(prefixes=(b"/l/",), policy=Policy(), window_s=60.0, sessions=True)
ODD = {VerdictKind.OVERDUE, VerdictKind.DANGLING, VerdictKind.GHOST_LEASE}


class Silence:
    """Wants to know of no progress."""

    def update(self, _: object) -> None:
        """Take no notice."""


def scanned(setting: Callable[[FakeCluster], object], request: ScanRequest = REQUEST) -> Report:
    """Scan a cluster in which the setting has been laid out."""

    async def story() -> Report:
        clock = FakeClock()
        cluster = FakeCluster(clock)
        setting(cluster)
        return await scan(cluster, clock, request, Silence(), StopRequest())

    return run(story())


def contend(cluster: FakeCluster, name: bytes, lease_id: LeaseId) -> LeaseId:
    """Put a contender's key."""
    cluster.put(name + b"/%x" % lease_id, lease_id=lease_id)
    return lease_id


def test_a_lock_whose_end_etcd_does_not_bring_about_is_overdue() -> None:
    """Where etcd's revokes fail, a crashed holder's lock stays: WARNING, and its queue CRITICAL."""

    def setting(cluster: FakeCluster) -> None:
        cluster.is_unable_to_revoke = True
        contend(cluster, b"/l/a", cluster.grant(6))
        contend(cluster, b"/l/b", cluster.grant(6))
        contend(cluster, b"/l/b", cluster.session(6))

    report = scanned(setting)

    assert [(f.kind, f.severity) for f in report.findings] == [
        (VerdictKind.OVERDUE, Severity.CRITICAL),
        (VerdictKind.OVERDUE, Severity.WARNING),
    ]
    assert report.watched_s < 20.0


def test_leases_without_keys_that_etcd_does_not_end_are_told_together() -> None:
    """One finding for all of them."""

    def setting(cluster: FakeCluster) -> None:
        cluster.is_unable_to_revoke = True
        for _ in range(5):
            cluster.grant(6)

    (finding,) = scanned(setting).findings

    assert (finding.kind, len(finding.leases)) == (VerdictKind.OVERDUE, 5)


def test_a_key_whose_lease_is_lost_is_dangling() -> None:
    """Holder or waiter: a key that stands without the lease that it names is told."""

    def setting(cluster: FakeCluster) -> None:
        contend(cluster, b"/l/a", cluster.session(60))
        for name in (b"/l/a", b"/l/b"):
            cluster.lose(contend(cluster, name, cluster.grant(60)))

    report = scanned(setting)

    dangling = {f.key for f in report.findings if f.kind is VerdictKind.DANGLING}
    assert dangling == {b"/l/a/1001", b"/l/b/1002"}


def test_a_lease_that_only_the_list_has_is_a_ghost() -> None:
    """A list that does not lose a lease, though look-ups never find it."""
    ghosts = {LeaseId(7), LeaseId(8)}
    (finding,) = scanned(lambda cluster: cluster.ghosts.update(ghosts)).findings

    assert (finding.kind, set(finding.leases)) == (VerdictKind.GHOST_LEASE, ghosts)


def test_one_reading_finds_nothing_of_the_kind() -> None:
    """With --window 0 nothing is seen twice, so nothing is told."""

    def setting(cluster: FakeCluster) -> None:
        cluster.ghosts.add(LeaseId(7))
        cluster.lose(contend(cluster, b"/l/a", cluster.grant(60)))

    assert scanned(setting, replace(REQUEST, window_s=0.0)).findings == ()


def test_other_keys_on_the_lease_of_a_lock_are_told() -> None:
    """Found wherever they lie in the cluster."""

    def setting(cluster: FakeCluster) -> None:
        lease = contend(cluster, b"/l/a", cluster.session(60))
        cluster.put(b"/elsewhere", lease_id=lease)

    (lock,) = scanned(setting).locks

    assert [v.kind for v in lock.verdicts] == [VerdictKind.SUSPECTED_LEAK, VerdictKind.SHARED_LEASE]
    assert OtherKeys(count=1, keys=(b"/elsewhere",)) in lock.verdict.evidence


@pytest.mark.parametrize("closes", [True, False])
def test_attempts_that_leave_their_sessions_hint_at_a_phantom(closes: bool) -> None:  # noqa: FBT001
    """Attempts that give up and close their sessions are no sign; those that do not are one."""

    def setting(cluster: FakeCluster) -> None:
        contend(cluster, b"/l/a", cluster.session(60))
        cluster.at(START + 3, lambda: attempt(cluster))

    def attempt(cluster: FakeCluster) -> None:
        lease = contend(cluster, b"/l/a", cluster.session(6))
        cluster.at(START + 8, lambda: cluster.delete(b"/l/a/%x" % lease))
        if closes:
            cluster.at(START + 8.1, lambda: cluster.revoke(lease))

    evidence = scanned(setting).locks[0].verdict.evidence
    signs = [each for each in evidence if isinstance(each, PossibleAbandonedKey)]

    assert signs == ([] if closes else [PossibleAbandonedKey(1, gave_up_elsewhere=False)])


SPANS = st.tuples(st.floats(0.0, 50.0), st.floats(0.0, 15.0), st.sampled_from(["close", "crash"]))


@settings(max_examples=40, deadline=None)
@given(spans=st.lists(SPANS, max_size=25), lag_s=st.floats(0.0, 4.0), sessions=st.booleans())
def test_churn_is_never_odd(
    spans: list[tuple[float, float, str]],
    lag_s: float,
    sessions: bool,  # noqa: FBT001
) -> None:
    """Locks that come and go, crash and run out, even under a list that lags: nothing is told."""

    def setting(cluster: FakeCluster) -> None:
        for number, (begin, length, end) in enumerate(spans):
            cluster.at(START + begin, partial(live, cluster, number, length, end))

    def live(cluster: FakeCluster, number: int, length: float, end: str) -> None:
        lease = contend(cluster, b"/l/%d" % (number % 4), cluster.session(3))
        ends_at = cluster.now + length
        if end == "crash":
            cluster.at(ends_at, lambda: cluster.stop_renewing(lease))
            return
        cluster.at(ends_at, lambda: cluster.revoke(lease))
        cluster.at(ends_at, lambda: cluster.ghosts.add(lease))
        cluster.at(ends_at + lag_s, lambda: cluster.ghosts.discard(lease))

    report = scanned(setting, replace(REQUEST, sessions=sessions))

    assert not {finding.kind for finding in report.findings} & ODD
    assert report.watched_s < 66.0
