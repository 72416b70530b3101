"""Cycles of sessions that wait for one another, and locks behind locks."""

from __future__ import annotations

import itertools
import time
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from lockdoctor.domain.graph.wait_graph import Cycle, WaitGraph
from lockdoctor.domain.model.leases import NO_LEASE, LeaseId
from lockdoctor.domain.model.locks import Kind, Lock, Recipe
from tests.domain.graph.graphs import mutually_reachable, reach_from
from tests.factories.reports import a_key

Queues = dict[str, list[int]]


def the_locks(queues: Queues) -> list[Lock]:
    """Mutexes by name, each with its queue of leases, the holder first."""
    return [a_queue(name.encode(), leases) for name, leases in queues.items()]


def a_queue(name: bytes, leases: Sequence[int], kind: Kind = Kind.LOCK) -> Lock:
    keys = [
        a_key(lock=name, lease_id=lease, create_revision=10 + n) for n, lease in enumerate(leases)
    ]
    return Lock(
        name=name, recipe=Recipe.GO_MUTEX, kind=kind, holder=keys[0], waiters=tuple(keys[1:])
    )


def cycles(queues: Queues) -> list[Cycle]:
    return WaitGraph(the_locks(queues)).cycles()


def edges(cycle: Cycle) -> list[tuple[int, str, int]]:
    return [(wait.waiter, wait.lock.name.decode(), wait.on) for wait in cycle.edges]


def test_two_sessions_that_hold_what_the_other_wants() -> None:
    """AB-BA: the classic one."""
    (found,) = cycles({"a": [1, 2], "b": [2, 1]})

    assert edges(found) == [(2, "a", 1), (1, "b", 2)]
    assert found.sessions == {1, 2}
    assert found.is_of_holders


def test_three_sessions_in_a_cycle() -> None:
    """A cycle of three, the locks in an order of their own."""
    (found,) = cycles({"a": [1, 3], "b": [2, 1], "c": [3, 2]})

    assert edges(found) == [(3, "a", 1), (1, "b", 2), (2, "c", 3)]


def test_a_holder_in_front_is_no_part_of_it() -> None:
    """Whoever waits for nothing is in no cycle, however many stand behind."""
    assert cycles({"a": [9, 1, 2], "b": [1, 2], "c": [2, 3]}) == []


def test_a_cycle_behind_a_holder_stands_without_it() -> None:
    """
    Two that stand before each other in two queues are caught even once both holders are gone.

    9 and 8 merely sit in front, and freeing them helps nobody.
    """
    queues = {"a": [9, 1, 2], "b": [8, 2, 1]}
    (found,) = cycles(queues)

    assert found.sessions == {1, 2}
    assert not found.is_of_holders
    assert found.breaker in {1, 2}
    assert [c.sessions for c in cycles(_without(queues, 9))] == [{1, 2}]
    assert cycles(_without(queues, found.breaker)) == []


def test_bystanders_in_the_queues_are_no_part_of_it() -> None:
    """Those who wait beside the two that are caught are blocked, but not in the cycle."""
    (found,) = cycles({"a": [1, 7, 8, 2, 9], "b": [2, 1, 6]})

    assert found.sessions == {1, 2}
    assert len(found.edges) == 2


def test_a_session_that_waits_behind_its_own_key() -> None:
    """Go's Mutex waits for every older key below its name: for the session's own, too."""
    inner = a_key(b"/a/b/7", lease_id=7, create_revision=5)
    outer = a_key(lock=b"/a", lease_id=7, create_revision=6)
    lock = Lock(
        name=b"/a", recipe=Recipe.GO_MUTEX, kind=Kind.LOCK, holder=inner, waiters=(outer,),
        foreign_holder=True,
    )  # fmt: skip
    (found,) = WaitGraph([lock]).cycles()

    assert edges(found) == [(7, "/a", 7)]


def test_keys_without_a_lease_are_nobody() -> None:
    """Two keys without a lease belong to nobody known: they close no cycle."""
    first = a_queue(b"a", [NO_LEASE, 1])
    second = a_queue(b"b", [1, NO_LEASE])

    assert WaitGraph([first, second]).cycles() == []


