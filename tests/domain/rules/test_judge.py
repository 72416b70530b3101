"""From everything that a run gathered to its report."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lockdoctor.domain.evidence.keys import ByDesign, Rewritten
from lockdoctor.domain.evidence.verdicts import Confidence, Severity, VerdictKind
from lockdoctor.domain.inference.leadership import Leadership
from lockdoctor.domain.inference.queue_activity import (
    KeyDeleted,
    KeyPut,
    WatchEvent,
    WatchGap,
    WatchProgress,
)
from lockdoctor.domain.model.leases import (
    NO_LEASE,
    LeadershipProbe,
    LeaseId,
    LeaseReading,
    Reading,
)
from lockdoctor.domain.model.locks import KeySnapshot, Kind, LockKey
from lockdoctor.domain.past.past import NO_PAST, PastHold
from lockdoctor.domain.policy.policy import Limits, Policy, Rule
from lockdoctor.domain.recipes.grouping import locks
from lockdoctor.domain.report.report import ClusterFacts
from lockdoctor.domain.report.unseen import Part, UnseenReason
from lockdoctor.domain.rules.judge import _calm, judge
from lockdoctor.domain.rules.record_run import run_record
from lockdoctor.domain.rules.scan_facts import PrefixFacts, ScanFacts, SessionFacts
from tests.factories.reports import a_key, a_lock_report, a_verdict
from tests.simulated_lease import LEASE, kept_alive

LIFE = kept_alive(60, phase_s=1.0, until=100.0)
READINGS: list[Reading] = [LIFE.read(at, asked_s=0.01, answered_s=0.01) for at in (0.1, 22.0, 43.0)]
HOLDER = a_key(lock=b"/l/q", lease_id=LEASE, create_revision=10)


def a_snapshot(*keys: LockKey, at: float = 0.0, revision: int = 100) -> KeySnapshot:
    return KeySnapshot(asked_at=at, answered_at=at, revision=revision, raft_term=2, keys=keys)


def an_examination(
    first: list[LockKey],
    last: list[LockKey] | None = None,
    *events: WatchEvent,
    policy: Policy | None = None,
) -> ScanFacts:
    """A scan of 45 s in which LEASE was read three times and renewed twice."""
    end = 45.0
    policy = policy or Policy()
    later = a_snapshot(*(first if last is None else last), at=end, revision=1000)
    prefix = PrefixFacts(
        prefix=b"/l/",
        first=a_snapshot(*first),
        last=later,
        events=events,
        first_locks=locks(first, b"/l/", policy),
    )
    return ScanFacts(
        started_at=0.0,
        ended_at=end,
        window_s=60.0,
        lookups=3,
        interrupted=None,
        policy=policy,
        cluster=ClusterFacts(
            cluster_id=1, version="3.5.1", endpoint="e", raft_term=2, revision=1, leader_changes=0
        ),
        past=NO_PAST,
        prefixes=(prefix,),
        readings={LEASE: READINGS},
        unread={},
        leadership=Leadership.of(READINGS, [LeadershipProbe(44.5, 2, 7)]),
        sessions=SessionFacts(),
        unseen=(),
    )


def test_a_leaked_session_ends_in_a_suspicion() -> None:
    """The mission's own program: one finding, WARNING, held for the time watched."""
    report = judge(an_examination([HOLDER]))

    assert [finding.kind for finding in report.findings] == [VerdictKind.SUSPECTED_LEAK]
    assert report.severity is Severity.WARNING
    assert report.renewals == 2
    (lock,) = report.locks
    assert lock.age is not None
    assert lock.age.at_least_s == 45.0
    assert lock.age.estimate is not None
    assert lock.age.estimate.about_s == 990 / (900 / 45)


def test_the_limit_turns_the_suspicion_into_a_leak() -> None:
    """Once it is said how long a hold may last, a hold watched for longer is leaked."""
    facts = an_examination([HOLDER], policy=Policy(overrides=Limits(max_hold_s=45.0)))

    assert [finding.kind for finding in judge(facts).findings] == [VerdictKind.LEAKED_LOCK]


