"""Treatments in which etcd, the disk or the person in front of it stops us."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from lockdoctor.domain.model.actions import Action, Result
from lockdoctor.domain.treatment.journal_entry import Intent, Outcome
from lockdoctor.domain.treatment.plan import (
    Selection,
    Target,
)
from lockdoctor.domain.treatment.reasons import Failure, FailureKind
from lockdoctor.domain.treatment.results import ActionResult
from lockdoctor.errors import (
    AccessDeniedError,
    ClusterUnreachableError,
    JournalError,
    WrongClusterError,
)
from lockdoctor.workflows.treatment.plan import ExecutionOptions
from tests.factories.treatment import Room, key_of, only, tell
from tests.fakes.cluster import FakeJournal

RELEASE = Selection(action=Action.RELEASE)


WRITES = [
    (Action.REVOKE, "delete"),
    (Action.REVOKE, "revoke"),
    (Action.RELEASE, "delete"),
    (Action.QUARANTINE, "move"),
]


@pytest.mark.parametrize(("action", "step"), WRITES)
@pytest.mark.parametrize("fault", ["lost", "swallowed", "late"])
def test_a_write_without_an_answer_is_looked_up(fault: str, step: str, action: Action) -> None:
    """Done is said where it is seen to be done, unknown where it is not; nothing is repeated."""

    async def story(room: Room) -> None:
        leaked = room.leak()
        room.leak(b"/l/next")
        plan = await room.plan(action=action)
        if fault == "late":
            room.key_writer.late[step] = 3.0
        else:
            getattr(room.key_writer, fault).add(step)
        treatment = await room.treat(plan)

        treated = treatment.treated[0]
        assert treated.was_looked_up
        assert room.key_writer.steps.count(step) <= 2
        (entry, *_) = room.journal.entries()
        assert entry.result is treated.result
        if fault == "swallowed":
            assert treated.result is Result.UNKNOWN
            assert treated.failure == "no answer in time"
            assert len(treatment.treated) == 1
            assert treatment.stopped == "no answer in time"
            assert key_of(leaked) in {key.key for key in entry.perhaps_deleted}
        else:
            assert treated.result is Result.DONE
            assert len(treatment.treated) == 2
        if fault == "late":
            assert treated.took_s >= 3

    tell(story)


def test_a_refusal_of_etcd_stops_the_run() -> None:
    """What etcd denies is not done, is said, and the rest is left alone."""

    async def story(room: Room) -> None:
        first, second = room.leak(b"/l/a"), room.leak(b"/l/b")
        plan = await room.plan()
        room.key_writer.refused["delete"] = AccessDeniedError("etcd does not permit it")
        treatment = await room.treat(plan)

        assert only(treatment).result is Result.FAILED
        assert treatment.stopped == "etcd does not permit it"
        assert not treatment.is_fine
        assert {first, second} <= room.leases
        assert [entry.result for entry in room.journal.entries()] == [Result.FAILED]

        on = await room.treat(plan, ExecutionOptions(continue_on_error=True))
        assert [each.result for each in on.treated] == [Result.FAILED] * 2
        assert on.stopped is None

    tell(story)


def test_a_session_whose_end_is_refused_is_done_partly() -> None:
    """The hold is deleted, the lease stays, and the journal names what was deleted."""

    async def story(room: Room) -> None:
        leaked = room.leak()
        plan = await room.plan()
        room.key_writer.refused["revoke"] = AccessDeniedError("no")
        treated = only(await room.treat(plan))

        assert (treated.result, treated.failure) == (Result.PARTLY, "no")
        assert (room.keys, leaked in room.leases) == (set(), True)
        (entry,) = room.journal.entries()
        assert [key.key for key in entry.perhaps_deleted] == [key_of(leaked)]

    tell(story)


def test_a_cluster_that_cannot_be_read_again_is_not_treated() -> None:
    """Without the last look nothing is written: neither at the start nor further on."""

    async def story(room: Room) -> None:
        for n in range(3):
            room.leak(b"/l/%d" % n)
        plan = await room.plan()

        def lose(_: ActionResult[Target]) -> None:
            room.cluster.unreachable = ClusterUnreachableError("gone")

        treatment = await room.treat(plan, on_result=lose)

        assert [each.result for each in treatment.treated] == [Result.DONE, Result.FAILED]
        assert treatment.stopped == "gone"
        assert len(room.journal.lines) == 2
        with pytest.raises(ClusterUnreachableError):
            await room.treat(plan)

    tell(story)


def test_a_lease_that_cannot_be_read_again_stops_the_run() -> None:
    """A look-up out of time is etcd's failure, not a change: nothing is done, and nothing more."""

    async def story(room: Room) -> None:
        leases = [room.leak(b"/l/%d" % n) for n in range(2)]
        plan = await room.plan()
        room.cluster.denied_leases.add(leases[0])
        treatment = await room.treat(plan)

        assert only(treatment).result is Result.FAILED
        assert treatment.stopped == Failure(FailureKind.LEASE_NOT_READ, "denied")
        assert room.key_writer.steps == []

    tell(story)


