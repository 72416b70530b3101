"""Treatments of a simulated cluster: what is done, what is refused, what is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lockdoctor.domain.evidence.verdicts import VerdictKind
from lockdoctor.domain.model.actions import Action, Result
from lockdoctor.domain.model.leases import NO_LEASE, LeaseId
from lockdoctor.domain.model.locks import Recipe
from lockdoctor.domain.treatment.plan import Selection
from lockdoctor.domain.treatment.reasons import (
    KeyGone,
    KeysUnseen,
    LeaseGoneAlready,
    NotFound,
    NotJudged,
    OutsideKeys,
    TooManyKeys,
    UnjudgedKeys,
)
from tests.factories.treatment import ORDERS, Room, key_of, only, tell

RELEASE = Selection(action=Action.RELEASE)
QUARANTINE = Selection(action=Action.QUARANTINE)


def test_a_leaked_holder_is_revoked_and_the_next_waiter_holds() -> None:
    """Key and lease are gone, the waiter that was said to be next has the lock."""

    async def story(room: Room) -> None:
        leaked, waiter, last = room.leak(), room.leak(), room.leak()
        plan = await room.plan()

        (target,) = plan.targets
        (approved_hold,) = target.approved_holds
        assert (target.lease_id, target.verdict) == (leaked, VerdictKind.LEAKED_LOCK)
        assert (approved_hold.waiters, approved_hold.next_key) == (2, key_of(waiter))
        assert "Renewed" in target.evidence
        assert room.key_writer.steps == []

        treatment = await room.treat(plan)

        treated = only(treatment)
        assert treatment.is_fine
        assert treated.result is Result.DONE
        assert room.key_writer.steps == ["delete", "revoke"]
        assert room.keys == {key_of(waiter), key_of(last)}
        assert leaked not in room.leases
        (queue,) = treated.queues
        assert (queue.holder, queue.lease_id, queue.was_waiting) == (key_of(waiter), waiter, True)
        assert treated.took_s > 0

    tell(story)


def test_a_release_frees_the_lock_and_lets_the_session_live() -> None:
    """Only the hold goes; what else is on the lease stays, wherever it lies."""

    async def story(room: Room) -> None:
        leaked = room.leak()
        room.cluster.put(b"/elsewhere", lease_id=leaked)
        treated = only(await room.treat(await room.plan(RELEASE)))

        assert treated.result is Result.DONE
        assert (room.keys, leaked in room.leases) == ({b"/elsewhere"}, True)
        assert [queue.holder for queue in treated.queues] == [None]

    tell(story)


def test_a_quarantine_runs_out_by_itself() -> None:
    """The hold stays in its place on a short lease, then it goes and the next waiter holds."""

    async def story(room: Room) -> None:
        leaked, waiter = room.leak(), room.leak()
        plan = await room.plan(QUARANTINE, quarantine_s=60)
        treated = only(await room.treat(plan))

        assert treated.result is Result.DONE
        assert treated.undo_until is not None
        assert 59 <= treated.undo_until - room.clock.now() <= 60
        assert room.keys == {key_of(leaked), key_of(waiter)}
        held = await room.key_writer.key(key_of(leaked))
        assert held is not None
        assert held.create_revision == plan.targets[0].holds[0].create_revision
        assert held.lease_id not in {leaked, waiter}

        await room.clock.sleep(62)
        assert await room.key_writer.key(key_of(leaked)) is None
        assert leaked in room.leases

    tell(story)


def test_a_quarantine_is_undone() -> None:
    """The hold is back on its old lease, in its old place, and stays there."""

    async def story(room: Room) -> None:
        leaked = room.leak()
        room.leak()
        treated = only(await room.treat(await room.plan(QUARANTINE)))
        assert treated.entry_id is not None

        undone = await room.undo(treated.entry_id)
        again = await room.undo(treated.entry_id)

        assert (undone.result, again.result) == (Result.DONE, Result.ALREADY_GONE)
        await room.clock.sleep(120)
        held = await room.key_writer.key(key_of(leaked))
        assert held is not None
        assert held.lease_id == leaked
        assert [entry.intent.action for entry in room.journal.entries()] == [
            Action.QUARANTINE,
            Action.UNDO,
        ]

    tell(story)


def test_a_quarantine_that_is_over_cannot_be_undone() -> None:
    """The key is gone, or its old lease is, or somebody has taken the lock: refused, and why."""

    async def story(room: Room) -> None:
        leaked = room.leak()
        treated = only(await room.treat(await room.plan(QUARANTINE)))
        assert treated.entry_id is not None
        room.cluster.revoke(leaked)
        early = await room.undo(treated.entry_id)
        await room.clock.sleep(62)
        late = await room.undo(treated.entry_id)

        assert (early.result, early.changed) == (Result.REFUSED, (LeaseGoneAlready(),))
        assert (late.result, late.changed) == (Result.REFUSED, (KeyGone(key_of(leaked)),))

    tell(story)


def test_a_key_without_a_lease_is_released() -> None:
    """There is no lease to end; its verdict must be named."""

    async def story(room: Room) -> None:
        key = room.cluster.put(ORDERS + b"/694d7a1b2c3d4e5f")
        waiter = room.lock(room.session())
        unnamed = await room.plan(keys=(key.key,))
        plan = await room.plan(verdicts=frozenset({VerdictKind.ETERNAL_LOCK}))

        assert unnamed.refused[0].reasons == (NotJudged(VerdictKind.ETERNAL_LOCK),)
        assert plan.targets[0].action is Action.RELEASE
        assert only(await room.treat(plan)).result is Result.DONE
        assert room.keys == {waiter.key}

    tell(story)


@pytest.mark.parametrize("waits", [True, False])
def test_an_eternal_lock_may_be_released_once_its_waiter_has_gone(
    waits: bool,  # noqa: FBT001
) -> None:
    """Whether somebody still stands behind it changes nothing of the key."""

    async def story(room: Room) -> None:
        key = room.cluster.put(ORDERS + b"/694d7a1b2c3d4e5f")
        waiter = room.lock(room.session())
        plan = await room.plan(verdicts=frozenset({VerdictKind.ETERNAL_LOCK}))
        if not waits:
            room.cluster.delete(waiter.key)

        assert only(await room.treat(plan)).result is Result.DONE
        assert key.key not in room.keys

    tell(story)


def test_patronis_leader_without_a_lease_may_be_released() -> None:
    """It is found again though its own key alone does not show what it is."""

    async def story(room: Room) -> None:
        member = b'{"conn_url": "postgres://b", "api_url": "http://b"}'
        room.cluster.put(b"/l/pg/leader", b"node-a")
        room.cluster.put(b"/l/pg/config", b"{}")
        room.cluster.put(b"/l/pg/members/node-b", member, room.session())
        plan = await room.plan(verdicts=frozenset({VerdictKind.ETERNAL_LOCK}))

        assert [approved_hold.lock.recipe for approved_hold in plan.targets[0].approved_holds] == [
            Recipe.PATRONI
        ]
        assert only(await room.treat(plan)).result is Result.DONE
        assert room.keys == {b"/l/pg/config", b"/l/pg/members/node-b"}

    tell(story)


def test_a_key_without_a_lease_in_quarantine_comes_back_without_one() -> None:
    """The undo takes it off lockdoctor's lease again."""

    async def story(room: Room) -> None:
        key = room.cluster.put(ORDERS + b"/694d7a1b2c3d4e5f")
        room.lock(room.session())
        verdicts = frozenset({VerdictKind.ETERNAL_LOCK})
        treated = only(await room.treat(await room.plan(QUARANTINE, verdicts=verdicts)))
        assert treated.entry_id is not None

        assert (await room.undo(treated.entry_id)).result is Result.DONE
        back = await room.key_writer.key(key.key)
        assert back is not None
        assert (back.lease_id, back.create_revision) == (NO_LEASE, key.create_revision)

    tell(story)


