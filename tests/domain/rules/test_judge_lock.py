"""Each rule of the diagnosis: just under, at, and just over."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from lockdoctor.domain.evidence import Evidence
from lockdoctor.domain.evidence.keys import NoLease, OtherKeys, QueueCut, UnknownRecipe
from lockdoctor.domain.evidence.queue import HandedOver, PossibleAbandonedKey, Waiters
from lockdoctor.domain.evidence.remedies import Advice, WatchLonger
from lockdoctor.domain.evidence.renewals import (
    Expired,
    KeyWithoutLease,
    LeaderChanged,
    LeaseEnded,
    ReadFailed,
    Renewed,
    Unobservable,
)
from lockdoctor.domain.evidence.verdicts import Confidence, Severity, Verdict, VerdictKind
from lockdoctor.domain.inference.hold_age import HoldAge
from lockdoctor.domain.inference.leadership import TERM_CONFIRM_DELAY_S, Leadership
from lockdoctor.domain.inference.queue_activity import QueueActivity
from lockdoctor.domain.inference.renewals import RenewalTrace, trace
from lockdoctor.domain.model.leases import NO_LEASE, LeadershipProbe, LeaseNotFound, Reading
from lockdoctor.domain.model.locks import Kind, Lock, LockKey, Recipe
from lockdoctor.domain.policy.policy import Thresholds
from lockdoctor.domain.rules.judge_lock import diagnose
from lockdoctor.domain.rules.lock_case import Dangling, LockCase
from tests.factories.reports import a_key, a_trace, an_observation
from tests.simulated_lease import LEASE, SimulatedLease, kept_alive

HOLDER = a_key(lock=b"/l/q", lease_id=LEASE, create_revision=10)
WAITER = a_key(lock=b"/l/q", lease_id=77, create_revision=20)
MUTEX = Lock(name=b"/l/q", recipe=Recipe.GO_MUTEX, kind=Kind.LOCK, holder=HOLDER)
CONTENDED = replace(MUTEX, waiters=(WAITER,))


def seen(life: SimulatedLease, *moments: float) -> RenewalTrace:
    """What readings at these moments prove, confirmed."""
    readings = [life.read(at, asked_s=0.01, answered_s=0.01) for at in moments]
    probe = LeadershipProbe(moments[-1] + 2 * TERM_CONFIRM_DELAY_S, readings[-1].raft_term)
    return trace(LEASE, readings, Leadership.of(readings, [probe]))


KEPT = seen(kept_alive(60, phase_s=1.0, until=100.0), 0.0, 22.0, 43.0)
KEPT_ONCE = seen(kept_alive(60, phase_s=1.0, until=100.0), 0.0, 22.0)
SEEN_ONCE = seen(kept_alive(60, phase_s=1.0, until=100.0), 0.0)
LEFT_ALONE = seen(SimulatedLease(60, -5.0), 0.0, 22.0, 43.0)


def a_case(lock: Lock = MUTEX, **changes: Any) -> LockCase:
    """A mutex whose holder stood still and was renewed twice in 43 s."""
    case = LockCase(
        lock=lock,
        thresholds=Thresholds(),
        trace=KEPT,
        age=HoldAge(at_least_s=43.0),
        renewals_of_hold=2,
        activity=QueueActivity(watched_s=43.0),
        needed_window_s=43.5,
    )
    return replace(case, **changes)


def state(case: LockCase) -> Verdict:
    """The verdict that names the lock."""
    return diagnose(case)[0]


def kinds(case: LockCase) -> list[VerdictKind]:
    return [verdict.kind for verdict in diagnose(case)]


@pytest.mark.parametrize(
    ("at_least_s", "lock", "told"),
    [
        (299.9, MUTEX, (VerdictKind.UNDETERMINED, Severity.OK, Confidence.UNDETERMINED)),
        (300.0, MUTEX, (VerdictKind.SUSPECTED_LEAK, Severity.OK, Confidence.POSSIBLE)),
        (9e6, MUTEX, (VerdictKind.SUSPECTED_LEAK, Severity.OK, Confidence.POSSIBLE)),
        (299.9, CONTENDED, (VerdictKind.UNDETERMINED, Severity.OK, Confidence.UNDETERMINED)),
        (300.0, CONTENDED, (VerdictKind.SUSPECTED_LEAK, Severity.WARNING, Confidence.LIKELY)),
    ],
)
def test_a_check_alarms_only_where_a_leak_is_likely(
    at_least_s: float, lock: Lock, told: tuple[VerdictKind, Severity, Confidence]
) -> None:
    """Without a limit it mentions a hold from five minutes on; age alone is no finding."""
    patient = Thresholds(suspects=False)
    age = HoldAge(at_least_s=at_least_s, stood_at_least_s=at_least_s)
    verdict = state(a_case(lock, thresholds=patient, age=age, waited_s=(60.0,)))

    assert (verdict.kind, verdict.severity, verdict.confidence) == told


def test_a_check_leaves_a_hold_within_its_limit_to_its_next_run() -> None:
    """Where a limit is stated, a blocked queue and an old key are no proof yet."""
    patient = Thresholds(max_hold_s=300.0, suspects=False)
    case = a_case(
        CONTENDED, thresholds=patient, age=HoldAge(at_least_s=299.0, stood_at_least_s=900.0)
    )

    assert state(replace(case, thresholds=replace(patient, suspects=True))).is_finding
    assert kinds(case) == [VerdictKind.UNDETERMINED]
    assert state(replace(case, age=HoldAge(at_least_s=300.0))).kind is VerdictKind.LEAKED_LOCK


def test_the_missions_own_program_is_suspected_at_first_sight() -> None:
    """One leaked session, one mutex, nothing else, no history, no flags: suspected-leak."""
    verdict = state(a_case())

    assert verdict.kind is VerdictKind.SUSPECTED_LEAK
    assert (verdict.severity, verdict.confidence) == (Severity.WARNING, Confidence.POSSIBLE)
    assert verdict.leases == (LEASE,)
    assert any(isinstance(each, Renewed) and each.renewals == 2 for each in verdict.evidence)


def test_one_renewal_suspects_nobody() -> None:
    """Where nobody said how long a hold may last, two renewals are needed, and it says so."""
    verdict = state(a_case(trace=KEPT_ONCE, renewals_of_hold=1))

    assert verdict.kind is VerdictKind.UNDETERMINED
    assert any(isinstance(each, Unobservable) for each in verdict.evidence)


@pytest.mark.parametrize(
    ("at_least_s", "kind"),
    [
        (42.9, VerdictKind.UNDETERMINED),
        (43.0, VerdictKind.LEAKED_LOCK),
        (43.1, VerdictKind.LEAKED_LOCK),
    ],
)
def test_a_hold_beyond_its_limit_is_leaked(at_least_s: float, kind: VerdictKind) -> None:
    """A renewed hold is leaked from the moment it is proven to be as old as none may become."""
    limits = Thresholds(max_hold_s=43.0)
    verdict = state(a_case(age=HoldAge(at_least_s=at_least_s), thresholds=limits, trace=KEPT_ONCE))

    assert verdict.kind is kind


@pytest.mark.parametrize("at_least_s", [299.9, 300.0, 9e6])
@pytest.mark.parametrize("suspects", [True, False])
def test_a_limit_that_nobody_stated_proves_nothing(
    at_least_s: float,
    suspects: bool,  # noqa: FBT001
) -> None:
    """However old the hold: without a limit by flag or policy it is no proven leak."""
    age = HoldAge(at_least_s=at_least_s, at_most_s=at_least_s + 10.0, stood_at_least_s=at_least_s)
    for lock in (MUTEX, CONTENDED):
        found = diagnose(a_case(lock, age=age, thresholds=Thresholds(suspects=suspects)))

        assert VerdictKind.LEAKED_LOCK not in [verdict.kind for verdict in found]


def test_a_critical_hold_is_a_stated_limit() -> None:
    """Who says from when on a hold is CRITICAL says how long one may last."""
    limits = Thresholds(critical_hold_s=43.0)
    old, young = a_case(thresholds=limits), a_case(thresholds=limits, age=HoldAge(at_least_s=42.9))

    assert (state(old).kind, state(old).severity) == (VerdictKind.LEAKED_LOCK, Severity.CRITICAL)
    assert state(young).kind is VerdictKind.UNDETERMINED


@pytest.mark.parametrize(
    ("foreign_kind", "kind"),
    [
        (Kind.LOCK, VerdictKind.LEAKED_LOCK),
        (Kind.UNKNOWN, VerdictKind.UNDETERMINED),
        (Kind.REGISTRATION, VerdictKind.UNDETERMINED),
        (Kind.ELECTION, VerdictKind.UNDETERMINED),
    ],
)
def test_what_blocks_a_queue_from_outside_is_judged_as_what_it_is(
    foreign_kind: Kind, kind: VerdictKind
) -> None:
    """A registration below a mutex's name blocks its queue, and is no leaked lock."""
    blocked = replace(CONTENDED, foreign_holder=True, foreign_kind=foreign_kind)
    case = a_case(blocked, thresholds=Thresholds(max_hold_s=1.0), age=HoldAge(at_least_s=9e6))

    assert state(case).kind is kind