def test_a_plan_for_another_cluster_is_not_carried_out() -> None:
    """The endpoints may have changed since it was saved."""

    async def story(room: Room) -> None:
        room.leak()
        plan = replace(await room.plan(), cluster_id=0xC2)
        with pytest.raises(WrongClusterError, match=r"fake:2379 .* cluster c1, but the plan .* c2"):
            await room.treat(plan)

        assert room.key_writer.steps == []

    tell(story)


def test_a_cluster_that_becomes_another_one_ends_the_treatment() -> None:
    """What was done is told, and the next target is not touched; nobody's --continue helps."""

    async def story(room: Room) -> None:
        room.leak()
        room.leak(b"/l/next")
        plan = await room.plan()

        def swap(_: ActionResult[Target]) -> None:
            room.cluster.unreachable = WrongClusterError("another cluster")

        treatment = await room.treat(plan, ExecutionOptions(continue_on_error=True), swap)

        assert only(treatment).result is Result.DONE
        assert treatment.stopped == "another cluster"

    tell(story)


def test_another_cluster_before_anything_was_done_is_raised() -> None:
    """There is nothing to report."""

    async def story(room: Room) -> None:
        room.leak()
        plan = await room.plan()
        room.cluster.unreachable = WrongClusterError("another cluster")
        with pytest.raises(WrongClusterError):
            await room.treat(plan)

        assert room.journal.lines == []

    tell(story)


@pytest.mark.parametrize(("action", "step"), WRITES)
def test_a_write_that_meets_another_cluster_was_not_done(action: Action, step: str) -> None:
    """Not in ours: that is written down, and the next target is not touched."""

    async def story(room: Room) -> None:
        leaked = room.leak()
        room.leak(b"/l/next")
        plan = await room.plan(action=action)
        room.key_writer.refused[step] = wrong = WrongClusterError("another cluster")

        def swap(each: str) -> None:
            if each == step:
                room.cluster.unreachable = wrong

        room.key_writer.before = swap
        treatment = await room.treat(plan)

        was_deleted = step == "revoke"  # by the write before it
        assert only(treatment).result is (Result.PARTLY if was_deleted else Result.FAILED)
        assert (only(treatment).failure, treatment.stopped) == (str(wrong), str(wrong))
        (entry,) = room.journal.entries()
        assert entry.result is only(treatment).result
        assert (key_of(leaked) not in room.keys) is was_deleted

    tell(story)


@pytest.mark.parametrize(("action", "step"), WRITES)
def test_a_write_that_is_cut_off_has_an_outcome(action: Action, step: str) -> None:
    """After a second signal nothing is waited for, and the journal says that nothing is known."""

    async def story(room: Room) -> None:
        room.leak()
        room.leak(b"/l/next")
        plan = await room.plan(action=action)

        def cut_off(each: str) -> None:
            if each == step:
                room.stop.request("SIGHUP")
                raise asyncio.CancelledError

        room.key_writer.before = cut_off
        treatment = await room.treat(plan)

        assert only(treatment).result is Result.UNKNOWN
        assert treatment.stopped is not None
        (entry,) = room.journal.entries()
        assert entry.outcome is not None
        assert entry.outcome.result is Result.UNKNOWN

    tell(story)


def test_a_look_that_is_cut_off_ends_the_treatment() -> None:
    """Nothing of that target was written; what was done before it is told."""

    async def story(room: Room) -> None:
        room.leak()
        room.leak(b"/l/next")
        plan = await room.plan()

        def cut_off(each: str) -> None:
            if each == "key" and room.journal.entries():
                room.stop.request("Ctrl-C")
                raise asyncio.CancelledError

        treated: list[ActionResult[Target]] = []
        room.key_writer.before = lambda each: cut_off(each) if treated else None
        treatment = await room.treat(plan, ExecutionOptions(pause_s=0.0), treated.append)

        assert only(treatment).result is Result.DONE
        assert treatment.stopped == "Ctrl-C"

    tell(story)


