"""The parts of a graph whose nodes can all reach one another."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockdoctor.domain.graph.strongly_connected import strongly_connected
from tests.domain.graph.graphs import mutually_reachable

nodes = st.integers(0, 7)
graphs = st.sets(st.tuples(nodes, nodes), max_size=20)


def by_start(edges: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    """The same edges, by where they begin."""
    found: dict[int, list[int]] = {}
    for start, to in edges:
        found.setdefault(start, []).append(to)
    return found


@given(graphs)
def test_exactly_the_sets_that_can_reach_one_another(edges: set[tuple[int, int]]) -> None:
    """No set reaches one after it."""
    found = strongly_connected(by_start(edges))

    expected = mutually_reachable(edges)
    assert len(found) == len(expected)
    assert all(set(members) in expected for members in found)
    for number, members in enumerate(found):
        later = {node for after in found[number + 1 :] for node in after}
        assert not any(start in members and to in later for start, to in edges)


@pytest.mark.parametrize("length", [2, 3, 50_000])
def test_a_long_cycle_is_one_set(length: int) -> None:
    """However long: Tarjan's algorithm needs no stack of the interpreter."""
    edges = {n: [(n + 1) % length] for n in range(length)}

    assert [sorted(found) for found in strongly_connected(edges)] == [list(range(length))]