def test_a_leak_that_blocks_is_critical() -> None:
    """Waiters, or a hold past the critical limit, make a leaked lock CRITICAL."""
    limits = Thresholds(max_hold_s=40.0, critical_hold_s=43.0)

    assert state(a_case(CONTENDED, thresholds=Thresholds(max_hold_s=1.0))).severity == 2
    assert state(a_case(thresholds=limits)).severity is Severity.CRITICAL
    assert state(a_case(thresholds=replace(limits, critical_hold_s=43.1))).severity == 1


def test_an_age_without_a_renewal_is_no_leak() -> None:
    """A hold that nobody renews is not leaked, however old: etcd frees it."""
    old = a_case(trace=LEFT_ALONE, thresholds=Thresholds(max_hold_s=1.0))

    assert kinds(old) == [VerdictKind.EXPIRING]


def test_a_hold_whose_client_has_stopped_is_no_leak_any_more() -> None:
    """Renewed before, but overdue now: the process was stopped, and etcd frees the lock."""
    life = SimulatedLease(60, 0.0, renewals=[20.0, 40.0])
    stopped = a_case(trace=seen(life, 1.0, 21.0, 70.0), thresholds=Thresholds(max_hold_s=1.0))

    assert kinds(stopped) == [VerdictKind.EXPIRING]


