"""Restore, on a cluster in memory whose answers get lost and whose clients are faster."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any

import pytest

from lockdoctor.domain.model.actions import Action, Result
from lockdoctor.domain.model.leases import NO_LEASE
from lockdoctor.domain.model.locks import LockKey
from lockdoctor.domain.recipes.registry import built_in
from lockdoctor.domain.treatment.journal_entry import Actor, Entry
from lockdoctor.domain.treatment.restore_plan import RestorePlan, RestoreSkipReason
from lockdoctor.domain.treatment.results import ActionResult
from lockdoctor.errors import AccessDeniedError, JournalError, WrongClusterError
from lockdoctor.ports import StopRequest
from lockdoctor.workflows.treatment.context import TreatmentContext
from lockdoctor.workflows.treatment.restore import plan_restore, restore
from tests.factories.reports import a_key, an_intent, an_outcome
from tests.factories.treatment import PlainWords
from tests.fakes.cluster import FakeClock, FakeCluster, FakeJournal
from tests.fakes.key_writer import FakeKeyWriter

WHO = Actor(user="ops", host="bastion", pid=1)
KEYS = tuple(a_key(b"/key/%d" % n, value=b"value \xff %d" % n) for n in range(3))
ENTRY = Entry(an_intent("e0", keys=KEYS), an_outcome("e0"))


class _Bench:
    """A cluster without the keys, and everything that a restore needs."""

    def __init__(self, room: float = math.inf) -> None:
        self.clock = FakeClock()
        self.cluster = FakeCluster(self.clock)
        self.key_writer = FakeKeyWriter(self.cluster, self.clock)
        self.journal = FakeJournal(room)
        self.stop = StopRequest()

    def plan(self, ttl_s: int | None = None, entry: Entry = ENTRY) -> RestorePlan:
        return asyncio.run(plan_restore(self.context, entry, (), ttl_s))

    def restore(self, plan: RestorePlan) -> ActionResult[RestorePlan]:
        return asyncio.run(restore(self.context, plan, self.stop))

    @property
    def context(self) -> TreatmentContext:
        return TreatmentContext(
            cluster=self.cluster,
            key_writer=self.key_writer,
            journal=self.journal,
            clock=self.clock,
            words=PlainWords(),
            who=WHO,
            recipes=built_in(),
        )

    def once(self, step: str, number: int, action: Callable[[], object]) -> None:
        """Do something when a step comes to etcd for the n-th time."""
        seen = []

        def before(each: str) -> None:
            seen.append(each)
            if seen.count(step) == number:
                seen.append("done")
                action()

        self.key_writer.before = before

    @property
    def keys(self) -> dict[bytes, tuple[bytes, Any]]:
        return {key: (found.value, found.lease_id) for key, found in self.cluster._keys.items()}


@pytest.fixture
def bench() -> _Bench:
    return _Bench()


def put(restored: ActionResult[RestorePlan]) -> tuple[LockKey, ...]:
    skipped = {each.key for each in restored.skipped}
    return tuple(key for key in restored.target.keys if key not in skipped)


def test_deleted_keys_come_back_with_their_values(bench: _Bench) -> None:
    """Without a lease, as planned; and it is written down, before and after."""
    restored = bench.restore(bench.plan())

    assert bench.keys == {key.key: (key.value, NO_LEASE) for key in KEYS}
    assert (restored.result, put(restored), restored.skipped) == (Result.DONE, KEYS, ())
    (entry,) = bench.journal.entries()
    assert (entry.intent.action, entry.intent.of) == (Action.RESTORE, "e0")
    assert (entry.intent.who, entry.intent.keys) == (WHO, KEYS)
    assert entry.result is Result.DONE
    assert entry.outcome is not None
    assert entry.outcome.detail == "done"


def test_they_may_come_back_on_a_new_lease(bench: _Bench) -> None:
    """Which ends them all unless somebody renews it; the journal knows it."""
    bench.restore(bench.plan(ttl_s=600))

    (entry,) = bench.journal.entries()
    new = entry.intent.new_lease_id
    assert new is not None
    assert entry.intent.new_ttl_s == 600
    assert {lease for _, lease in bench.keys.values()} == {new}


def test_a_plan_writes_nothing(bench: _Bench) -> None:
    """Neither to etcd nor to the journal."""
    plan = bench.plan(ttl_s=60)

    assert plan.keys == KEYS
    assert (bench.keys, bench.key_writer.steps, bench.journal.lines) == ({}, [], [])


def test_keys_that_exist_are_not_planned(bench: _Bench) -> None:
    """Whatever their values are by now."""
    bench.cluster.put(KEYS[0].key, b"somebody else's")

    plan = bench.plan()

    assert [left.why for left in plan.left] == [RestoreSkipReason.EXISTS]
    assert plan.keys == KEYS[1:]


def test_a_key_that_comes_after_the_plan_is_not_overwritten(bench: _Bench) -> None:
    """Its client was faster: it keeps its value, the others come back."""
    plan = bench.plan()
    bench.cluster.put(KEYS[1].key, b"new")

    restored = bench.restore(plan)

    assert bench.keys[KEYS[1].key] == (b"new", NO_LEASE)
    assert restored.result is Result.PARTLY
    assert [(left.key, left.why) for left in restored.skipped] == [
        (KEYS[1], RestoreSkipReason.EXISTS)
    ]
    (entry,) = bench.journal.entries()
    assert entry.outcome is not None
    assert entry.outcome.detail == "partly"


def test_where_all_came_meanwhile_it_is_refused(bench: _Bench) -> None:
    """Nothing was written, and nothing is said to be."""
    plan = bench.plan()
    for key in KEYS:
        bench.cluster.put(key.key)

    assert bench.restore(plan).result is Result.REFUSED


def test_an_entry_of_another_cluster_is_refused(bench: _Bench) -> None:
    """Its keys never were here."""
    other = Entry(an_intent(cluster_id=0xBEEF), an_outcome())

    with pytest.raises(WrongClusterError, match=r"belongs to etcd cluster c1, but .* cluster beef"):
        bench.plan(entry=other)


def test_a_cluster_that_is_another_one_by_then_is_not_written_to(bench: _Bench) -> None:
    """The connection that writes is a new one: it compares as well, before anything else."""
    plan = bench.plan(ttl_s=60)
    bench.cluster.cluster_id = 0xC2

    with pytest.raises(WrongClusterError, match="fake:2379 belongs to etcd cluster c2"):
        bench.restore(plan)
    assert (bench.keys, bench.key_writer.steps, bench.journal.lines) == ({}, [], [])


def test_a_cluster_that_becomes_another_one_ends_it(bench: _Bench) -> None:
    """What is back is told and written down, and no other key is tried."""
    plan = bench.plan()
    wrong = WrongClusterError("another cluster")
    bench.once("create", 2, lambda: bench.key_writer.refused.update(create=wrong))

    restored = bench.restore(plan)

    assert (restored.result, len(put(restored))) == (Result.PARTLY, 1)
    assert restored.failure == "another cluster"
    assert [left.why for left in restored.skipped] == [
        RestoreSkipReason.REFUSED,
        RestoreSkipReason.NOT_REACHED,
    ]
    (entry,) = bench.journal.entries()
    assert entry.result is Result.PARTLY


def test_a_key_whose_write_is_cut_off_is_not_known(bench: _Bench) -> None:
    """A second signal does not wait, and the journal tells what it does not know."""
    plan = bench.plan()

    def cut_off() -> None:
        bench.stop.request("Ctrl-C")
        raise asyncio.CancelledError

    bench.once("create", 2, cut_off)
    restored = bench.restore(plan)

    assert restored.result is Result.UNKNOWN
    assert [left.why for left in restored.skipped] == [
        RestoreSkipReason.UNCLEAR,
        RestoreSkipReason.NOT_REACHED,
    ]
    (entry,) = bench.journal.entries()
    assert entry.outcome is not None
    assert entry.outcome.result is Result.UNKNOWN


def test_a_journal_that_takes_no_intent_stops_everything() -> None:
    """Nothing is put where it cannot be written down."""
    bench = _Bench(room=0)
    plan = bench.plan()

    with pytest.raises(JournalError):
        bench.restore(plan)
    assert bench.keys == {}


def test_a_journal_that_takes_no_outcome_is_told() -> None:
    """What was done stands, and so does the intent, whose outcome reads as unknown."""
    bench = _Bench(room=1)

    restored = bench.restore(bench.plan())

    assert restored.result is Result.DONE
    assert restored.unrecorded is not None
    assert [entry.result for entry in bench.journal.entries()] == [Result.UNKNOWN]


def test_a_write_without_an_answer_is_looked_up(bench: _Bench) -> None:
    """It was carried out: the key is there, so it counts, late or not."""
    bench.key_writer.lost = {"create"}
    assert bench.restore(bench.plan()).result is Result.DONE

    late = _Bench()
    late.key_writer.late = {"create": 3.0}
    assert late.restore(late.plan()).result is Result.DONE


def test_a_write_that_nothing_tells_of_is_unknown(bench: _Bench) -> None:
    """It may yet come: never done, never failed; and nothing more is tried."""
    bench.key_writer.swallowed = {"create"}

    restored = bench.restore(bench.plan())

    assert restored.result is Result.UNKNOWN
    assert [left.why for left in restored.skipped] == [
        RestoreSkipReason.UNCLEAR,
        RestoreSkipReason.NOT_REACHED,
        RestoreSkipReason.NOT_REACHED,
    ]
    assert restored.failure == "no answer in time"


def test_another_value_after_a_lost_answer_is_not_ours(bench: _Bench) -> None:
    """Somebody else's key under the same name proves nothing of our write."""
    bench.key_writer.swallowed = {"create"}
    bench.once("create", 1, lambda: bench.cluster.put(KEYS[0].key, b"theirs"))

    assert bench.restore(bench.plan()).result is Result.UNKNOWN


def test_what_etcd_refuses_ends_it(bench: _Bench) -> None:
    """A role that may not write: failed, and etcd's own sentence is told."""
    bench.key_writer.refused = {
        "create": AccessDeniedError("etcd does not permit this user to write")
    }

    restored = bench.restore(bench.plan())

    assert restored.result is Result.FAILED
    assert restored.failure == "etcd does not permit this user to write"
    assert not put(restored)


def test_without_a_lease_nothing_is_begun(bench: _Bench) -> None:
    """Where none is granted, nothing is written down either."""
    bench.key_writer.refused = {"grant": AccessDeniedError("no")}
    plan = bench.plan(ttl_s=60)

    with pytest.raises(AccessDeniedError):
        bench.restore(plan)
    assert bench.journal.lines == []


def test_whoever_ends_it_learns_how_far_it_came(bench: _Bench) -> None:
    """The key that is being written is finished, the rest is left."""
    bench.once("create", 2, lambda: bench.stop.request("Ctrl-C"))

    restored = bench.restore(bench.plan())

    assert put(restored) == KEYS[:2]
    assert [left.why for left in restored.skipped] == [RestoreSkipReason.NOT_REACHED]
    assert restored.result is Result.PARTLY
