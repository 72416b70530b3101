"""Unattended treatment on a fake cluster: what the policy allows, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lockdoctor.domain.model.actions import Action, Result
from lockdoctor.domain.policy.policy import Limits, Policy, Rule, Treatment
from lockdoctor.domain.report.report import Report
from lockdoctor.domain.treatment.journal_entry import Entry
from lockdoctor.domain.treatment.reasons import Failure, FailureKind
from lockdoctor.domain.treatment.unattended import (
    MAX_WATCH_S,
    TreatmentSkipReason,
    UnattendedResult,
)
from lockdoctor.errors import AccessDeniedError
from lockdoctor.ports import StopRequest
from lockdoctor.workflows.scan.request import ScanRequest
from lockdoctor.workflows.scan.scan import scan
from lockdoctor.workflows.treatment.unattended import treat_unattended
from tests.factories.reports import an_intent
from tests.factories.treatment import MAX_HOLD_S, PREFIX, TTL_S, WAYS, Room, Silent, key_of, tell

MAIL = b"/l/mail"


def a_policy(**treatment: Any) -> Policy:
    told = {"how": Action.RELEASE, "min_held_s": MAX_HOLD_S, "min_runs": 1, **treatment}
    return Policy(rules=(Rule(PREFIX, Limits(max_hold_s=MAX_HOLD_S), Treatment(**told)),))


async def a_report(room: Room) -> Report:
    """What a scan finds that is long enough to prove a leak."""
    request = ScanRequest(prefixes=(PREFIX,), policy=a_policy(), window_s=30.0, sessions=False)
    return await scan(room.cluster, room.clock, request, Silent(), StopRequest())


async def treated(
    room: Room, policy: Policy | None = None, report: Report | None = None
) -> UnattendedResult:
    found = report or await a_report(room)
    return await treat_unattended(room.context, found, policy or a_policy(), room.stop)


def entry(room: Room) -> Entry:
    (found,) = room.journal.entries()
    return found


@pytest.mark.parametrize("how", WAYS)
def test_a_proven_leak_is_treated_as_the_policy_says(how: Action) -> None:
    """In the way that it names; the journal tells that nobody asked, and under which rule."""

    async def story(room: Room) -> None:
        leaked = room.leak()

        done = await treated(room, a_policy(how=how))

        assert [each.result for each in done.treated] == [Result.DONE]
        assert (done.done, done.refused, done.skipped, done.failure) == (1, (), (), None)
        assert entry(room).intent.treated_under == PREFIX
        assert entry(room).intent.action is how
        assert (key_of(leaked) in room.keys) == (how is Action.QUARANTINE)
        assert (leaked in room.leases) == (how is not Action.REVOKE)

    tell(story)


def test_without_a_policy_nothing_is_touched() -> None:
    """A leak without a rule, or below another prefix's rule, is left to people."""

    async def story(room: Room) -> None:
        room.leak()

        assert await treated(room, Policy()) == UnattendedResult()
        assert room.key_writer.steps == []
        assert room.journal.lines == []

    tell(story)


def test_a_lock_at_work_is_never_touched() -> None:
    """Only the leak goes; who holds briefly keeps what it holds."""

    async def story(room: Room) -> None:
        leaked = room.leak()
        report = await a_report(room)
        at_work = room.leak(MAIL)

        await treated(room, a_policy(max_per_run=9), report)

        assert room.keys == {key_of(at_work, MAIL)}
        assert leaked in room.leases

    tell(story)


def test_a_leak_that_changed_since_the_report_is_refused() -> None:
    """Its client came back to life: it is looked at anew right before."""

    async def story(room: Room) -> None:
        leaked = room.leak()
        report = await a_report(room)
        room.cluster.delete(key_of(leaked))
        room.lock(leaked)

        done = await treated(room, report=report)

        assert not done.treated
        assert len(done.refused) == 1
        assert room.keys == {key_of(leaked)}
        assert room.journal.lines == []

    tell(story)


def test_keys_outside_are_never_deleted() -> None:
    """What a person would have to name aloud, no policy names."""

    async def story(room: Room) -> None:
        leaked = room.leak()
        room.cluster.put(b"/service/a", lease_id=leaked)

        done = await treated(room, a_policy(how=Action.REVOKE))

        assert not done.treated
        assert len(done.refused) == 1
        assert room.keys == {key_of(leaked), b"/service/a"}

    tell(story)


def test_no_more_than_the_policy_allows() -> None:
    """So many in a run, so many in a day; runs count what those before them did."""

    async def story(room: Room) -> None:
        policy = a_policy(max_per_run=2, max_per_day=3)
        for number in range(5):
            room.leak(b"/l/%d" % number)

        runs = [await treated(room, policy) for _ in range(3)]

        assert [run.done for run in runs] == [2, 1, 0]
        assert len(room.keys) == 2
        assert {skipped.why for skipped in runs[2].skipped} == {TreatmentSkipReason.ENOUGH_TODAY}

    tell(story)