def test_a_hold_that_began_meanwhile_is_not_accused() -> None:
    """The same key with another create revision is another hold: the lock was handed over."""
    again = a_key(lock=b"/l/q", lease_id=LEASE, create_revision=500)
    gone = KeyDeleted(seen_at=20.0, key=HOLDER.key, revision=400)
    report = judge(an_examination([HOLDER], [again], gone, KeyPut(seen_at=21.0, key=again)))

    assert report.findings == ()
    assert report.locks[0].verdict.kind is VerdictKind.HEALTHY
    assert report.locks[0].activity.hand_overs == 1


def test_a_waiter_that_moved_up_is_not_accused() -> None:
    """Whoever got the lock while we watched has not held it long, however long it waited."""
    waiter = a_key(lock=b"/l/q", lease_id=77, create_revision=20)
    gone = KeyDeleted(seen_at=20.0, key=HOLDER.key, revision=400)
    report = judge(an_examination([HOLDER, waiter], [waiter], gone))

    assert report.findings == ()


def test_a_lock_that_is_gone_at_the_end_is_still_reported() -> None:
    """What was there at the beginning is never dropped from the report."""
    gone = KeyDeleted(seen_at=20.0, key=HOLDER.key, revision=400)
    report = judge(an_examination([HOLDER], [], gone))

    assert [lock.verdict.kind for lock in report.locks] == [VerdictKind.HEALTHY]


def test_a_lock_that_stood_only_in_between_is_reported() -> None:
    """A worker whose lock was free at both readings is healthy, not missing."""
    events = (
        KeyPut(seen_at=5.0, key=HOLDER),
        KeyDeleted(seen_at=8.0, key=HOLDER.key, revision=300),
    )
    (lock,) = judge(an_examination([], [], *events)).locks

    assert (lock.lock.name, lock.verdict.kind) == (b"/l/q", VerdictKind.HEALTHY)
    assert lock.activity.releases == 1


def test_attempts_that_gave_up_make_the_suspicion_likely() -> None:
    """Attempts seen to come and go are evidence, and their sessions are known."""
    events: list[WatchEvent] = []
    for number in (1, 2):
        attempt = a_key(lock=b"/l/q", lease_id=80 + number, create_revision=200 + number)
        events.append(KeyPut(seen_at=5.0 * number, key=attempt))
        gone = KeyDeleted(seen_at=5.0 * number + 3, key=attempt.key, revision=300 + number)
        events += [gone, WatchProgress(seen_at=40.0, revision=310)]
    report = judge(an_examination([HOLDER], None, *events))

    assert report.locks[0].activity.gave_up == 2
    assert report.findings[0].confidence.value == "likely"


def test_a_run_without_a_second_reading_of_the_keys_accuses_nobody() -> None:
    """Without the keys at the end nothing is known to have stood, and the report says so."""
    facts = an_examination([HOLDER])
    facts = replace(facts, prefixes=(replace(facts.prefixes[0], last=None),), interrupted="lost")
    report = judge(facts)

    assert report.locks[0].age is not None
    assert report.locks[0].age.at_least_s == 0.0
    assert any(unseen.what == Part.KEYS_AT_END for unseen in report.unseen)


def test_a_gap_in_the_watch_is_reported() -> None:
    """What the watch missed is among what was not seen."""
    report = judge(an_examination([HOLDER], None, WatchGap(seen_at=1.0, why="compacted")))

    assert [unseen.why for unseen in report.unseen] == ["compacted"]


def test_leases_that_were_not_read_are_counted() -> None:
    """Look-ups that brought nothing are counted by their reason."""
    facts = replace(
        an_examination([HOLDER]), readings={}, unread={LEASE: "denied", LeaseId(3): "denied"}
    )
    report = judge(facts)

    assert [(unseen.what, unseen.count) for unseen in report.unseen] == [(Part.LEASES, 2)]
    assert report.locks[0].verdict.kind is VerdictKind.UNDETERMINED


@pytest.mark.parametrize("value", [b"x", b""])
def test_data_among_the_keys_is_not_called_eternal_locks(value: bytes) -> None:
    """A few keys without leases are shown as unknown; many are data and counted; none accused."""
    data = [a_key(b"/l/%d" % n, value=value, lease_id=NO_LEASE) for n in range(11)]
    few = judge(an_examination(data[:2]))
    many = judge(an_examination(data))

    assert [lock.verdict.kind for lock in few.locks] == [VerdictKind.UNDETERMINED] * 2
    assert (few.findings, many.findings, many.locks) == ((), (), ())
    assert [(unseen.what, unseen.count) for unseen in many.unseen] == [
        (Part.KEYS_WITHOUT_LEASE, 11)
    ]


