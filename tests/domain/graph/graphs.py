"""Graphs, examined the slow way."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from typing import TypeVar

N = TypeVar("N", bound=Hashable)


def mutually_reachable(edges: Collection[tuple[N, N]]) -> list[set[N]]:
    """Sets of nodes that can reach one another, by reaching everything from everywhere."""
    nodes = {node for edge in edges for node in edge}
    reach = {node: reach_from(node, edges) for node in nodes}
    found: list[set[N]] = []
    for node in nodes:
        mutual = {other for other in nodes if other in reach[node] and node in reach[other]}
        if mutual and mutual not in found:
            found.append(mutual)
    return found


def reach_from(node: N, edges: Collection[tuple[N, N]]) -> set[N]:
    """What can be reached from a node over at least one edge."""
    reached: set[N] = set()
    pending = [node]
    while pending:
        here = pending.pop()
        new = {to for start, to in edges if start == here} - reached
        reached |= new
        pending += new
    return reached
