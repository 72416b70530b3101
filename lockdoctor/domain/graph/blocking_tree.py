"""Build the tree of locks and waiters that a session blocks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lockdoctor.domain.graph.strongly_connected import strongly_connected
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.model.locks import Lock, LockId

MAX_STEPS = 1_000_000
"""The maximum number of steps to count blocked waiters, for all roots together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockedLock:
    """One lock in the tree of locks that are blocked behind one another."""

    lock: LockId
    level: int
    """0 for a root, whose holder waits for no lock, or is caught in a cycle."""
    behind: LockId | None
    """The lock that its holder waits for; None for a root."""
    session: LeaseId | None
    """The holder's lease."""
    waiters: int
    """In its own queue."""
    blocks: int | None
    """Of a root: in its queue and all those behind it; None where these are too many to count."""


class BlockedCount(NamedTuple):
    """The waiters and locks blocked by one lock, or by several."""

    waiters: int
    """Waiters in all queues."""
    behind: int
    """Locks that are blocked behind the given ones."""


class BlockingTree:
    """The locks that are blocked behind one another, in order."""

    def __init__(self, locks: Sequence[Lock], waits: Mapping[int, Sequence[int]]) -> None:
        """
        Build the tree.

        Args:
            waits: Of each lock's number, the numbers of the locks that its holder waits for.
        """
        self.locks = locks
        self.waits = waits
        self.children: dict[int, list[int]] = {}
        for child, parents in waits.items():
            for parent in parents:
                self.children.setdefault(parent, []).append(child)
        self.steps = 0
        self.shown: set[int] = set()

    def rows(self) -> Iterator[BlockedLock]:
        """Yield the rows of the tree, the root that blocks most first."""
        free = [number for number in self.children if number not in self.waits]
        blocks = {number: self._blocks(number) for number in free}
        for number in sorted(free, key=lambda number: (-(blocks[number] or 0), number)):
            yield from self._below(number, blocks[number])
        for cycle in reversed(strongly_connected(self.children)):  # what remains is behind a cycle
            if self.shown.isdisjoint(cycle):
                yield from self._below(min(cycle), self._blocks(min(cycle)))

    def _below(self, root: int, blocks: int | None) -> Iterator[BlockedLock]:
        """Yield a root and all locks behind it that were not yielded yet."""
        self.shown.add(root)
        yield self._row(root, 0, None, blocks)
        pending = [(child, root, 1) for child in reversed(self.children[root])]
        while pending:
            number, parent, level = pending.pop()
            if number in self.shown:
                continue
            self.shown.add(number)
            yield self._row(number, level, parent, None)
            below = self.children.get(number, ())
            pending += [(child, number, level + 1) for child in reversed(below)]

    def _row(self, number: int, level: int, parent: int | None, blocks: int | None) -> BlockedLock:
        lock = self.locks[number]
        return BlockedLock(
            lock=lock.id,
            level=level,
            behind=None if parent is None else self.locks[parent].id,
            session=lock.holder.lease_id if lock.holder and lock.holder.has_lease else None,
            waiters=len(lock.waiters),
            blocks=blocks,
        )

    def blocked_by(self, numbers: Collection[int]) -> BlockedCount | None:
        """Count the waiters and locks behind some locks; None if they are too many."""
        reached = self._reached(numbers)
        if reached is None:
            return None
        waiters = sum(len(self.locks[number].waiters) for number in reached)
        return BlockedCount(waiters, len(reached) - len(numbers))

    def _blocks(self, number: int) -> int | None:
        blocked = self.blocked_by([number])
        return blocked.waiters if blocked else None

    def _reached(self, numbers: Collection[int]) -> set[int] | None:
        """Return the locks and all locks behind them; None if the steps do not suffice."""
        reached = set(numbers)
        pending = list(numbers)
        while pending:
            for child in self.children.get(pending.pop(), ()):
                self.steps += 1
                if self.steps > MAX_STEPS:
                    return None
                if child not in reached:
                    reached.add(child)
                    pending.append(child)
        return reached
