"""Find the parts of a graph whose nodes can all reach one another."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

N = TypeVar("N", bound=Hashable)


def strongly_connected(edges: Mapping[N, Sequence[N]]) -> list[list[N]]:
    """
    Return the sets of nodes that can reach one another, sinks first.

    A set of one node counts only if the node reaches itself. The stack is explicit, so that the
    length of a path has no limit.

    Source: Tarjan, SIAM J. Comput. 1 (1972), 146.
    """
    return list(_Tarjan(edges).components())


class _Tarjan(Generic[N]):
    """One run of Tarjan's algorithm."""

    def __init__(self, edges: Mapping[N, Sequence[N]]) -> None:
        self.edges = edges
        self.index: dict[N, int] = {}
        self.low: dict[N, int] = {}
        self.stack: list[N] = []
        self.on_stack: set[N] = set()

    def components(self) -> Iterator[list[N]]:
        for root in self.edges:
            if root not in self.index:
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
        """Put a node on the stack, and return its successors."""
        self.index[node] = self.low[node] = len(self.index)
        self.stack.append(node)
        self.on_stack.add(node)
        return iter(self.edges.get(node, ()))

    def _leave(self, node: N) -> Iterator[list[N]]:
        """Take a finished set off the stack, and yield it."""
        members: list[N] = []
        while not members or members[-1] != node:
            members.append(self.stack.pop())
        self.on_stack.difference_update(members)
        if len(members) > 1 or node in self.edges.get(node, ()):
            yield members