def test_numbers_that_only_look_like_leases_are_data() -> None:
    """Many keys that end in digits make no queue: no layout proves that they are locks."""
    hexadecimal = [a_key(b"/l/seen/%016x" % n, lease_id=NO_LEASE) for n in range(6)]
    decimal = [a_key(b"/l/locks/%d" % n, value=b"{}", lease_id=NO_LEASE) for n in range(1, 7)]
    report = judge(an_examination([*hexadecimal, *decimal]))

    assert (report.locks, report.findings) == ((), ())
    assert [(unseen.what, unseen.count) for unseen in report.unseen] == [
        (Part.KEYS_WITHOUT_LEASE, 12)
    ]


def test_a_plain_key_that_is_deleted_was_no_lock_that_was_released() -> None:
    """Data come and go."""
    assert judge(an_examination([a_key(b"/l/x", lease_id=NO_LEASE)], [])).locks == ()


def a_patroni_cluster(*, leader_lease: int = NO_LEASE) -> list[LockKey]:
    """A leader's key, one member that is alive, and the cluster's state, as Patroni keeps them."""
    member = b'{"conn_url": "postgres://b", "api_url": "http://b"}'
    names = (b"config", b"failover", b"history", b"initialize", b"status", b"sync")
    return [
        *(a_key(b"/l/pg/" + name, value=b"{}", lease_id=NO_LEASE) for name in names),
        a_key(b"/l/pg/leader", value=b"node-a", lease_id=leader_lease),
        a_key(b"/l/pg/members/node-b", value=member, lease_id=LEASE),
    ]


def test_patronis_leader_without_a_lease_is_the_finding_and_its_state_is_data() -> None:
    """The leader may be gone, with its member's key: any member tells that it is Patroni."""
    report = judge(an_examination(a_patroni_cluster()))
    (finding,) = report.findings

    assert (finding.kind, finding.key) == (VerdictKind.ETERNAL_LOCK, b"/l/pg/leader")
    assert (finding.severity, finding.confidence) == (Severity.CRITICAL, Confidence.PROVEN)
    assert {lock.lock.name for lock in report.locks} == {b"/l/pg/leader", b"/l/pg/members/node-b"}
    (unseen,) = report.unseen
    assert (unseen.what, unseen.count) == (Part.KEYS_WITHOUT_LEASE, 6)
    assert unseen.why is UnseenReason.DATA_BESIDE_LOCKS  # --kind lock would change nothing


@pytest.mark.parametrize("is_led", [True, False])
def test_what_a_product_keeps_beside_its_locks_is_data_whatever_is_stated(
    is_led: bool,  # noqa: FBT001
) -> None:
    """A kind that is stated for a whole prefix makes no lock of Patroni's or Vitess's data."""
    patroni = [key for key in a_patroni_cluster() if is_led or key.key != b"/l/pg/leader"]
    lease = LeaseId(77)
    vitess = [
        a_key(b"/l/vt/keyspaces/main/Keyspace", value=b"\x0a", lease_id=NO_LEASE),
        a_key(b"/l/vt/keyspaces/main/locks/%d" % lease, value=b"{}", lease_id=lease),
    ]
    stated = Policy(overrides=Limits(kind=Kind.LOCK))
    report = judge(an_examination([*patroni, *vitess], policy=stated))

    judged = {lock.lock.name for lock in report.locks} - {b"/l/pg/leader"}
    assert judged == {b"/l/pg/members/node-b", b"/l/vt/keyspaces/main"}


def test_a_check_finds_no_mere_possibility_that_the_waits_made_of_a_likely_leak() -> None:
    """Whose session waits for another lock is but possibly a leak: the other lock is told."""
    waiting = [a_key(lock=b"/l/q", lease_id=n, create_revision=20 + n) for n in (5, 6)]
    behind = a_key(lock=b"/l/x", lease_id=LEASE, create_revision=30)
    keys = [HOLDER, *waiting, a_key(lock=b"/l/x", lease_id=9, create_revision=9), behind]
    held = PastHold(first_answered_at=-400.0, last_asked_at=-1.0, held_first_answered_at=-400.0)
    past = replace(NO_PAST, holds={HOLDER.hold: held})
    found = {}
    for suspects in (True, False):
        facts = an_examination(keys, policy=Policy(suspects=suspects))
        report = judge(replace(facts, past=past))
        (lock,) = (each for each in report.locks if each.lock.name == b"/l/q")
        found[suspects] = lock.verdict

    assert {verdict.kind for verdict in found.values()} == {VerdictKind.SUSPECTED_LEAK}
    assert {verdict.confidence for verdict in found.values()} == {Confidence.POSSIBLE}
    assert (found[True].severity, found[False].severity) == (Severity.WARNING, Severity.OK)