def test_with_a_limit_only_a_likely_suspicion_is_spoken() -> None:
    """Who said how long a hold may last is not bothered with a mere possibility."""
    limits = Thresholds(max_hold_s=3600.0)

    assert state(a_case(thresholds=limits)).kind is VerdictKind.UNDETERMINED
    likely = a_case(CONTENDED, thresholds=limits, waited_s=(43.0,))
    assert state(likely).kind is VerdictKind.SUSPECTED_LEAK


def test_a_hold_younger_than_its_limit_is_healthy() -> None:
    """A hold that cannot be older than allowed is healthy, waiters or not."""
    young, limits = HoldAge(at_least_s=43.0, at_most_s=200.0), Thresholds(max_hold_s=300.0)

    assert state(a_case(CONTENDED, age=young, thresholds=limits)).kind is VerdictKind.HEALTHY


def test_youth_alone_is_not_healthy_where_nobody_has_said_a_limit() -> None:
    """A job may take a second or an hour: renewed and never released, a young hold is suspect."""
    verdict = state(a_case(age=HoldAge(at_least_s=43.0, at_most_s=52.0)))

    assert (verdict.kind, verdict.confidence) == (
        VerdictKind.SUSPECTED_LEAK,
        Confidence.POSSIBLE,
    )


def test_a_hand_over_is_healthy() -> None:
    """A lock that changed hands while we watched is healthy, with the count as evidence."""
    activity = QueueActivity(watched_s=43.0, releases=4, hand_overs=4)
    verdict = state(a_case(CONTENDED, activity=activity, is_new_hold=True))

    assert verdict.kind is VerdictKind.HEALTHY
    assert HandedOver(releases=4, watched_s=43.0) in verdict.evidence