def test_elections_are_waited_for_by_design() -> None:
    """A candidate waits beside its work; that is no deadlock."""
    work, election = a_queue(b"a", [1, 2]), a_queue(b"b", [2, 1], Kind.ELECTION)

    assert WaitGraph([work, election]).cycles() == []


def test_read_write_locks_are_left_out() -> None:
    """Readers that hold side by side do not wait for one another."""
    shared = replace(a_queue(b"b", [2, 1]), recipe=Recipe.RW_MUTEX)

    assert WaitGraph([a_queue(b"a", [1, 2]), shared]).cycles() == []


def test_several_cycles_at_once() -> None:
    """Cycles that share no session are told apart, in the order of their locks."""
    found = cycles({"c": [3, 4], "d": [4, 3], "a": [1, 2], "b": [2, 1]})

    assert [sorted(cycle.sessions) for cycle in found] == [[1, 2], [3, 4]]


def test_cycles_that_share_a_session_end_with_it() -> None:
    """One session that waits for two locks ties two cycles together, and ends both."""
    (found,) = cycles({"a": [1, 2], "b": [2, 1], "c": [3, 1], "d": [1, 3]})

    assert found.sessions == {1, 2, 3}
    assert found.breaker == 1


def test_no_single_session_ends_two_cycles_side_by_side() -> None:
    """Where every session can be spared, none is named."""
    pairs = itertools.permutations([1, 2, 3], 2)
    (found,) = cycles({f"{one}{other}": [one, other] for one, other in pairs})

    assert found.breaker is None


def test_the_least_damage_is_chosen() -> None:
    """Fewest keys first, then fewest waiters, then the lower lease."""
    more_keys = {"a": [1, 2], "b": [2, 1], "c": [1, 9]}
    more_waiters = {"a": [1, 2, 8, 9], "b": [2, 1]}

    assert cycles(more_keys)[0].breaker == 2
    assert cycles(more_waiters)[0].breaker == 2
    assert cycles({"a": [1, 2], "b": [2, 1]})[0].breaker == 1
    keys = {LeaseId(1): 50, LeaseId(2): 3}
    (found,) = WaitGraph(the_locks({"a": [1, 2], "b": [2, 1]}), keys.__getitem__).cycles()
    assert found.breaker == 2


@st.composite
def some_queues(draw: st.DrawFn) -> Queues:
    leases = st.lists(st.integers(1, 6), min_size=2, max_size=5, unique=True)
    return draw(st.dictionaries(st.sampled_from("abcdef"), leases, max_size=6))


@given(some_queues())
@settings(max_examples=400, deadline=None)
def test_cycles_against_brute_force(queues: Queues) -> None:
    """Exactly those who can come back to themselves are caught; the break is the best there is."""
    waits = {
        (later, earlier)
        for leases in queues.values()
        for earlier, later in itertools.combinations(leases, 2)
    }
    to_holders = {
        (leases[n], leases[0]) for leases in queues.values() for n in range(1, len(leases))
    }
    closed, components = mutually_reachable(to_holders), mutually_reachable(waits)
    loose = [component for component in components if not any(core <= component for core in closed)]
    found = cycles(queues)

    assert sorted(map(sorted, (c.sessions for c in found))) == sorted(map(sorted, closed + loose))
    for cycle in found:
        _check_edges(cycle, queues)
        _check_breaker(cycle, queues, next(t for t in components if cycle.sessions <= t))


@given(some_queues())
@settings(max_examples=100, deadline=None)
def test_the_order_of_the_locks_does_not_matter(queues: Queues) -> None:
    """The same waits end in the same answer."""
    backwards = dict(reversed(queues.items()))

    assert cycles(backwards) == cycles(queues)


