"""Whether a leak comes back: the same lock, another lease, renewed."""

from __future__ import annotations

from dataclasses import replace

from lockdoctor.domain.model.actions import Action
from lockdoctor.errors import ClusterUnreachableError
from lockdoctor.ports import StopRequest
from tests.factories.treatment import ORDERS, Room, key_of, tell


def test_a_process_that_still_runs_takes_the_lock_again() -> None:
    """A lease that had not waited holds and renews: the leak is back."""

    async def story(room: Room) -> None:
        room.leak()
        treatment = await room.treat(await room.plan())
        room.cluster.at(room.clock.now() + 5, room.leak)
        (relapse,) = await room.watch(treatment, 30.0)

        assert relapse.key in room.keys
        assert (relapse.lock, relapse.was_waiting) == (ORDERS, False)
        assert relapse.renewals >= 1
        assert 20 < relapse.held_s <= 25.5
        assert not replace(treatment, relapses=(relapse,)).is_fine

    tell(story)


def test_a_waiter_that_got_the_lock_may_be_at_work() -> None:
    """It is told, but it is no sign that the leak is back."""

    async def story(room: Room) -> None:
        room.leak()
        waiter = room.leak()
        treatment = await room.treat(await room.plan())
        (relapse,) = await room.watch(treatment, 30.0)

        assert (relapse.lease_id, relapse.was_waiting) == (waiter, True)
        assert replace(treatment, relapses=(relapse,)).is_fine

    tell(story)


def test_workers_that_give_the_lock_back_are_no_relapse() -> None:
    """A lock that changes hands is healthy; so is one that nobody wants, or that is running out."""

    async def story(room: Room) -> None:
        for name in (b"/l/worked", b"/l/free", b"/l/crashed"):
            room.leak(name)
        treatment = await room.treat(await room.plan())
        worker = room.session()
        for second in range(40):
            at = room.clock.now() + second
            room.cluster.at(at, lambda: room.lock(worker, b"/l/worked"))
            room.cluster.at(at + 0.9, lambda: room.cluster.delete(key_of(worker, b"/l/worked")))
        crashed = room.leak(b"/l/crashed")
        room.cluster.stop_renewing(crashed)

        assert await room.watch(treatment, 30.0) == ()

    tell(story)


def test_a_quarantine_is_not_watched() -> None:
    """The lock is still held."""

    async def story(room: Room) -> None:
        room.leak()
        treatment = await room.treat(await room.plan(action=Action.QUARANTINE))

        began_at = room.clock.now()
        assert await room.watch(treatment, 30.0) == ()
        assert room.clock.now() - began_at < 1

    tell(story)


def test_a_cluster_that_fails_ends_the_watch() -> None:
    """What was done is done; the watch tells what it saw, and why it ended."""

    async def story(room: Room) -> None:
        room.leak()
        treatment = await room.treat(await room.plan())
        failure = ClusterUnreachableError("gone")
        room.cluster.at(room.clock.now() + 2, lambda: setattr(room.cluster, "unreachable", failure))
        room.stop = StopRequest()

        assert await room.watch(treatment, 30.0) == ()
        assert room.stop.reason == "gone"

    tell(story)