def test_a_lock_that_was_released_is_healthy() -> None:
    """A lock that is gone at the end was released."""
    released = a_case(is_released=True, age=None, trace=KEPT_ONCE)

    assert kinds(released) == [VerdictKind.HEALTHY]


def test_a_lock_that_ran_out_is_told_from_one_that_was_released() -> None:
    """A lease that ended at its deadline frees the lock: its holder had stopped."""
    life = SimulatedLease(10, 0.0)
    ended = a_case(is_released=True, age=None, trace=seen(life, 1.0, 7.0, 12.0))
    verdict = state(ended)

    assert (verdict.kind, verdict.confidence) == (VerdictKind.EXPIRING, Confidence.PROVEN)
    assert any(isinstance(each, LeaseEnded) for each in verdict.evidence)


def test_a_key_that_outlives_its_lease_is_not_called_freed() -> None:
    """A lease that is gone while its key stands is a riddle, not an expiry."""
    gone = LeaseNotFound(lease_id=LEASE, asked_at=12.0, answered_at=12.0, raft_term=2)
    found = trace(
        LEASE,
        [SimulatedLease(10, 0.0).read(1.0, asked_s=0.0, answered_s=0.0), gone],
        Leadership.of([]),
    )

    assert kinds(a_case(trace=found)) == [VerdictKind.UNDETERMINED]


@pytest.mark.parametrize("kind", [Kind.ELECTION, Kind.REGISTRATION])
def test_what_is_kept_by_design_is_never_leaked(kind: Kind) -> None:
    """An election or registration is healthy at any age, with any number behind it."""
    lock = replace(CONTENDED, kind=kind)
    old = a_case(
        lock,
        age=HoldAge(at_least_s=9e6),
        waited_s=(9e6,),
        thresholds=Thresholds(max_hold_s=1.0, critical_hold_s=1.0, max_wait_s=1.0),
    )

    assert kinds(old) == [VerdictKind.HEALTHY]


def test_an_unknown_shape_is_not_judged_by_its_age() -> None:
    """A key whose kind is a guess stays undetermined, and says how to change that."""
    lock = replace(MUTEX, recipe=Recipe.SINGLE_KEY, kind=Kind.UNKNOWN)
    limits = Thresholds(max_hold_s=1.0, critical_hold_s=1.0, max_wait_s=1.0, max_ttl_s=1.0)
    verdict = state(a_case(lock, age=HoldAge(at_least_s=9e6), thresholds=limits))
    stated = a_case(replace(lock, kind=Kind.LOCK), age=HoldAge(at_least_s=9e6), thresholds=limits)

    assert verdict.kind is VerdictKind.UNDETERMINED
    assert UnknownRecipe() in verdict.evidence
    assert verdict.remedy is Advice.STATE_KIND
    assert state(stated).kind is VerdictKind.LEAKED_LOCK


def test_a_queue_that_is_cut_names_no_culprit() -> None:
    """Where the prefix may hide older contenders, nobody is accused."""
    verdict = state(a_case(replace(CONTENDED, queue_is_whole=False), age=HoldAge(at_least_s=9e6)))

    assert verdict.kind is VerdictKind.UNDETERMINED
    assert QueueCut() in verdict.evidence


def test_a_lease_that_may_not_be_read_is_undetermined() -> None:
    """What could not be read is said, and never healthy."""
    verdict = state(a_case(trace=None, unread="permission denied"))

    assert verdict.kind is VerdictKind.UNDETERMINED
    assert ReadFailed(reason="permission denied") in verdict.evidence


def bare(lock: Lock, key: LockKey, **changes: Any) -> LockCase:
    return a_case(replace(lock, holder=key), trace=None, **changes)


def test_a_lock_key_without_a_lease_is_eternal() -> None:
    """A lock that never expires is a finding; CRITICAL where others wait."""
    key = replace(HOLDER, lease_id=NO_LEASE)
    alone, waited_for = state(bare(MUTEX, key)), state(bare(CONTENDED, key))

    assert (alone.kind, alone.severity) == (VerdictKind.ETERNAL_LOCK, Severity.WARNING)
    assert alone.confidence is Confidence.PROVEN
    assert alone.leases == ()
    assert waited_for.severity is Severity.CRITICAL