def test_without_a_journal_nothing_is_done() -> None:
    """A disk that is full at the first line stops everything."""

    async def story(room: Room) -> None:
        leaked = room.leak()
        plan = await room.plan()
        room.journal = FakeJournal(room=0)
        with pytest.raises(JournalError, match="No space left"):
            await room.treat(plan)

        assert room.key_writer.steps == []
        assert leaked in room.leases

    tell(story)


@pytest.mark.parametrize(
    ("lines", "done", "is_recorded"), [(1, 1, False), (2, 1, True), (3, 2, False)]
)
def test_a_journal_that_fills_up_stops_the_run(
    lines: int,
    done: int,
    is_recorded: bool,  # noqa: FBT001  # a column of the table
) -> None:
    """What was done but not written down is told, and nothing more is done."""

    async def story(room: Room) -> None:
        leases = [room.leak(b"/l/%d" % n) for n in range(3)]
        plan = await room.plan()
        room.journal = FakeJournal(room=lines)
        treatment = await room.treat(plan)

        assert isinstance(treatment.stopped, str)
        assert "No space left" in treatment.stopped
        assert len(treatment.treated) == done
        assert (treatment.treated[-1].unrecorded is None) is is_recorded
        assert not treatment.is_fine
        assert set(leases) - room.leases == set(leases[:done])

    tell(story)


def test_the_journal_says_who_did_what_to_whom_and_why() -> None:
    """The intent stands before the first write, with the keys' values; the outcome after it."""

    async def story(room: Room) -> None:
        leaked = room.session()
        room.cluster.put(key_of(leaked, b"/l/x"), b"", leaked)
        room.cluster.put(b"/elsewhere", b"value", leaked)
        plan = await room.plan(outside_keys=True)
        assert all(key.value == b"" for key in plan.targets[0].others)
        lines_at: list[int] = []

        def count_lines(step: str) -> None:
            if step == "delete":
                lines_at.append(len(room.journal.lines))

        room.key_writer.before = count_lines
        treated = only(await room.treat(plan))

        intent, outcome = room.journal.lines
        assert isinstance(intent, Intent)
        assert isinstance(outcome, Outcome)
        assert lines_at == [1]
        assert intent.entry_id == outcome.entry_id == treated.entry_id
        assert (intent.action, intent.lease_id, intent.granted_ttl_s) == (Action.REVOKE, leaked, 9)
        assert intent.why.verdict == "leaked-lock"
        assert {key.key: key.value for key in intent.keys} == {
            key_of(leaked, b"/l/x"): b"",
            b"/elsewhere": b"value",
        }
        assert (intent.locks, intent.cluster_id, intent.who.user) == ((b"/l/x",), 0xC1, "ops")
        assert (outcome.result, outcome.deleted) == (Result.DONE, None)

    tell(story)


def test_one_at_a_time_with_a_pause() -> None:
    """Ten targets take nine pauses at the least; each is told as soon as it is done."""

    async def story(room: Room) -> None:
        for n in range(10):
            room.leak(b"/l/%d" % n)
        plan = await room.plan()
        began_at = room.clock.now()
        told: list[ActionResult[Target]] = []

        def note_result(treated: ActionResult[Target]) -> None:
            told.append(treated)

        treatment = await room.treat(plan, ExecutionOptions(pause_s=2.0), note_result)

        assert room.clock.now() - began_at >= 18.0
        assert tuple(told) == treatment.treated
        assert len(told) == 10

    tell(story)


def test_a_stop_finishes_the_current_one() -> None:
    """Ctrl-C ends the run after the target that is being treated."""

    async def story(room: Room) -> None:
        for n in range(3):
            room.leak(b"/l/%d" % n)
        plan = await room.plan()

        def press(step: str) -> None:
            if step == "revoke":
                room.stop.request("Ctrl-C")

        room.key_writer.before = press
        treatment = await room.treat(plan)

        assert [each.result for each in treatment.treated] == [Result.DONE]
        assert (treatment.stopped, treatment.is_fine) == ("Ctrl-C", False)
        assert len(room.keys) == 2

    tell(story)
