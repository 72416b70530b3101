"""Undoing a quarantine of many keys: what was ended halfway is completed later."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import pytest

from lockdoctor.domain.model.actions import Action, Result
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.treatment.journal_entry import EntryId
from lockdoctor.domain.treatment.plan import Selection
from lockdoctor.domain.treatment.reasons import Failure, FailureKind, KeyGone, KeyRewritten
from lockdoctor.errors import WrongClusterError
from lockdoctor.ports import MAX_KEYS_PER_WRITE
from tests.factories.treatment import Room, key_of, tell

NUMBER = 100
"""Keys of one session: three guarded writes."""


class Killed(BaseException):
    """What kill -9 is to a run: nothing more is done, nothing more is written down."""


def name(number: int) -> bytes:
    """The name of a lock."""
    return b"/l/%03d" % number


def at_move(number: int, happens: Callable[[], object]) -> Callable[[str], object]:
    """Let something happen when the n-th guarded write comes to etcd."""
    moves: list[str] = []

    def before(step: str) -> None:
        if step == "move":
            moves.append(step)
            if len(moves) == number:
                happens()

    return before


def die() -> None:
    """End as kill -9 would."""
    raise Killed


async def quarantined(room: Room, before: Callable[[str], object] = lambda _: None) -> LeaseId:
    """Put the holds of one session into quarantine, as far as that comes."""
    leaked = room.session()
    for number in range(NUMBER):
        room.lock(leaked, name(number))
    plan = await room.plan(
        Selection(action=Action.QUARANTINE, leases=(leaked,), quarantine_s=60, most_keys=NUMBER)
    )
    assert [len(target.approved_holds) for target in plan.targets] == [NUMBER]
    room.key_writer.before = before
    with contextlib.suppress(Killed):
        await room.treat(plan)
    room.key_writer.before = lambda _: None
    return leaked


def entry_of(room: Room) -> EntryId:
    """The entry of the quarantine."""
    return room.journal.entries()[0].intent.entry_id


def moved(room: Room, leaked: LeaseId) -> int:
    """Count the keys that are not on their old lease."""
    return sum(key.lease_id != leaked for key in room.cluster._keys.values())


async def assert_all_back(room: Room, leaked: LeaseId) -> None:
    """Every hold is on its old lease, and stays there."""
    assert room.keys == {key_of(leaked, name(number)) for number in range(NUMBER)}
    assert moved(room, leaked) == 0
    await room.clock.sleep(120)
    assert len(room.keys) == NUMBER


@pytest.mark.parametrize("number", [1, 2, 3])
def test_an_undo_that_was_killed_is_completed(number: int) -> None:
    """Between two guarded writes: the keys that are back are left alone, the others follow."""

    async def story(room: Room) -> None:
        leaked = await quarantined(room)
        room.key_writer.before = at_move(number, die)
        with pytest.raises(Killed):
            await room.undo(entry_of(room))
        assert moved(room, leaked) == NUMBER - MAX_KEYS_PER_WRITE * (number - 1)
        room.key_writer.before = lambda _: None
        before = len(room.key_writer.touched)

        undone = await room.undo(entry_of(room))
        again = await room.undo(entry_of(room))

        assert (undone.result, undone.changed) == (Result.DONE, ())
        assert len(room.key_writer.touched) - before == NUMBER - MAX_KEYS_PER_WRITE * (number - 1)
        assert again.result is Result.ALREADY_GONE
        await assert_all_back(room, leaked)

    tell(story)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_quarantine_that_was_killed_is_undone(number: int) -> None:
    """Only some of its keys were put away; the others never left."""

    async def story(room: Room) -> None:
        leaked = await quarantined(room, at_move(number, die))
        assert moved(room, leaked) == MAX_KEYS_PER_WRITE * (number - 1)

        undone = await room.undo(entry_of(room))

        assert undone.result is (Result.ALREADY_GONE if number == 1 else Result.DONE)
        await assert_all_back(room, leaked)

    tell(story)


def test_a_key_that_has_changed_keeps_no_other_in_quarantine() -> None:
    """Its client is at work, or has released it; the other holds would be lost with the minute."""

    async def story(room: Room) -> None:
        leaked = await quarantined(room)
        elsewhere = room.session()
        room.cluster.delete(key_of(leaked, name(1)))
        room.cluster.put(key_of(leaked, name(2)), b"", elsewhere)

        undone = await room.undo(entry_of(room))

        assert undone.result is Result.PARTLY
        assert undone.changed == (
            KeyGone(key_of(leaked, name(1))),
            KeyRewritten(key_of(leaked, name(2))),
        )
        assert not undone.is_fine
        assert moved(room, leaked) == 1
        (_, own) = room.journal.entries()
        assert (own.result, len(own.intent.keys)) == (Result.PARTLY, NUMBER - 2)

    tell(story)


def test_a_key_that_changes_in_the_middle_leaves_the_rest_to_the_next_time() -> None:
    """The guard of its write holds back forty keys; once more, and only that one is left."""

    async def story(room: Room) -> None:
        leaked = await quarantined(room)
        late = key_of(leaked, name(MAX_KEYS_PER_WRITE))
        room.key_writer.before = at_move(2, lambda: room.cluster.delete(late))
        first = await room.undo(entry_of(room))
        second = await room.undo(entry_of(room))

        assert (first.result, first.changed) == (Result.PARTLY, (KeyGone(late),))
        assert (second.result, second.changed) == (Result.PARTLY, (KeyGone(late),))
        assert moved(room, leaked) == 0
        assert len(room.keys) == NUMBER - 1

    tell(story)


def test_a_stop_before_the_first_write_writes_nothing() -> None:
    """Ctrl-C while it reads; the quarantine goes on, and can still be undone."""

    async def story(room: Room) -> None:
        leaked = await quarantined(room)
        room.stop.request("Ctrl-C")
        undone = await room.undo(entry_of(room))

        assert (undone.result, undone.failure) == (
            Result.FAILED,
            Failure(FailureKind.STOPPED, "Ctrl-C"),
        )
        assert moved(room, leaked) == NUMBER
        assert len(room.journal.entries()) == 1

    tell(story)


def test_a_stop_in_the_middle_lets_it_come_to_its_end() -> None:
    """All keys of one quarantine are one step."""

    async def story(room: Room) -> None:
        leaked = await quarantined(room)
        room.key_writer.before = at_move(2, lambda: room.stop.request("SIGHUP"))
        undone = await room.undo(entry_of(room))

        assert undone.result is Result.DONE
        await assert_all_back(room, leaked)

    tell(story)


def test_an_undo_that_is_cut_off_has_an_outcome() -> None:
    """It is not known what became of the write that was on its way, until somebody looks."""

    async def story(room: Room) -> None:
        leaked = await quarantined(room)

        def cut_off() -> None:
            room.stop.request("Ctrl-C")
            raise asyncio.CancelledError

        room.key_writer.before = at_move(2, cut_off)
        undone = await room.undo(entry_of(room))
        room.key_writer.before = lambda _: None
        assert undone.result is Result.UNKNOWN
        (_, own) = room.journal.entries()
        assert own.outcome is not None
        assert own.outcome.result is Result.UNKNOWN

        room.stop.reason = None
        assert (await room.undo(entry_of(room))).result is Result.DONE
        await assert_all_back(room, leaked)

    tell(story)


def test_another_cluster_in_the_middle_of_an_undo() -> None:
    """What was put back until then is told and written down."""

    async def story(room: Room) -> None:
        leaked = await quarantined(room)
        wrong = WrongClusterError("another cluster")
        room.key_writer.before = at_move(2, lambda: room.key_writer.refused.update(move=wrong))
        undone = await room.undo(entry_of(room))

        assert (undone.result, undone.failure) == (Result.PARTLY, "another cluster")
        assert moved(room, leaked) == NUMBER - MAX_KEYS_PER_WRITE
        assert room.journal.entries()[1].result is Result.PARTLY

    tell(story)


def test_a_quarantine_of_another_cluster_is_not_undone() -> None:
    """Nothing is read or written there."""

    async def story(room: Room) -> None:
        await quarantined(room)
        steps = list(room.key_writer.steps)
        room.cluster.cluster_id = 0xC2
        with pytest.raises(WrongClusterError, match=r"cluster c2, but entry \w+ of the journal"):
            await room.undo(entry_of(room))

        assert room.key_writer.steps == steps

    tell(story)