def test_a_plain_key_without_a_lease_is_not_judged() -> None:
    """Without a lock's layout it may be data: it says so, and is a lock where that is stated."""
    plain = Lock(name=b"/l/x", recipe=Recipe.UNLEASED_KEY, kind=Kind.UNKNOWN, holder=None)
    key = a_key(b"/l/x", lease_id=NO_LEASE)
    verdict = state(bare(plain, key))

    assert verdict.kind is VerdictKind.UNDETERMINED
    assert verdict.evidence[0] == NoLease(in_lock_shape=False)
    assert state(bare(replace(plain, kind=Kind.LOCK), key)).kind is VerdictKind.ETERNAL_LOCK
    assert not state(bare(replace(plain, kind=Kind.REGISTRATION), key)).is_finding


@pytest.mark.parametrize(
    "recipe",
    [Recipe.GO_ELECTION, Recipe.NODE_ELECTION, Recipe.VITESS_ELECTION, Recipe.PATRONI],
)
@pytest.mark.parametrize("waiters", [(), (WAITER,)])
def test_a_leaders_key_without_a_lease_is_eternal(
    recipe: Recipe, waiters: tuple[LockKey, ...]
) -> None:
    """When its process ends nobody can take over, whether or not the others leave keys."""
    election = replace(MUTEX, recipe=recipe, kind=Kind.ELECTION, waiters=waiters)
    verdict = state(bare(election, replace(HOLDER, lease_id=NO_LEASE)))

    assert (verdict.kind, verdict.severity, verdict.confidence) == (
        VerdictKind.ETERNAL_LOCK,
        Severity.CRITICAL,
        Confidence.PROVEN,
    )


def test_a_candidate_without_a_lease_is_told() -> None:
    """It would lead for ever; nobody is kept out yet."""
    candidate = replace(WAITER, lease_id=NO_LEASE)
    verdict = state(a_case(replace(MUTEX, kind=Kind.ELECTION, waiters=(candidate,))))

    assert (verdict.kind, verdict.severity) == (VerdictKind.ETERNAL_LOCK, Severity.WARNING)
    assert verdict.key == candidate.key


def test_data_below_a_mutex_blocks_its_queue_and_stays_data() -> None:
    """Go's Mutex waits for every older key below its name: told, and not to be deleted."""
    key = a_key(b"/l/q/config", lease_id=NO_LEASE, create_revision=1)
    blocked = replace(CONTENDED, foreign_holder=True, foreign_kind=Kind.UNKNOWN)
    verdict = state(bare(blocked, key))

    assert (verdict.kind, verdict.severity) == (VerdictKind.ETERNAL_LOCK, Severity.CRITICAL)
    assert verdict.evidence[0] == NoLease(in_lock_shape=False)
    assert verdict.remedy is Advice.FIND_PURPOSE_OF_KEY


@pytest.mark.parametrize(("waited_s", "blocked"), [(299.9, False), (300.0, True)])
def test_a_long_wait_behind_an_unjudged_holder(waited_s: float, blocked: bool) -> None:  # noqa: FBT001
    """A wait of max_wait behind a holder that is not itself judged is a blocked queue."""
    young = HoldAge(at_least_s=1.0, at_most_s=2.0)
    limits = Thresholds(max_hold_s=300.0)
    case = a_case(CONTENDED, age=young, waited_s=(0.0, waited_s), thresholds=limits)

    assert (VerdictKind.BLOCKED_QUEUE in kinds(case)) is blocked
    if blocked:
        assert diagnose(case)[0].key == WAITER.key


def test_a_leak_is_not_reported_twice_as_a_blocked_queue() -> None:
    """The wait behind a leaked lock is part of that finding."""
    limits = Thresholds(max_hold_s=300.0)
    case = a_case(CONTENDED, waited_s=(9e6,), age=HoldAge(at_least_s=9e6), thresholds=limits)

    assert kinds(case) == [VerdictKind.LEAKED_LOCK]
    assert any(isinstance(each, Waiters) for each in diagnose(case)[0].evidence)