@given(some_queues())
@settings(max_examples=200, deadline=None)
def test_the_tree_has_each_lock_once_behind_one_that_its_holder_waits_for(queues: Queues) -> None:
    """Roots block what a brute force counts, and come in that order."""
    rows = WaitGraph(the_locks(queues)).tree()
    names = [row.lock.name for row in rows]
    behind = {
        name: {n for n, other in queues.items() if n != name and leases[0] in other[1:]}
        for name, leases in queues.items()
    }

    assert len(names) == len(set(names))
    assert set(names) == {
        name.encode()
        for name, others in behind.items()
        if others or any(name in each for each in behind.values())
    }
    for row in rows:
        name = row.lock.name.decode()
        if row.level:
            assert row.behind is not None
            assert row.behind.name.decode() in behind[name]
            assert names.index(row.behind.name) < names.index(row.lock.name)
        else:
            below = _all_behind(name, behind)
            assert row.blocks == sum(len(queues[n]) - 1 for n in below)
            assert not behind[name] or name in _all_behind_strictly(name, behind)


def test_the_roots_that_block_most_come_first() -> None:
    """A tree of three levels, and one of two; a lock with nothing behind it is left out."""
    rows = WaitGraph(
        the_locks({
            "a": [1, 2], "b": [2, 9], "x": [5, 6, 3], "y": [6, 7], "z": [7, 8], "alone": [4, 10],
        })
    ).tree()  # fmt: skip

    assert [(row.level, row.lock.name, row.blocks) for row in rows] == [
        (0, b"x", 4),
        (1, b"y", None),
        (2, b"z", None),
        (0, b"a", 2),
        (1, b"b", None),
    ]


def test_locks_behind_a_cycle_hang_on_it() -> None:
    """The cycle is the root of whatever is stuck behind it."""
    rows = WaitGraph(the_locks({"p": [1, 2], "q": [2, 1, 3], "c": [3, 4]})).tree()

    assert [(row.level, row.lock.name, row.blocks) for row in rows] == [
        (0, b"p", 4),
        (1, b"q", None),
        (2, b"c", None),
    ]


def test_a_hundred_thousand_waiters_cost_little() -> None:
    """One queue of 100,000 behind a cycle: seconds at most, and no recursion."""
    leases = list(range(10, 100_010))
    locks = the_locks({"a": [1, *leases, 2], "b": [2, 1]})
    started = time.process_time()
    graph = WaitGraph(locks)
    (found,) = graph.cycles()
    tree = graph.tree()

    assert found.sessions == {1, 2}
    assert found.breaker == 2
    assert [row.blocks for row in tree] == [100_002, None]
    assert time.process_time() - started < 20  # it takes one or two on an idle machine


def test_a_long_queue_costs_little_memory() -> None:
    """A few hundred bytes for each contender."""
    locks = the_locks({"a": [1, *range(10, 10_010), 2], "b": [2, 1]})
    tracemalloc.start()
    WaitGraph(locks).cycles()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak / 10_000 < 2_000


def _without(queues: Queues, lease: int | None) -> Queues:
    return {name: [each for each in leases if each != lease] for name, leases in queues.items()}


def _check_edges(cycle: Cycle, queues: Queues) -> None:
    for wait, after in zip(cycle.edges, (*cycle.edges[1:], cycle.edges[0]), strict=True):
        queue = queues[wait.lock.name.decode()]
        assert queue.index(wait.on) < queue.index(wait.waiter)
        assert wait.on == after.waiter
        assert {wait.on, wait.waiter} <= cycle.sessions


def _check_breaker(cycle: Cycle, queues: Queues, component: set[int]) -> None:
    """Try every session: nobody of the component is caught without it."""
    works = [
        lease for lease in sorted(component) if not _caught(_without(queues, lease), component)
    ]
    keys = {lease: sum(lease in each for each in queues.values()) for lease in works}
    behind = {
        lease: sum(len(each) - 1 for each in queues.values() if each[0] == lease) for lease in works
    }
    best = min(works, key=lambda lease: (keys[lease], behind[lease], lease), default=None)
    assert cycle.breaker == best


def _caught(queues: Queues, component: set[int]) -> bool:
    return any(cycle.sessions & component for cycle in cycles(queues))


def _all_behind_strictly(name: str, behind: dict[str, set[str]]) -> set[str]:
    return reach_from(name, [(parent, child) for child, ps in behind.items() for parent in ps])


def _all_behind(name: str, behind: dict[str, set[str]]) -> set[str]:
    return _all_behind_strictly(name, behind) | {name}
