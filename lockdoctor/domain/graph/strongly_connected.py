"""Find the parts of a graph whose nodes can all reach one another."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

N = TypeVar("N", bound=Hashable)


def strongly_connected(
    edges: Mapping[N, Sequence[N]], inside: Collection[N] | None = None
) -> list[list[N]]:
    """
    Return the sets of nodes that can reach one another.

    A set of one node counts only if the node reaches itself.

    Tarjan's algorithm with an explicit stack, so that the length of a path has no limit. No set can
    reach one that comes after it.

    Args:
        edges: Of each node, where they lead.
        inside: Only these nodes count; None for all.

    Source: Tarjan, SIAM J. Comput. 1 (1972), 146.
    """
    return list(_Tarjan(edges, inside).found())


class _Tarjan(Generic[N]):
    """One run of Tarjan's algorithm."""

    def __init__(self, edges: Mapping[N, Sequence[N]], inside: Collection[N] | None) -> None:
        self.edges = edges
        self.inside = inside
        self.index: dict[N, int] = {}
        self.low: dict[N, int] = {}
        self.stack: list[N] = []
        self.on_stack: set[N] = set()

    def found(self) -> Iterator[list[N]]:
        for root in self.edges:
            if root not in self.index and (self.inside is None or root in self.inside):
                yield from self._search(root)

    def _search(self, root: N) -> Iterator[list[N]]:
        open_nodes = [(root, self._enter(root))]
        while open_nodes:
            node, rest = open_nodes[-1]
            to = next(rest, None)
            if to is None:
                open_nodes.pop()
                if open_nodes:
                    above = open_nodes[-1][0]
                    self.low[above] = min(self.low[above], self.low[node])
                if self.low[node] == self.index[node]:
                    yield from self._leave(node)
            elif to not in self.index:
                open_nodes.append((to, self._enter(to)))
            elif to in self.on_stack:
                self.low[node] = min(self.low[node], self.index[to])

    def _enter(self, node: N) -> Iterator[N]:
        self.index[node] = self.low[node] = len(self.index)
        self.stack.append(node)
        self.on_stack.add(node)
        return self._successors(node)

    def _leave(self, node: N) -> Iterator[list[N]]:
        """Take a finished set off the stack, and yield it."""
        members: list[N] = []
        while not members or members[-1] != node:
            members.append(self.stack.pop())
        self.on_stack.difference_update(members)
        if len(members) > 1 or node in self._successors(node):
            yield members

    def _successors(self, node: N) -> Iterator[N]:
        for to in self.edges.get(node, ()):
            if self.inside is None or to in self.inside:
                yield to
