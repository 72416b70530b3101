"""Others who act between plan and treatment, at every step: nothing of theirs is touched."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lockdoctor.domain.model.actions import Action, Result
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.treatment.plan import Selection
from lockdoctor.domain.treatment.reasons import (
    Change,
    HolderChanged,
    KeyAdded,
    KeyGone,
    KeyRecreated,
    KeyRewritten,
    LeaderChangedSince,
    TtlChanged,
)
from tests.factories.treatment import ORDERS, WAYS, Room, key_of, only, tell

RELEASE = Selection(action=Action.RELEASE)


def release(room: Room, lease: LeaseId) -> None:
    """Its client unlocks."""
    room.cluster.delete(key_of(lease))


def release_to_waiter(room: Room, lease: LeaseId) -> None:
    """Its client unlocks, and one that has waited holds."""
    room.leak()
    release(room, lease)


def lock_again(room: Room, lease: LeaseId) -> None:
    """Its client unlocks and locks again: the same key on the same lease."""
    release(room, lease)
    room.lock(lease)


def lock_again_behind_waiter(room: Room, lease: LeaseId) -> None:
    """The same, but somebody else was first."""
    room.leak()
    lock_again(room, lease)


def write_again(room: Room, lease: LeaseId) -> None:
    """Its client gives a sign of life."""
    room.cluster.put(key_of(lease), b"alive", lease)


def change_lease(room: Room, lease: LeaseId) -> None:
    """Somebody puts the key onto another lease."""
    room.cluster.put(key_of(lease), b"", room.session())


def grant_again(room: Room, lease: LeaseId) -> None:
    """The lease ends, and its ID is granted anew."""
    room.cluster.revoke(lease)
    room.cluster.grant(77, lease)
    room.lock(lease)


def elect(room: Room, _: LeaseId) -> None:
    """Another leader takes office."""
    room.cluster.change_leader()


Race = Callable[[Room, LeaseId], None]

RACES: dict[Race, set[type[Change]]] = {
    release: {KeyGone, HolderChanged},
    release_to_waiter: {KeyGone, HolderChanged},
    lock_again: {KeyRecreated},
    lock_again_behind_waiter: {KeyRecreated, HolderChanged},
    write_again: {KeyRewritten},
    change_lease: {KeyRewritten, HolderChanged},
    grant_again: {TtlChanged, KeyRecreated},
    elect: {LeaderChangedSince},
}
"""What others do, and what is found changed."""


@pytest.mark.parametrize("action", WAYS, ids=lambda action: str(action.value))
@pytest.mark.parametrize("race", RACES)
def test_what_changed_since_the_plan_is_refused(race: Race, action: Action) -> None:
    """Nothing is written, not even into the journal, and it is said what changed."""

    async def story(room: Room) -> None:
        leaked = room.leak()
        plan = await room.plan(action=action)
        race(room, leaked)
        keys, leases = room.keys, room.leases
        treated = only(await room.treat(plan))

        # a hold that is gone is what a release or a quarantine was for
        is_done = race in {release, release_to_waiter} and action is not Action.REVOKE
        assert treated.result is (Result.ALREADY_GONE if is_done else Result.REFUSED)
        assert {type(change) for change in treated.changed} == (set() if is_done else RACES[race])
        assert (room.keys, room.leases) == (keys, leases)
        assert (room.key_writer.steps, room.journal.lines) == ([], [])

    tell(story)


def test_a_key_that_came_onto_the_lease_is_not_deleted_with_it() -> None:
    """Between plan and action the session registered something: a revocation is refused."""

    async def story(room: Room) -> None:
        leaked = room.leak()
        plan, release = await room.plan(), await room.plan(RELEASE)
        room.cluster.put(b"/elsewhere", lease_id=leaked)

        treated = only(await room.treat(plan))

        assert treated.changed == (KeyAdded(b"/elsewhere"),)
        assert only(await room.treat(release)).result is Result.DONE
        assert room.keys == {b"/elsewhere"}

    tell(story)


@pytest.mark.parametrize("action", WAYS, ids=lambda action: str(action.value))
@pytest.mark.parametrize("race", [race for race in RACES if race is not elect])
def test_the_guard_catches_who_is_faster_than_the_last_look(race: Race, action: Action) -> None:
    """What happens between the last look and the write leaves the new hold untouched."""

    async def story(room: Room) -> None:
        leaked = room.leak()
        plan = await room.plan(action=action)
        after: list[tuple[set[bytes], set[LeaseId]]] = []

        def faster(step: str) -> None:
            if step in {"delete", "move"} and not after:
                race(room, leaked)
                after.append((room.keys, room.leases))

        room.key_writer.before = faster
        treated = only(await room.treat(plan))

        assert treated.result in {Result.REFUSED, Result.ALREADY_GONE}
        assert (room.keys, room.leases) == after[0]
        (entry,) = room.journal.entries()
        assert entry.result is treated.result
        assert entry.perhaps_deleted == ()

    tell(story)


def test_a_session_that_locks_again_before_its_end_is_not_ended() -> None:
    """The old hold is deleted; the same key on the same lease is a new hold, and stays."""

    async def story(room: Room) -> None:
        leaked = room.leak()
        plan = await room.plan()

        def relock() -> None:
            if not room.keys and "delete" in room.key_writer.steps:
                room.lock(leaked)

        for step in range(1000):  # so often that it comes between any two requests
            room.cluster.at(room.clock.now() + step / 4000, relock)
        treated = only(await room.treat(plan))

        assert treated.result is Result.PARTLY
        assert treated.changed == (KeyAdded(key_of(leaked)),)
        assert room.key_writer.steps == ["delete"]
        assert room.keys == {key_of(leaked)}
        (entry,) = room.journal.entries()
        assert [key.key for key in entry.perhaps_deleted] == [key_of(leaked)]

    tell(story)


def test_the_window_that_remains() -> None:
    """Etcd cannot revoke on a condition: what comes onto the lease in the last moment goes too."""

    async def story(room: Room) -> None:
        leaked = room.leak()
        plan = await room.plan()

        def last_moment(step: str) -> None:
            if step == "revoke":
                room.lock(leaked)

        room.key_writer.before = last_moment
        treated = only(await room.treat(plan))

        assert treated.result is Result.DONE
        assert room.keys == set()

    tell(story)


def test_a_waiter_that_has_become_the_holder_is_not_ended() -> None:
    """It was approved as one that waits."""

    async def story(room: Room) -> None:
        leaked, waiter = room.leak(), room.leak()
        plan = await room.plan(leases=(waiter,), even_if_healthy=True)
        room.cluster.delete(key_of(leaked))

        treated = only(await room.treat(plan))

        assert treated.changed == (HolderChanged(ORDERS, key_of(waiter)),)

    tell(story)


@pytest.mark.parametrize("action", WAYS, ids=lambda action: str(action.value))
def test_a_target_that_is_gone_counts_as_done(action: Action) -> None:
    """Its lease has ended, and its keys with it: nothing to do, and nothing is journalled."""

    async def story(room: Room) -> None:
        leaked = room.leak()
        plan = await room.plan(action=action)
        room.cluster.revoke(leaked)

        treatment = await room.treat(plan)

        assert only(treatment).result is Result.ALREADY_GONE
        assert treatment.is_fine
        assert room.journal.lines == []

    tell(story)
