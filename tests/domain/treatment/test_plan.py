"""What may be treated at all: the selection from a report, and every reason against one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from lockdoctor.domain.evidence.deadlock import HolderWaits
from lockdoctor.domain.evidence.verdicts import Accepted, Confidence, VerdictKind
from lockdoctor.domain.model.actions import Action
from lockdoctor.domain.model.leases import NO_LEASE, FailedReading, LeaseId, LeaseNotFound, Reading
from lockdoctor.domain.model.locks import Basis, Kind, LockKey, Recipe
from lockdoctor.domain.recipes.declaration import own_recipe
from lockdoctor.domain.recipes.registry import RecipeBook, built_in
from lockdoctor.domain.report.findings import LockReport
from lockdoctor.domain.treatment.approval import FreshReadings, approve
from lockdoctor.domain.treatment.plan import NAMEABLE, Refusal, Selection, Target
from lockdoctor.domain.treatment.preconditions import CurrentState, changes
from lockdoctor.domain.treatment.reasons import (
    AcceptedFinding,
    HolderIsWaiting,
    KeyGone,
    KeyRecreated,
    KeysUnseen,
    KindUnknown,
    LeaseGoneAlready,
    NotJudged,
    QueuePositionLost,
    RefusalReason,
    UnjudgedKeys,
)
from lockdoctor.domain.treatment.selection import Candidate, select
from tests.factories.plans import a_plan, a_target
from tests.factories.reports import (
    HOLDER,
    NOON,
    a_key,
    a_lock,
    a_lock_report,
    a_report,
    a_verdict,
    an_observation,
)

PREFIXES = (b"/my-lock/",)
ETERNAL = Selection(verdicts=frozenset({VerdictKind.ETERNAL_LOCK}))


def the_candidate(*locks: LockReport, selection: Selection | None = None) -> Candidate:
    (candidate,) = select(a_report(*locks), selection or Selection()).candidates
    return candidate


def planned(
    candidate: Candidate,
    selection: Selection | None = None,
    lease: Reading | FailedReading | None = None,
    keys: tuple[LockKey, ...] | None = None,
    book: RecipeBook | None = None,
) -> Target | Refusal:
    """Approve a candidate whose keys are as they were seen, unless said otherwise."""
    holds = tuple(each.key for each in candidate.contenders)
    found = keys if keys is not None else holds
    attached = tuple(key.key for key in found)
    seen = lease or an_observation(lease_id=candidate.lease_id or HOLDER, attached_keys=attached)
    findings = FreshReadings(
        lease=seen if candidate.lease_id != NO_LEASE else None,
        keys={key.key: key for key in found},
    )
    return approve(
        candidate, findings, selection or Selection(), PREFIXES, book or built_in(), lambda _: "why"
    )


def reasons(planned: Target | Refusal) -> tuple[RefusalReason, ...]:
    assert isinstance(planned, Refusal)
    return planned.reasons


def test_a_leaked_holder_is_planned() -> None:
    """Its hold, its queue, its evidence; and no value."""
    lock = a_lock(waiters=2)
    target = planned(the_candidate(a_lock_report(lock)))

    assert isinstance(target, Target)
    assert (target.action, target.lease_id, target.granted_ttl_s) == (Action.REVOKE, HOLDER, 60)
    (approved_hold,) = target.approved_holds
    assert (approved_hold.hold, approved_hold.waiters, approved_hold.next_key) == (
        lock.holder,
        2,
        lock.waiters[0].key,
    )
    assert set(target.evidence) == {"why"}


@pytest.mark.parametrize(
    "kind", [kind for kind in VerdictKind if kind is not VerdictKind.LEAKED_LOCK]
)
def test_nothing_else_is_treated_unnamed(kind: VerdictKind) -> None:
    """Neither by itself, nor when its lease or its key is named."""
    report = a_report(a_lock_report(a_lock(), a_verdict(kind)))

    assert select(report, Selection()).candidates == []
    for named in (Selection(leases=(HOLDER,)), Selection(keys=(a_key().key,))):
        (candidate,) = select(report, named).candidates
        assert reasons(planned(candidate, named)) == (NotJudged(kind),)
        assert isinstance(planned(candidate, replace(named, even_if_healthy=True)), Target)


CERTAIN = {basis for basis in Basis if basis.is_certain}


@pytest.mark.parametrize("confidence", list(Confidence))
@pytest.mark.parametrize("basis", list(Basis))
def test_the_gate_of_a_leak(basis: Basis, confidence: Confidence) -> None:
    """By default a proven leak of a lock that is known; by name also what is only likely."""
    kind = Kind.UNKNOWN if basis is Basis.UNKNOWN else Kind.LOCK
    lock = a_lock(kind=kind, basis=basis)
    report = a_report(a_lock_report(lock, a_verdict(lock=lock, confidence=confidence)))
    is_planned = basis in CERTAIN and confidence is Confidence.PROVEN
    assert bool(select(report, Selection()).candidates) is is_planned

    for named in (Selection(keys=(a_key().key,)), Selection(leases=(HOLDER,))):
        (candidate,) = select(report, named).candidates
        assert isinstance(planned(candidate, named), Target) is (kind is Kind.LOCK)

    whole = Selection(whole_prefix=True)
    (candidate,) = select(report, whole).candidates
    assert isinstance(planned(candidate, whole), Target) is (basis in CERTAIN)


@pytest.mark.parametrize("kind", list(NAMEABLE))
@pytest.mark.parametrize("basis", list(Basis))
def test_the_gate_of_a_named_verdict(basis: Basis, kind: VerdictKind) -> None:
    """A verdict names no key: the kind must be known. What it would not select is not counted."""
    lock = a_lock(kind=Kind.UNKNOWN if basis is Basis.UNKNOWN else Kind.LOCK, basis=basis)
    report = a_report(a_lock_report(lock, a_verdict(kind, lock=lock)))
    wanted = Selection(verdicts=frozenset({kind}))
    plans = [planned(candidate, wanted) for candidate in select(report, wanted).candidates]

    assert any(isinstance(plan, Target) for plan in plans) is (basis in CERTAIN)
    if basis is Basis.LIKELY:
        assert not select(report, Selection()).unnamed


@pytest.mark.parametrize("kind", [Kind.ELECTION, Kind.REGISTRATION, Kind.DATA])
def test_only_a_lock_is_planned_as_leaked(kind: Kind) -> None:
    """Whatever was concluded: the others are held by design."""
    lock = a_lock(kind=kind)

    assert not select(a_report(a_lock_report(lock, a_verdict(lock=lock))), Selection()).candidates


def test_what_another_verdict_would_select_is_counted() -> None:
    """Who reads that there is nothing to treat learns which word is missing."""
    suspected = a_lock_report(a_lock(), a_verdict(VerdictKind.SUSPECTED_LEAK))
    healthy = a_lock_report(a_lock(b"/my-lock/b"), a_verdict(VerdictKind.HEALTHY))
    report = a_report(suspected, healthy)

    assert select(report, Selection()).unnamed == {VerdictKind.SUSPECTED_LEAK: 1}
    assert not select(report, Selection(verdicts=frozenset(NAMEABLE))).unnamed
    assert not select(report, Selection(leases=(HOLDER,))).unnamed


def test_the_verdict_on_one_key_is_none_on_another() -> None:
    """A key without a lease that waits is judged; the holder in front of it is not."""
    waiting = a_key(b"/my-lock/orders/694d7a1b2c3d4e5f", lease_id=0, create_revision=20)
    lock = replace(a_lock(), waiters=(waiting,))
    verdict = a_verdict(VerdictKind.ETERNAL_LOCK, lock=lock, key=waiting.key, leases=())
    candidate = the_candidate(a_lock_report(lock, verdict), selection=ETERNAL)
    target = planned(candidate, ETERNAL)

    assert isinstance(target, Target)
    assert (target.action, target.holds) == (Action.RELEASE, (waiting,))
    assert not target.approved_holds[0].is_holder


@pytest.mark.parametrize("kind", list(VerdictKind))
def test_what_may_be_no_lock_is_never_planned(kind: VerdictKind) -> None:
    """Whatever was concluded and whoever insists, unless the kind is stated."""
    key = a_key(b"/my-lock/x")
    lock = a_lock(b"/my-lock/x", holder=key, recipe=Recipe.SINGLE_KEY, kind=Kind.UNKNOWN)
    named = Selection(keys=(key.key,), verdicts=frozenset(NAMEABLE), even_if_healthy=True)
    for selection in (named, replace(named, keys=(), whole_prefix=True)):
        guessed = the_candidate(
            a_lock_report(lock, a_verdict(kind, lock=lock)), selection=selection
        )
        stated = replace(lock, kind=Kind.LOCK, basis=Basis.POLICY)
        known = the_candidate(
            a_lock_report(stated, a_verdict(kind, lock=stated)), selection=selection
        )

        assert reasons(planned(guessed, selection)) == (KindUnknown(key.key),)
        assert isinstance(planned(known, selection), Target)


def test_what_may_be_data_hangs_on_a_lease_that_is_named() -> None:
    """The lock's key is the target; the other one goes with the lease, if that is insisted upon."""
    data = a_key(b"/my-lock/x")
    guess = a_lock(b"/my-lock/x", holder=data, recipe=Recipe.LEASED_KEY, kind=Kind.UNKNOWN)
    named = Selection(leases=(HOLDER,))
    reports = (a_lock_report(guess, a_verdict(VerdictKind.UNDETERMINED, lock=guess)),)
    candidate = the_candidate(a_lock_report(), *reports, selection=named)
    keys = (a_key(), data)

    assert [each.key for each in candidate.contenders] == [a_key()]
    assert reasons(planned(candidate, named, keys=keys)) == (UnjudgedKeys(1, data.key),)
    target = planned(candidate, replace(named, even_if_healthy=True), keys=keys)
    assert isinstance(target, Target)
    assert target.others == (data,)