def test_ignored_keys_are_counted() -> None:
    """What the policy ignores is not judged, and said."""
    policy = Policy(rules=(Rule(b"/l/", Limits(kind=Kind.IGNORE)),))
    report = judge(an_examination([HOLDER], policy=policy))

    assert report.locks == ()
    assert [unseen.count for unseen in report.unseen] == [1]


def test_a_leader_change_is_no_renewal() -> None:
    """Rises across a change of the leader leave the lock undetermined."""
    late = [
        *READINGS[:1],
        *(r._replace(raft_term=3) for r in READINGS[1:2] if isinstance(r, LeaseReading)),
    ]
    facts = replace(
        an_examination([HOLDER]),
        readings={LEASE: late},
        leadership=Leadership.of(late, [LeadershipProbe(44.5, 3, 8)]),
    )
    report = judge(facts)

    assert report.findings == ()
    assert report.renewals == 0


def test_a_registration_written_anew_onto_fresh_leases_is_healthy() -> None:
    """Kubernetes renews no lease: it writes its entry again, and that is what keeps it alive."""
    entry = a_key(b"/l/masterleases/x", lease_id=5, value=b"k8s\x00", version=4)
    report = judge(an_examination([entry], [replace(entry, lease_id=LeaseId(6), version=6)]))
    (lock,) = report.locks

    assert lock.verdict.kind is VerdictKind.HEALTHY
    assert lock.verdict.evidence == (ByDesign("registration"), Rewritten(2, 45.0))


def test_a_reader_that_outlasts_the_one_before_it_is_no_new_hold() -> None:
    """Readers hold together: who moves to the front when another leaves has held all along."""
    first, second = (
        a_key(b"/l/rw/read/%d" % (10**18 + n), lease_id=n, create_revision=n) for n in (3, LEASE)
    )
    gone = KeyDeleted(seen_at=20.0, key=first.key, revision=400)
    (lock,) = judge(an_examination([first, second], [second], gone)).locks

    assert lock.verdict.kind is VerdictKind.SUSPECTED_LEAK
    assert lock.age is not None
    assert lock.age.at_least_s == 45.0


def test_what_is_kept_of_those_who_come_and_go() -> None:
    """The two readings of the keys are put together: each contender once, since when, till when."""
    leaving, staying, coming = (
        a_key(lock=b"/l/q", lease_id=LEASE + place, create_revision=10 + place)
        for place in range(3)
    )
    facts = an_examination([leaving, staying], [staying, coming])

    kept = {
        seen.hold: (seen.first_answered_at, seen.last_asked_at, seen.held_first_answered_at)
        for seen in run_record(facts, judge(facts), "scan", "limits").holds
    }

    assert kept == {
        leaving.hold: (0.0, 0.0, 0.0),
        staying.hold: (0.0, 45.0, 45.0),
        coming.hold: (45.0, 45.0, None),
    }


def test_a_possible_leak_comes_after_the_findings_and_before_what_is_fine() -> None:
    """The worst first; a likely leak, and every other verdict, stays where it is."""
    suspected = a_verdict(VerdictKind.SUSPECTED_LEAK, confidence=Confidence.POSSIBLE)
    long_ttl, shared = a_verdict(VerdictKind.LONG_TTL), a_verdict(VerdictKind.SHARED_LEASE)
    deadlock = a_verdict(VerdictKind.DEADLOCK, severity=Severity.CRITICAL)
    report = a_lock_report(None, suspected, long_ttl, shared, deadlock)

    calm = replace(suspected, severity=Severity.OK)
    assert _calm(report).verdicts == (deadlock, long_ttl, calm, shared)
    for first in (replace(suspected, confidence=Confidence.LIKELY), long_ttl):
        other = replace(report, verdicts=(first, deadlock))
        assert _calm(other) == other