REASONS: list[tuple[dict[str, Any], Callable[[Room, LeaseId], object], type, dict[str, Any]]] = [
    (
        {},
        lambda room, lease: room.cluster.put(b"/elsewhere", lease_id=lease),
        OutsideKeys,
        {"outside_keys": True},
    ),
    (
        {},
        lambda room, lease: room.lock(lease, b"/l/another"),
        UnjudgedKeys,
        {"even_if_healthy": True},
    ),
    (
        {"most_keys": 1, "outside_keys": True},
        lambda room, lease: room.cluster.put(b"/elsewhere", lease_id=lease),
        TooManyKeys,
        {"most_keys": 2},
    ),
]


@pytest.mark.parametrize(("flags", "more", "reason", "named"), REASONS)
def test_each_reason_needs_its_flag(
    flags: dict[str, Any],
    more: Callable[[Room, LeaseId], object],
    reason: type,
    named: dict[str, Any],
) -> None:
    """Refused until it is named; a release, which touches the hold alone, needs no naming."""

    async def story(room: Room) -> None:
        leaked = room.leak()
        more(room, leaked)
        for second in range(300):  # a second lock of the session is at work: never held for long
            at = room.clock.now() + second + 0.7
            room.cluster.at(at, lambda: room.cluster.delete(b"/l/another/%x" % leaked))
            room.cluster.at(at + 0.01, lambda: more(room, leaked))
        refused = await room.plan(**flags)
        planned = await room.plan(**{**flags, **named})
        release = await room.plan(RELEASE)

        assert [type(each) for each in refused.refused[0].reasons] == [reason]
        assert refused.targets == ()
        assert [len(target.others) for target in planned.targets] == [1]
        assert [target.others for target in release.targets] == [()]

    tell(story)