@pytest.mark.parametrize("kind", [Kind.UNKNOWN, Kind.REGISTRATION])
def test_what_blocks_a_queue_from_outside_is_planned_as_what_it_is(kind: Kind) -> None:
    """Data below a mutex's name are not deleted because the mutex waits for them."""
    key = a_key(b"/my-lock/orders/config", lease_id=0, create_revision=1)
    lock = a_lock(holder=key, waiters=1, foreign_holder=True, foreign_kind=kind)
    verdict = a_verdict(VerdictKind.ETERNAL_LOCK, lock=lock)
    candidate = the_candidate(a_lock_report(lock, verdict), selection=ETERNAL)

    assert reasons(planned(candidate, ETERNAL)) == (KindUnknown(key.key),)


def test_what_somebody_has_accepted_is_left_alone() -> None:
    """It is not selected by itself, and refused where it is named."""
    accepted = replace(a_verdict(), accepted=Accepted(until=date(2026, 12, 31), reason="known"))
    report = a_report(a_lock_report(a_lock(), accepted))
    named = Selection(leases=(HOLDER,))
    (candidate,) = select(report, named).candidates

    assert select(report, Selection()).candidates == []
    assert reasons(planned(candidate, named)) == (AcceptedFinding("2026-12-31", "known"),)


