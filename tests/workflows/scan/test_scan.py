"""The steps of a scan, against a simulated cluster in which time costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockdoctor.domain.evidence.remedies import WatchLonger
from lockdoctor.domain.evidence.verdicts import Confidence, VerdictKind
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.policy.policy import Limits, Policy
from lockdoctor.domain.report.report import Report
from lockdoctor.domain.report.unseen import Part
from lockdoctor.errors import AccessDeniedError, ClusterError, ClusterUnreachableError
from lockdoctor.ports import ScanProgress, StopRequest
from lockdoctor.workflows.scan.request import ScanRequest
from lockdoctor.workflows.scan.scan import scan
from tests.eventually import run
from tests.fakes.cluster import START, FakeClock, FakeCluster

REQUEST = ScanRequest(prefixes=(b"/l/",), policy=Policy(), window_s=60.0, sessions=True)


class Steps:
    """Remembers the progress that was told."""

    def __init__(self) -> None:
        """Nothing was told yet."""
        self.told: list[ScanProgress] = []

    def update(self, progress: ScanProgress) -> None:
        """Remember it."""
        self.told.append(progress)


def scanned(
    setting: Callable[[FakeCluster], object],
    request: ScanRequest = REQUEST,
    stop_at: float | None = None,
) -> Report:
    """Scan a cluster in which the setting has been laid out."""

    async def story() -> Report:
        clock = FakeClock()
        cluster = FakeCluster(clock)
        setting(cluster)
        stop = StopRequest()
        if stop_at is not None:
            cluster.at(START + stop_at, lambda: stop.request("ended by SIGINT"))
        return await scan(cluster, clock, request, Steps(), stop)

    return run(story())


def lock(cluster: FakeCluster, name: bytes, lease_id: LeaseId) -> bytes:
    """Contend for a Go mutex."""
    return cluster.put(name + b"/%x" % lease_id, lease_id=lease_id).key


def leak(cluster: FakeCluster, name: bytes = b"/l/orders", ttl_s: int = 60) -> LeaseId:
    """Take a lock and never give it back."""
    lease_id = cluster.session(ttl_s)
    lock(cluster, name, lease_id)
    return lease_id


def kinds(report: Report) -> dict[bytes, VerdictKind]:
    """The verdict that names each lock."""
    return {each.lock.name: each.verdict.kind for each in report.locks}


def with_limit(max_hold_s: float) -> ScanRequest:
    return replace(REQUEST, policy=Policy(overrides=Limits(max_hold_s=max_hold_s)))


def test_the_missions_own_program_is_suspected_in_about_forty_seconds() -> None:
    """One leaked session of 60 s: a suspicion, after three looks and at most 45 s."""
    report = scanned(leak)

    assert kinds(report) == {b"/l/orders": VerdictKind.SUSPECTED_LEAK}
    assert report.lookups == 3
    assert 40.0 < report.watched_s < 46.0
    assert report.interrupted is None


def test_ten_second_sessions_are_decided_in_about_eight() -> None:
    """Shorter TTLs take shorter scans."""
    report = scanned(lambda cluster: leak(cluster, ttl_s=10))

    assert kinds(report) == {b"/l/orders": VerdictKind.SUSPECTED_LEAK}
    assert report.watched_s < 12.0


def test_a_limit_within_the_window_is_waited_for() -> None:
    """With --max-hold 30s one renewal and 30 s of watching prove the leak."""
    report = scanned(leak, with_limit(30.0))

    assert kinds(report) == {b"/l/orders": VerdictKind.LEAKED_LOCK}
    assert report.lookups == 2
    assert 30.0 < report.watched_s < 34.0


def test_a_window_too_short_is_said_so() -> None:
    """A lease of 15 minutes cannot be judged in a minute: undetermined, not healthy, at once."""
    report = scanned(lambda cluster: leak(cluster, ttl_s=600))

    assert kinds(report) == {b"/l/orders": VerdictKind.UNDETERMINED}
    assert report.watched_s < 2.0
    assert isinstance(report.locks[0].verdict.remedy, WatchLonger)


def test_a_snapshot_only_looks_once() -> None:
    """--window 0 reads once and accuses nobody who merely holds."""
    report = scanned(leak, replace(REQUEST, window_s=0.0))

    assert kinds(report) == {b"/l/orders": VerdictKind.UNDETERMINED}
    assert report.lookups == 1
    assert report.unseen == ()


def test_a_holder_that_crashed_is_expiring() -> None:
    """A lease that nobody renews is never leaked; its end is told."""

    def crash(cluster: FakeCluster) -> None:
        cluster.stop_renewing(leak(cluster, ttl_s=30))

    report = scanned(crash)

    assert kinds(report) == {b"/l/orders": VerdictKind.EXPIRING}
    assert report.locks[0].verdict.confidence is Confidence.PROVEN
    assert report.renewals == 0


def test_a_worker_is_healthy() -> None:
    """A worker that takes and gives back its lock, on a session of its own, is no finding."""

    def work(cluster: FakeCluster) -> None:
        lease_id = cluster.session(60)
        key = lock(cluster, b"/l/job", lease_id)
        for n in range(1, 100):
            cluster.at(START + n, lambda: cluster.delete(key))
            cluster.at(START + n + 0.4, lambda: lock(cluster, b"/l/job", lease_id))

    report = scanned(work)

    assert report.findings == ()
    assert kinds(report) == {b"/l/job": VerdictKind.HEALTHY}


def test_waiters_are_looked_at_once() -> None:
    """Those who wait for a lock cost one look each, whatever their holder does."""

    def queue(cluster: FakeCluster) -> None:
        leak(cluster, ttl_s=12)
        for _ in range(20):
            leak(cluster, ttl_s=12)

    report = scanned(queue)

    assert report.lookups == 3 + 20


def test_a_leader_change_in_the_middle_invents_no_renewal() -> None:
    """Leases set back by a new leader, with a term that lags, are not called renewed."""

    def elect(cluster: FakeCluster) -> None:
        cluster.grant(60, 7)
        lock(cluster, b"/l/dead", LeaseId(7))
        leak(cluster, b"/l/alive")
        cluster.at(START + 20.0, lambda: cluster.change_leader(term_lag_s=0.5))

    report = scanned(elect, replace(REQUEST, window_s=120.0))
    dead = next(each for each in report.locks if each.lock.name == b"/l/dead")

    assert dead.holder_trace is not None
    assert dead.holder_trace.renewals == 0
    assert kinds(report)[b"/l/alive"] is VerdictKind.SUSPECTED_LEAK
    assert report.cluster.leader_changes == 1


@settings(max_examples=40, deadline=None)
@given(
    ttl_s=st.integers(2, 20),
    changes=st.lists(st.tuples(st.floats(0.0, 60.0), st.floats(0.0, 0.9)), max_size=4),
    latency_s=st.floats(1e-4, 0.1),
)
def test_a_lease_that_nobody_renews_never_shows_a_renewal(
    ttl_s: int, changes: list[tuple[float, float]], latency_s: float
) -> None:
    """Whatever leaders come and go, a scan of a crashed holder proves no renewal."""

    def crash(cluster: FakeCluster) -> None:
        cluster.latency_s = latency_s
        cluster.grant(ttl_s, 7)
        lock(cluster, b"/l/dead", LeaseId(7))
        for moment, lag_s in changes:
            cluster.at(START + moment, partial(cluster.change_leader, term_lag_s=lag_s))

    assert scanned(crash).renewals == 0


@settings(max_examples=40, deadline=None)
@given(ttl_s=st.integers(2, 70), phase_s=st.floats(0.0, 20.0), latency_s=st.floats(1e-4, 0.1))
def test_a_leak_is_always_found(ttl_s: int, phase_s: float, latency_s: float) -> None:
    """A session that is kept alive while its lock stands still ends as a finding."""

    def leaked(cluster: FakeCluster) -> None:
        cluster.latency_s = latency_s
        lease_id = cluster.grant(ttl_s)
        lock(cluster, b"/l/orders", lease_id)
        cluster.keep_alive(lease_id)
        first = min(phase_s, lease_period(ttl_s))
        cluster.at(START + first, lambda: cluster.keep_alive(lease_id))
        cluster.at(START + first, lambda: cluster.renew_every(lease_id, lease_period(ttl_s)))

    assert kinds(scanned(leaked)) == {b"/l/orders": VerdictKind.SUSPECTED_LEAK}


def lease_period(ttl_s: int) -> float:
    """How often Go's client renews: a third of the TTL, on a loop of half a second."""
    return -(-ttl_s * 2 // 3) / 2


def test_a_session_leak_is_seen_to_grow() -> None:
    """Requests that open a session each, give up and leave it behind are a leaked session."""

    def requests(cluster: FakeCluster) -> None:
        leak(cluster, ttl_s=10)

        def attempt() -> None:
            lease_id = leak(cluster, ttl_s=10)
            key = b"/l/orders/%x" % lease_id
            cluster.at(cluster_now(cluster) + 0.8, lambda: cluster.delete(key))

        for n in range(60):
            cluster.at(START + n * 0.5, attempt)

    report = scanned(requests)
    found = [finding.kind for finding in report.findings]

    assert VerdictKind.LEAKED_SESSION in found
    assert VerdictKind.SUSPECTED_LEAK in found
    assert report.locks[0].activity.gave_up > 3
    assert all(session.gave_up for session in report.sessions if session.is_new)


def cluster_now(cluster: FakeCluster) -> float:
    return cluster._moment


def test_a_pool_is_no_leak() -> None:
    """Sessions without keys that stay the same are idle, and none is a finding."""
    report = scanned(lambda cluster: [cluster.session(10) for _ in range(30)])

    assert report.findings == ()
    assert {each.verdict.kind for each in report.sessions} == {VerdictKind.IDLE_SESSION}


def test_sessions_can_be_left_out() -> None:
    """Without the look at sessions only the leases of locks are read, and it is said."""
    report = scanned(
        lambda cluster: (leak(cluster), cluster.session(60)), replace(REQUEST, sessions=False)
    )

    assert report.lookups == 3
    assert [unseen.what for unseen in report.unseen] == [Part.KEYLESS_LEASES]


def test_a_denied_list_still_gives_a_full_diagnosis_of_the_prefix() -> None:
    """A role that may not list leases gets its locks judged, and is told what was not seen."""

    def denied(cluster: FakeCluster) -> None:
        leak(cluster)
        cluster.lease_list_denied = True

    report = scanned(denied)

    assert kinds(report) == {b"/l/orders": VerdictKind.SUSPECTED_LEAK}
    assert [unseen.what for unseen in report.unseen] == [Part.LEASE_LIST]


def test_a_denied_lease_is_not_called_healthy() -> None:
    """A lease that may not be read leaves its lock undetermined, and is counted."""

    def denied(cluster: FakeCluster) -> None:
        cluster.denied_leases.add(leak(cluster))

    report = scanned(denied)

    assert kinds(report) == {b"/l/orders": VerdictKind.UNDETERMINED}
    assert [(each.what, each.count, each.why) for each in report.unseen] == [
        (Part.LEASES, 1, "denied")
    ]


def test_a_compaction_under_the_watch_is_told() -> None:
    """What the watch could not see is reported, and the scan goes on."""

    def compacted(cluster: FakeCluster) -> None:
        leak(cluster)
        for n in range(20):
            cluster.at(START + 10.01, partial(cluster.put, b"/l/x%d" % n, b"y"))
        cluster.at(START + 10.01, cluster.compact)

    report = scanned(compacted)

    assert kinds(report)[b"/l/orders"] is VerdictKind.SUSPECTED_LEAK
    assert "compacted" in " ".join(str(unseen.why) for unseen in report.unseen)


def test_a_cluster_that_goes_away_ends_the_run_with_what_was_seen() -> None:
    """After the first reading, a failure ends the run early; nobody is accused."""

    def lost(cluster: FakeCluster) -> None:
        leak(cluster)
        cluster.at(
            START + 10.0, lambda: setattr(cluster, "unreachable", ClusterUnreachableError("gone"))
        )

    report = scanned(lost)

    assert report.interrupted == "gone"
    assert report.findings == ()
    assert [each.lock.name for each in report.locks] == [b"/l/orders"]


@pytest.mark.parametrize("failure", [ClusterUnreachableError("down"), AccessDeniedError("no")])
def test_a_cluster_that_cannot_be_read_at_all_is_an_error(failure: ClusterError) -> None:
    """Without a first reading of the keys there is no report."""

    def down(cluster: FakeCluster) -> None:
        cluster.unreachable = failure

    with pytest.raises(type(failure), match=str(failure)):
        scanned(down)


def test_a_stop_gives_a_partial_report() -> None:
    """A scan that is told to stop says so, and claims no more than it saw until then."""
    report = scanned(leak, stop_at=10.0)

    assert report.interrupted == "ended by SIGINT"
    assert report.watched_s < 13.0
    assert kinds(report) == {b"/l/orders": VerdictKind.UNDETERMINED}


def test_an_empty_prefix_is_done_at_once() -> None:
    """Where there are no keys and no leases, there is nothing to wait for."""
    report = scanned(lambda _: None)

    assert report.locks == ()
    assert report.watched_s < 1.0


def test_progress_is_told() -> None:
    """Whoever waits is told how far the scan has come."""

    async def story() -> list[ScanProgress]:
        clock = FakeClock()
        cluster = FakeCluster(clock)
        leak(cluster)
        steps = Steps()
        await scan(cluster, clock, REQUEST, steps, StopRequest())
        return steps.told

    told = run(story())

    assert told[0].leases == 1
    assert told[0].decided == 0
    assert max(each.left_s for each in told) > 10.0
    assert told[-1].elapsed_s > told[0].elapsed_s


def test_sessions_idle_for_too_long_are_told_where_somebody_said_so() -> None:
    """With --max-idle-session 20s a scan looks at each session again after 20 s."""
    limits = Policy(overrides=Limits(max_idle_session_s=20.0))
    report = scanned(
        lambda cluster: [cluster.session(10) for _ in range(2)], replace(REQUEST, policy=limits)
    )

    assert [finding.kind for finding in report.findings] == [VerdictKind.LEAKED_SESSION]
    assert 20.0 < report.watched_s < 23.0


def test_a_leak_of_sessions_alone_is_waited_for() -> None:
    """Where no lock is held, a scan goes on for one round to prove that sessions pile up."""

    def requests(cluster: FakeCluster) -> None:
        cluster.session(60)
        for n in range(240):
            cluster.at(START + n * 0.25, lambda: cluster.session(60))

    report = scanned(requests)

    assert VerdictKind.SESSION_PILE_UP in [finding.kind for finding in report.findings]
    assert report.watched_s < 50.0


@pytest.mark.parametrize("denied", [True, False])
def test_the_members_are_asked_for_and_not_needed(denied: bool) -> None:  # noqa: FBT001
    """A role that may not list the members gets its report, without where sessions come from."""

    def setting(cluster: FakeCluster) -> None:
        cluster.member_list_denied = denied
        cluster.session(10)

    report = scanned(setting)

    assert report.cluster.members == (frozenset() if denied else {1, 2, 3})
    assert [group.sessions for group in report.session_groups] == [1]
    assert report.interrupted is None


def test_what_the_cluster_notes_stands_in_the_report() -> None:
    """That reading went another way than usual, for example."""
    report = scanned(lambda cluster: cluster.notes.append("It took another way."))
    assert "It took another way." in report.notes