def test_keys_that_cannot_be_seen_are_not_revoked() -> None:
    """A role that may not see all keys on a lease can release, not revoke."""

    async def story(room: Room) -> None:
        room.leak()
        room.cluster.attached_keys_denied = True

        plan = await room.plan()

        assert isinstance(plan.refused[0].reasons[0], KeysUnseen)
        assert len((await room.plan(RELEASE)).targets) == 1

    tell(story)


def test_whoever_is_not_judged_leaked_is_refused() -> None:
    """A waiter, an election, a key that is not there: none is treated by naming it alone."""

    async def story(room: Room) -> None:
        room.leak()
        waiter, leader, stranger = room.leak(), room.session(), room.session()
        room.cluster.put(b"/l/election/%x" % leader, b"candidate", leader)
        room.cluster.put(b"/elsewhere", lease_id=stranger)

        plan = await room.plan(leases=(waiter, leader, stranger), keys=(b"/l/nothing",))

        assert plan.targets == ()
        reasons = {each.lease_id: each.reasons for each in plan.refused}
        assert reasons[waiter] == (NotJudged(None),)
        assert reasons[leader] == (NotJudged(VerdictKind.HEALTHY),)
        assert reasons[stranger] == (NotFound(1),)
        assert reasons[NO_LEASE] == (NotFound(None),)

        forced = await room.plan(leases=(waiter, leader, stranger), even_if_healthy=True)
        assert [target.lease_id for target in forced.targets] == [waiter, leader]
        assert [target.approved_holds[0].is_holder for target in forced.targets] == [False, True]

    tell(story)


def test_the_oldest_holds_come_first_and_no_more_than_asked() -> None:
    """Those beyond the most are counted for a next run."""

    async def story(room: Room) -> None:
        leases = [room.leak(b"/l/%d" % n) for n in (3, 1, 2)]

        plan = await room.plan(most=2)

        assert [target.lease_id for target in plan.targets] == leases[:2]
        assert plan.beyond_most == 1

    tell(story)


def test_young_holds_are_left_out() -> None:
    """A hold that is not proven to be old enough is counted, and refused where it is named."""

    async def story(room: Room) -> None:
        leaked = room.leak()

        left = await room.plan(min_held_s=3600)
        named = await room.plan(min_held_s=3600, leases=(leaked,))

        assert (left.targets, left.too_young) == ((), 1)
        assert (named.targets, len(named.refused)) == ((), 1)

    tell(story)


def test_locks_of_one_session_are_one_target() -> None:
    """A lease that holds two leaked locks is ended once, and frees both."""

    async def story(room: Room) -> None:
        lease = room.leak(b"/l/a")
        room.lock(lease, b"/l/b")
        plan = await room.plan()

        assert [len(target.approved_holds) for target in plan.targets] == [2]
        assert only(await room.treat(plan)).result is Result.DONE
        assert room.keys == set()

    tell(story)


def test_a_lease_with_more_holds_than_one_write_takes() -> None:
    """They go in several writes, then the lease."""

    async def story(room: Room) -> None:
        lease = room.session()
        for n in range(90):
            room.lock(lease, b"/l/%d" % n)
        plan = await room.plan(most_keys=100)

        assert only(await room.treat(plan)).result is Result.DONE
        assert room.key_writer.steps == ["delete"] * 3 + ["revoke"]
        assert room.keys == set()

    tell(story)


def test_sessions_that_pile_up_are_ended() -> None:
    """Leases without keys are revoked one by one; those that have a key are left alone."""

    async def story(room: Room) -> None:
        for n in range(60):
            room.cluster.at(room.clock.now() + n / 5, room.session)
        at_work = room.leak(b"/l/other")
        plan = await room.plan(sessions=True, most=100, prefixes=())

        assert len(plan.targets) > 10
        assert at_work not in {target.lease_id for target in plan.targets}
        treatment = await room.treat(plan)
        assert treatment.is_fine
        assert at_work in room.leases

    tell(story)


def test_idle_sessions_are_not_ended_unasked() -> None:
    """A pool stays; only --even-if-healthy ends it. And there is nothing on them to release."""

    async def story(room: Room) -> None:
        pooled = [room.session() for _ in range(3)]

        plan = await room.plan(sessions=True)
        named = await room.plan(leases=(pooled[0],))
        forced = await room.plan(sessions=True, even_if_healthy=True)
        release = await room.plan(RELEASE, leases=(pooled[0],))

        assert (plan.targets, plan.refused) == ((), ())
        assert named.refused[0].reasons == (NotJudged(VerdictKind.IDLE_SESSION),)
        assert [target.lease_id for target in forced.targets] == pooled
        assert (release.targets, len(release.refused)) == ((), 1)

    tell(story)