def test_a_holder_that_is_stuck_itself_is_no_culprit() -> None:
    """Its session waits for another lock: that one is to be seen to first."""
    stuck = replace(a_verdict(), evidence=(HolderWaits(b"/my-lock/first"),))
    candidate = the_candidate(a_lock_report(a_lock(), stuck))

    assert reasons(planned(candidate)) == (HolderIsWaiting(b"/my-lock/first"),)


@pytest.mark.parametrize("recipe", [Recipe.RW_MUTEX, Recipe.VITESS, Recipe.VITESS_ELECTION])
def test_a_queue_that_goes_by_the_last_write_is_not_quarantined(recipe: Recipe) -> None:
    """The hold would lose its place; to release it is fine."""
    candidate = the_candidate(a_lock_report(a_lock(recipe=recipe)))

    quarantine = planned(candidate, Selection(action=Action.QUARANTINE))
    assert reasons(quarantine) == (QueuePositionLost(),)
    assert isinstance(planned(candidate, Selection(action=Action.RELEASE)), Target)


def test_a_recipe_of_ones_own_is_quarantined_by_its_rules() -> None:
    """Its recipe tells whether the hold would lose its place."""
    table = {"name": "own-queue", "match": "/my-lock/{lock}/{lease:hex}", "kind": "lock"}
    lock = a_lock(recipe=Recipe("own-queue"), kind=Kind.LOCK)
    candidate = the_candidate(a_lock_report(lock))
    for holder, is_planned in (("lowest-create-revision", True), ("lowest-mod-revision", False)):
        own = own_recipe(table | {"holder": holder}, ())
        quarantine = Selection(action=Action.QUARANTINE)
        found = planned(candidate, quarantine, book=built_in().with_own((own,)))
        assert isinstance(found, Target) is is_planned