@pytest.mark.parametrize(("renewed_at", "late"), [(20.0, False), (26.0, True)])
def test_late_renewals_are_told(renewed_at: float, late: bool) -> None:  # noqa: FBT001
    """A renewal with less than a sixth of the TTL left is late."""
    life = SimulatedLease(30, 0.0, renewals=[renewed_at, 45.0])
    found = seen(life, 1.0, renewed_at - 0.1, 40.0)

    unknown = replace(MUTEX, recipe=Recipe.LEASED_KEY, kind=Kind.UNKNOWN)

    assert (VerdictKind.LATE_RENEWAL in kinds(a_case(trace=found))) is late
    assert VerdictKind.LATE_RENEWAL not in kinds(a_case(unknown, trace=found))


@pytest.mark.parametrize(("granted", "too_long"), [(600, False), (601, True)])
def test_a_long_ttl_is_told(granted: int, too_long: bool) -> None:  # noqa: FBT001
    """A granted TTL over the limit is a finding, whatever the lock's state."""
    found = seen(SimulatedLease(granted, 0.0), 1.0)

    assert (VerdictKind.LONG_TTL in kinds(a_case(trace=found))) is too_long


def test_every_verdict_carries_evidence_and_a_remedy() -> None:
    """No verdict is spoken without saying what it rests on and what to do."""
    for case in (a_case(), a_case(trace=None), a_case(CONTENDED), a_case(is_released=True)):
        for verdict in diagnose(case):
            assert verdict.remedy
            assert verdict.evidence


def test_renewals_before_the_hold_accuse_nobody() -> None:
    """A long-lived session that has only just taken the lock is no suspect."""
    fresh = a_case(renewals_of_hold=0, age=HoldAge(at_least_s=0.0))

    assert kinds(fresh) == [VerdictKind.UNDETERMINED]


def late(first: float, last: float) -> RenewalTrace:
    """Readings at two moments of a lease of 10 s that etcd does not end at 10.0."""
    readings: list[Reading] = [
        an_observation(at=at, remaining_ttl_s=math.trunc(10 - at), granted_ttl_s=10, lease_id=LEASE)
        for at in (first, last)
    ]
    return a_trace(readings=readings, lease_id=LEASE)


@pytest.mark.parametrize(
    ("last", "kind"),
    [
        (15.9, VerdictKind.EXPIRING),
        (16.0, VerdictKind.OVERDUE),
        (16.1, VerdictKind.OVERDUE),
    ],
)
def test_a_lease_that_etcd_does_not_end_is_overdue(last: float, kind: VerdictKind) -> None:
    """A holder whose time is over twice, five seconds apart, is held by etcd's own failure."""
    verdict = state(a_case(trace=late(11.0, last), renewals_of_hold=0))

    assert verdict.kind is kind


def test_an_overdue_lease_is_critical_with_waiters() -> None:
    """What nobody renews and etcd does not end blocks the queue for good."""
    alone = state(a_case(trace=late(11.0, 22.0)))
    blocking = state(a_case(CONTENDED, trace=late(11.0, 22.0)))

    assert (alone.severity, alone.confidence) == (Severity.WARNING, Confidence.PROVEN)
    assert (blocking.severity, blocking.leases) == (Severity.CRITICAL, (LEASE,))
    assert Expired(leases=1, for_s=12.0) in blocking.evidence


def test_a_key_that_outlives_its_lease_is_dangling() -> None:
    """The holder's key stands though its lease is gone: told, and critical with waiters."""
    verdict = state(a_case(CONTENDED, dangling=Dangling(HOLDER, 7.0)))

    assert (verdict.kind, verdict.severity) == (VerdictKind.DANGLING, Severity.CRITICAL)
    assert verdict.key == HOLDER.key
    assert KeyWithoutLease(for_s=7.0) in verdict.evidence


def test_a_waiter_that_outlives_its_lease_is_told_beside_the_holders_state() -> None:
    """Its turn will come; the holder is judged all the same."""
    old, limits = HoldAge(at_least_s=300.0), Thresholds(max_hold_s=300.0)
    case = a_case(CONTENDED, age=old, thresholds=limits, dangling=Dangling(WAITER, 7.0))
    found = diagnose(case)

    assert [(v.kind, v.severity) for v in found] == [
        (VerdictKind.LEAKED_LOCK, Severity.CRITICAL),
        (VerdictKind.DANGLING, Severity.WARNING),
    ]
    assert found[1].key == WAITER.key


