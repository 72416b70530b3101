"""Graphs, examined the slow way."""

from __future__ import annotations

from collections.abc import Collection


def mutually_reachable(edges: Collection[tuple[int, int]]) -> list[set[int]]:
    """Sets of nodes that can reach one another, by reaching everything from everywhere."""
    nodes = {node for edge in edges for node in edge}
    reach = {node: _reach(node, edges) for node in nodes}
    found: list[set[int]] = []
    for node in nodes:
        mutual = {other for other in nodes if other in reach[node] and node in reach[other]}
        if mutual and mutual not in found:
            found.append(mutual)
    return found


def _reach(node: int, edges: Collection[tuple[int, int]]) -> set[int]:
    reached: set[int] = set()
    pending = [node]
    while pending:
        here = pending.pop()
        new = {to for start, to in edges if start == here} - reached
        reached |= new
        pending += new
    return reached