def test_those_who_share_a_lock_hold_it() -> None:
    """One of several readers that is ended leaves the others in place: nobody gets the lock."""
    reader = a_key(b"/my-lock/rw/read/1", lease_id=0xB1, create_revision=11)
    lock = replace(a_lock(waiters=1), sharers=(reader,))
    named = Selection(leases=(LeaseId(0xB1),), even_if_healthy=True)
    target = planned(the_candidate(a_lock_report(lock), selection=named), named)

    assert isinstance(target, Target)
    (approved_hold,) = target.approved_holds
    assert (approved_hold.is_holder, approved_hold.waiters, approved_hold.next_key) == (
        True,
        1,
        None,
    )


def test_a_key_that_blocks_two_queues_is_taken_once() -> None:
    """As the holder of its own lock, though it lies below the name of another."""
    below = a_key(lock=b"/my-lock/orders/part", create_revision=5)
    own = a_lock(b"/my-lock/orders/part", holder=below)
    other = a_lock(holder=below, waiters=1, foreign_holder=True, foreign_kind=Kind.LOCK)
    candidate = the_candidate(
        a_lock_report(other, a_verdict(lock=other)), a_lock_report(own, a_verdict(lock=own))
    )

    (contender,) = candidate.contenders
    assert contender.report.lock.name == b"/my-lock/orders/part"


def test_a_holder_comes_before_those_who_wait_behind_it() -> None:
    """Whatever the order in which they are named."""
    lock = a_lock(waiters=2)
    waiters = [waiter.lease_id for waiter in lock.waiters]
    named = Selection(leases=(waiters[1], HOLDER, waiters[0]))
    found = select(a_report(a_lock_report(lock)), named)

    assert [each.lease_id for each in found.candidates] == [HOLDER, *waiters]


@pytest.mark.parametrize(
    ("lease", "reason"),
    [
        (
            LeaseNotFound(lease_id=HOLDER, asked_at=NOON, answered_at=NOON, raft_term=2),
            LeaseGoneAlready(),
        ),
        (FailedReading(lease_id=HOLDER, asked_at=NOON, reason="denied"), KeysUnseen("denied")),
        (
            an_observation(attached_keys=None),
            KeysUnseen(None),
        ),
    ],
)
def test_a_lease_that_cannot_be_seen_is_not_revoked(lease: Any, reason: RefusalReason) -> None:
    """Gone, unreadable, or read without its keys."""
    assert reasons(planned(the_candidate(a_lock_report()), lease=lease)) == (reason,)


def test_a_hold_that_changed_while_it_was_planned_is_refused() -> None:
    """The scan saw another one, or the key is no more."""
    candidate = the_candidate(a_lock_report())
    anew = a_key(create_revision=99)

    assert reasons(planned(candidate, keys=())) == (KeyGone(anew.key),)
    assert reasons(planned(candidate, keys=(anew,))) == (KeyRecreated(anew.key),)


def test_what_is_unchanged_has_no_changes() -> None:
    """The same lease, keys, holder and term: nothing stands in the way."""
    target, lock = a_target(), a_lock()
    now = CurrentState(
        raft_term=2,
        lease=an_observation(attached_keys=(a_key().key,)),
        keys={a_key().key: a_key()},
        locks=[lock],
    )

    assert changes(target, a_plan(target), now) == ()
    assert not now.is_gone(target)