def test_an_intent_without_an_outcome_uses_up_the_day() -> None:
    """Nobody knows whether the run that was killed did it."""

    async def story(room: Room) -> None:
        room.leak()
        begun = an_intent(at=room.clock.now(), treated_under=PREFIX)
        room.journal.write(begun)

        done = await treated(room, a_policy(max_per_day=1))

        assert [skipped.why for skipped in done.skipped] == [TreatmentSkipReason.ENOUGH_TODAY]
        assert not done.treated

    tell(story)


def test_what_cannot_be_written_down_is_not_done() -> None:
    """A full disk: nothing is treated, and it is told."""

    async def story(room: Room) -> None:
        leaked = room.leak()
        room.journal.room = 0

        done = await treated(room)

        assert done.failure == "the journal cannot be written (No space left on device)"
        assert not done.treated
        assert room.keys == {key_of(leaked)}

    tell(story)


def test_what_cannot_be_counted_is_not_done() -> None:
    """Lines of a newer lockdoctor may be treatments of today."""

    async def story(room: Room) -> None:
        leaked = room.leak()
        room.journal.newer = 1

        done = await treated(room)

        assert done.failure is not None
        assert done.failure == Failure(FailureKind.JOURNAL_NEWER)
        assert room.keys == {key_of(leaked)}

    tell(story)


def as_of_a_check(report: Report) -> Report:
    """The same report, whose renewals were inferred from the leases' survival alone."""
    traces = {
        lease_id: replace(found, closely_renewed_at=None)
        for lock in report.locks
        for lease_id, found in lock.traces.items()
    }
    return replace(report, locks=tuple(replace(lock, traces=traces) for lock in report.locks))


def test_a_lease_is_watched_until_it_is_seen_to_be_renewed() -> None:
    """For a third of its TTL or little more; then its hold is treated."""

    async def story(room: Room) -> None:
        room.leak()
        report = as_of_a_check(await a_report(room))
        began_at, lookups = room.clock.now(), room.cluster.lookups

        done = await treated(room, report=report)

        assert done.done == 1
        assert room.clock.now() - began_at < TTL_S / 3 + 4.0
        assert 2 < room.cluster.lookups - lookups < 10

    tell(story)


def test_a_lease_that_nobody_renews_any_more_is_left_alone() -> None:
    """It survived since the run before; whether a client did it is not known."""

    async def story(room: Room) -> None:
        leaked = room.leak()
        report = as_of_a_check(await a_report(room))
        room.cluster.stop_renewing(leaked)

        done = await treated(room, report=report)

        assert [skipped.why for skipped in done.skipped] == [TreatmentSkipReason.RENEWAL_UNSEEN]
        assert (done.treated, done.refused, done.failure) == ((), (), None)
        assert room.key_writer.steps == []
        assert room.journal.lines == []

    tell(story)


def test_new_leaders_are_not_taken_for_a_renewal() -> None:
    """They reset the lease again and again: after two minutes the watch is given up."""

    async def story(room: Room) -> None:
        leaked = room.leak()
        report = as_of_a_check(await a_report(room))
        room.cluster.stop_renewing(leaked)
        began_at = room.clock.now()
        for seconds in range(4, 200, 4):
            room.cluster.at(began_at + seconds, room.cluster.change_leader)

        done = await treated(room, report=report)

        assert [skipped.why for skipped in done.skipped] == [TreatmentSkipReason.RENEWAL_UNSEEN]
        assert MAX_WATCH_S <= room.clock.now() - began_at < MAX_WATCH_S + 3.0
        assert key_of(leaked) in room.keys

    tell(story)


def test_whoever_ends_the_run_ends_the_watch() -> None:
    """Nothing is treated that was not seen."""

    async def story(room: Room) -> None:
        room.leak()
        report = as_of_a_check(await a_report(room))
        room.stop.request("Ctrl-C")

        assert (await treated(room, report=report)).done == 0
        assert room.key_writer.steps == []

    tell(story)


def test_the_first_failure_ends_it() -> None:
    """Where etcd refuses one, the others are not tried, and it is told."""

    async def story(room: Room) -> None:
        first, second = room.leak(), room.leak(MAIL)
        room.key_writer.refused = {"delete": AccessDeniedError("etcd does not permit it")}

        done = await treated(room, a_policy(max_per_run=2))

        assert [each.result for each in done.treated] == [Result.FAILED]
        assert done.failure == "etcd does not permit it"
        assert done.done == 0
        assert room.keys == {key_of(first), key_of(second, MAIL)}

    tell(story)


def test_whoever_ends_the_run_ends_the_treatment() -> None:
    """What was begun is finished, the next is not begun; half a report treats none."""

    async def story(room: Room) -> None:
        room.leak()
        room.leak(MAIL)
        report = await a_report(room)
        room.key_writer.before = lambda step: (
            room.stop.request("Ctrl-C") if step == "delete" else None
        )

        done = await treated(room, a_policy(max_per_run=2), report)

        assert done.done == 1
        assert len(room.keys) == 1
        cut = replace(report, interrupted="Ctrl-C")
        assert (await treated(room, report=cut)).done == 0

    tell(story)