def carrying(*keys: bytes) -> RenewalTrace:
    """A lease that carries the holder's key and others, renewed like KEPT."""
    looks = ((0.0, 44), (21.8, 57), (42.0, 56))
    return a_trace(
        readings=[
            an_observation(at=at, remaining_ttl_s=left, lease_id=LEASE, attached_keys=attached)
            for (at, left), attached in zip(
                looks, (tuple(sorted((HOLDER.key, *keys))), None, None), strict=True
            )
        ],
        lease_id=LEASE,
    )


def test_a_lease_with_keys_outside_the_lock_is_shared() -> None:
    """Information for whoever thinks of revoking it, and evidence on the leak itself."""
    case = a_case(trace=carrying(b"/x", b"/l/other"))
    found = diagnose(case)

    assert [(v.kind, v.severity) for v in found] == [
        (VerdictKind.SUSPECTED_LEAK, Severity.WARNING),
        (VerdictKind.SHARED_LEASE, Severity.OK),
    ]
    evidence = OtherKeys(count=2, keys=(b"/l/other", b"/x"))
    assert found[1].evidence == (evidence,)
    assert evidence in found[0].evidence


def test_a_lease_of_the_lock_alone_is_not_shared() -> None:
    """The lock's own keys, those of its waiters included, are no others."""
    assert kinds(a_case(trace=carrying())) == [VerdictKind.SUSPECTED_LEAK]
    assert kinds(a_case(CONTENDED, trace=carrying(WAITER.key))) == [VerdictKind.SUSPECTED_LEAK]


def test_of_many_other_keys_the_first_are_named() -> None:
    """The number is exact, the list is short."""
    keys = [b"/x/%04d" % number for number in range(3000)]
    (evidence,) = diagnose(a_case(trace=carrying(*keys)))[1].evidence

    assert evidence == OtherKeys(count=3000, keys=tuple(keys[:20]))


def test_a_key_of_unknown_make_is_not_called_shared() -> None:
    """A broker's dozens of keys on one lease are no locks: nothing is told for each of them."""
    broker = replace(MUTEX, recipe=Recipe.LEASED_KEY, kind=Kind.UNKNOWN)

    assert kinds(a_case(broker, trace=carrying(b"/x"))) == [VerdictKind.UNDETERMINED]


@pytest.mark.parametrize(
    ("changes", "evidence"),
    [
        ({"unclosed": 2}, [PossibleAbandonedKey(2, gave_up_elsewhere=False)]),
        ({"gave_up_elsewhere": True}, [PossibleAbandonedKey(0, gave_up_elsewhere=True)]),
        ({}, []),
    ],
)
def test_signs_of_a_phantom_are_told_as_a_possibility(
    changes: dict[str, Any], evidence: list[Evidence]
) -> None:
    """Where attempts give up and leave their sessions, the holder may be one more; else nothing."""
    for limits in (Thresholds(), Thresholds(max_hold_s=43.0)):
        verdict = state(a_case(thresholds=limits, **changes))

        assert [e for e in verdict.evidence if isinstance(e, PossibleAbandonedKey)] == evidence


def test_rises_that_a_new_leader_may_have_made_are_counted() -> None:
    """The lock is undetermined for them, and a steady leader would decide."""
    verdict = state(a_case(trace=replace(SEEN_ONCE, unconfirmed=2)))

    assert verdict.kind is VerdictKind.UNDETERMINED
    assert verdict.evidence[0] == LeaderChanged(discarded=2)
    assert verdict.remedy is Advice.SCAN_AGAIN_STEADY_LEADER


def test_a_window_that_was_too_short_is_named_with_one_that_suffices() -> None:
    """In whole seconds, rounded up; the evidence has the exact number and the TTL."""
    verdict = state(a_case(trace=SEEN_ONCE))

    assert verdict.evidence[0] == Unobservable(needed_s=43.5, granted_s=60)
    assert verdict.remedy == WatchLonger(44)
