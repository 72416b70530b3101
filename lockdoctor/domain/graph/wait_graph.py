"""
Find sessions that wait in a cycle, and locks that are blocked behind locks.

Sessions (leases) are the nodes. In Go's recipe a waiter waits until every key before it in the
queue is gone, not only the holder's. So a cycle can lead through a session that only waits before
another one in a queue. That session gets the lock next, and keeps it if it is stuck elsewhere.
Freeing the holder in front of such a cycle does not break it. A holder that waits for no lock is
never part of a cycle, whatever the number of waiters behind it.

Time and memory grow with the number of keys. A queue of n keys has n(n-1)/2 waits, but each key's
wait for the one before it represents all of them.

Source: waitDeletes in etcd's client/v3/concurrency/key.go.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count, pairwise
from typing import NamedTuple

from lockdoctor.domain.graph.blocking_tree import BlockedCount, BlockedLock, BlockingTree
from lockdoctor.domain.graph.strongly_connected import strongly_connected
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.model.locks import Kind, Lock, LockId, Recipe

MAX_STARTS = 16
"""The maximum number of sessions from which a short cycle is searched."""

ONE_AFTER_THE_OTHER = frozenset({Recipe.GO_MUTEX, Recipe.VITESS})
"""In these queues each waiter waits for every key before it."""

KeysOn = Callable[[LeaseId], int]
"""The number of keys on a lease, as far as they were read."""


class WaitEdge(NamedTuple):
    """One session that waits for a lock which another session has before it."""

    waiter: LeaseId
    lock: Lock
    on: LeaseId
    """The session that holds the lock, or is before the waiter in its queue."""

    @property
    def on_holder(self) -> bool:
        """Return whether the other session holds the lock already."""
        return self.lock.holder is not None and self.lock.holder.lease_id == self.on


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """Sessions that each need another one to continue first."""

    edges: tuple[WaitEdge, ...]
    """A short cycle: each session waits for the next waiter."""
    sessions: frozenset[LeaseId]
    """All sessions in it; more than the edges have where several cycles share sessions."""
    breaker: LeaseId | None
    """The one session whose end breaks every cycle, with the least damage."""

    @property
    def is_of_holders(self) -> bool:
        """Return whether each session waits for one that holds the lock already."""
        return all(edge.on_holder for edge in self.edges)


def contended(locks: Iterable[Lock]) -> list[Lock]:
    """
    Return the locks whose waiters need the lock to continue, ordered by name.

    Candidates of an election wait for as long as they live, by design, often beside their work.
    Where several may hold at once, a waiter does not wait for all keys before it. Such queues are
    left out.
    """
    needed = (
        lock
        for lock in locks
        if lock.waiters
        and lock.holder
        and lock.kind is Kind.LOCK
        and lock.queue_is_whole
        and lock.recipe in ONE_AFTER_THE_OTHER
    )
    return sorted(needed, key=lambda lock: lock.name)


class WaitGraph:
    """The waits of all sessions at one moment."""

    def __init__(self, locks: Iterable[Lock], keys_on: KeysOn | None = None) -> None:
        """
        Build the graph of the locks that have waiters.

        Args:
            keys_on: The number of keys that revoking a lease deletes; where not given, its keys
                among the locks.
        """
        self._locks = contended(locks)
        no_session = count(2**64)  # a key without a lease has no session: it is its own node
        self._queues = [
            [key.lease_id if key.has_lease else LeaseId(next(no_session)) for key in lock.keys]
            for lock in self._locks
        ]
        self._places: dict[LeaseId, list[tuple[int, int]]] = {}
        for number, queue in enumerate(self._queues):
            for place, lease in enumerate(queue):
                self._places.setdefault(lease, []).append((number, place))
        self._keys_on = keys_on or (lambda lease: len(self._places_of(lease)))

    def cycles(self) -> list[Cycle]:
        """Return all cycles in the order of their locks; those sharing sessions are one."""
        if not any(map(self._is_shared, self._places)):
            return []
        of_holders = strongly_connected(_to_holders(self._queues))
        by_session = {session: cycle for cycle in of_holders for session in cycle}
        cycles = []
        for component in map(frozenset, strongly_connected(_chains(self._queues))):
            inner = {id(c): c for s in sorted(component) if (c := by_session.get(s))}
            if inner:  # the other sessions of the component are only before one of these
                cycles += [self._cycle(frozenset(c), component) for c in inner.values()]
            else:
                cycles.append(self._cycle(component, component, holders_only=False))
        return sorted(cycles, key=lambda cycle: _names(cycle.edges))

    def tree(self) -> list[BlockedLock]:
        """
        Return the locks blocked behind one another: roots first, each lock once.

        The roots that block most come first. Locks that block no other lock, and are behind no
        other lock, are left out.
        """
        return list(BlockingTree(self._locks, self._holders_waits).rows())

    def blocked_by(self, locks: Collection[LockId]) -> BlockedCount | None:
        """Count the waiters that some locks block in all; None if they are too many."""
        numbers = {n for n, lock in enumerate(self._locks) if lock.id in locks}
        return BlockingTree(self._locks, self._holders_waits).blocked_by(numbers)

    def behind(self) -> dict[LockId, LockId]:
        """Return, for each lock whose holder waits, the first lock that it waits for."""
        return {
            self._locks[number].id: self._locks[others[0]].id
            for number, others in self._holders_waits.items()
        }

    def locks_of(self, cycle: Cycle) -> frozenset[LockId]:
        """
        Return the locks of a cycle: its edges', and others between its sessions.

        One of its sessions holds such a lock, and another one waits for it.
        """
        held = {number for session in cycle.sessions for number in self._held_by(session)}
        tied = (
            self._locks[number].id
            for number in held
            if any(key.lease_id in cycle.sessions for key in self._locks[number].waiters)
        )
        return frozenset([*(edge.lock.id for edge in cycle.edges), *tied])

    @cached_property
    def _holders_waits(self) -> dict[int, list[int]]:
        """Return, for each lock whose holder waits elsewhere, the locks it waits for."""
        waits: dict[int, list[int]] = {}
        for number, lock in enumerate(self._locks):
            if lock.holder and lock.holder.has_lease:
                places = self._places_of(lock.holder.lease_id)
                others = {n for n, place in places if place} - {number}
                if others:
                    waits[number] = sorted(others)
        return waits

    def _places_of(self, lease: LeaseId) -> Sequence[tuple[int, int]]:
        """Return the queues in which a session is, and its place in each."""
        return self._places.get(lease, ())

    def _held_by(self, lease: LeaseId) -> list[int]:
        return [number for number, place in self._places_of(lease) if not place]

    def _is_shared(self, lease: LeaseId) -> bool:
        """Return whether a session is in more than one queue; each cycle needs one."""
        return len(self._places_of(lease)) > 1

    def _cycle(
        self,
        sessions: frozenset[LeaseId],
        component: frozenset[LeaseId],
        *,
        holders_only: bool = True,
    ) -> Cycle:
        edges = self._edges(sessions, holders_only=holders_only)
        return Cycle(edges=edges, sessions=sessions, breaker=self._breaker(edges, component))

    def _edges(self, sessions: frozenset[LeaseId], *, holders_only: bool) -> tuple[WaitEdge, ...]:
        """
        Return the shortest cycle found, from the lock with the least name on.

        Each cycle leads through a session that is in two places.
        """
        shared = [lease for lease in sessions if self._is_shared(lease)]
        starts = sorted(shared, key=lambda lease: (-len(self._places_of(lease)), lease))
        paths = (
            self._path_back(start, sessions, holders_only=holders_only)
            for start in starts[:MAX_STARTS]
        )
        cycles = (_from_least_name(path) for path in paths if path)
        shortest = min(cycles, key=_length_and_names)
        return tuple(shortest)

    def _path_back(
        self, start: LeaseId, inside: frozenset[LeaseId], *, holders_only: bool
    ) -> list[WaitEdge] | None:
        """Return the fewest waits that lead from a session back to it; breadth first."""
        reached_by: dict[LeaseId, WaitEdge] = {}
        done: dict[int, int] = {}
        pending = deque([start])
        while pending:
            session = pending.popleft()
            for edge in self._waits_of(session, done, holders_only=holders_only):
                if edge.on not in inside or edge.on in reached_by:
                    continue
                reached_by[edge.on] = edge
                if edge.on == start:
                    return _path(start, reached_by)
                pending.append(edge.on)
        return None

    def _waits_of(
        self, session: LeaseId, done: dict[int, int], *, holders_only: bool
    ) -> Iterator[WaitEdge]:
        """
        Yield the waits of a session.

        Args:
            done: Of each queue, the number of its first keys that the search has visited.
        """
        for number, place in self._places_of(session):
            lock, queue = self._locks[number], self._queues[number]
            until = min(place, 1) if holders_only else place
            known = done.get(number, 0)
            for to in queue[known:until]:
                yield WaitEdge(session, lock, to)
            done[number] = max(known, until)

    def _breaker(self, edges: Sequence[WaitEdge], component: frozenset[LeaseId]) -> LeaseId | None:
        """
        Return the session whose end breaks every cycle of a component.

        The session with the least damage is tried first. It must be on each cycle, so on this one;
        every cycle that remains without a tried session leaves fewer to try.
        """
        queues = self._queues_of(component)
        on_all = {edge.on for edge in edges}
        for lease in sorted(on_all, key=self._damage):
            if lease not in on_all:
                continue
            rest = [[other for other in queue if other != lease] for queue in queues]
            left = strongly_connected(_chains(rest))
            if not left:
                return lease
            on_all.intersection_update(*left)
        return None

    def _queues_of(self, sessions: frozenset[LeaseId]) -> list[list[LeaseId]]:
        """Return every queue with these sessions only."""
        places: dict[int, list[tuple[int, LeaseId]]] = {}
        for session in sessions:
            for number, place in self._places_of(session):
                places.setdefault(number, []).append((place, session))
        return [[session for _, session in sorted(queue)] for queue in places.values()]

    def _damage(self, lease: LeaseId) -> tuple[int, int, LeaseId]:
        """
        Return the sort key of damage: keys deleted, then waiters let in.

        These waiters would hold the lock beside an owner that was not notified.
        """
        return self._keys_on(lease), self.waiters_behind(lease), lease

    def waiters_behind(self, lease: LeaseId) -> int:
        """Return the number of waiters for locks that a session holds."""
        return sum(len(self._locks[number].waiters) for number in self._held_by(lease))


def _chains(queues: Iterable[Sequence[LeaseId]]) -> dict[LeaseId, list[LeaseId]]:
    """Return the waits of each key for the one before it; these imply the rest."""
    edges: dict[LeaseId, list[LeaseId]] = {}
    for queue in queues:
        for before, waiter in pairwise(queue):
            edges.setdefault(waiter, []).append(before)
    return edges


def _to_holders(queues: Iterable[Sequence[LeaseId]]) -> dict[LeaseId, list[LeaseId]]:
    """Return the waits of each waiter for the holder."""
    edges: dict[LeaseId, list[LeaseId]] = {}
    for queue in queues:
        for waiter in queue[1:]:
            edges.setdefault(waiter, []).append(queue[0])
    return edges


def _path(start: LeaseId, reached_by: Mapping[LeaseId, WaitEdge]) -> list[WaitEdge]:
    edges = [reached_by[start]]
    while edges[-1].waiter != start:
        edges.append(reached_by[edges[-1].waiter])
    return edges[::-1]


def _from_least_name(cycle: list[WaitEdge]) -> list[WaitEdge]:
    first = min(range(len(cycle)), key=lambda n: (cycle[n].lock.name, cycle[n].waiter))
    return cycle[first:] + cycle[:first]


def _length_and_names(edges: Sequence[WaitEdge]) -> tuple[int, list[tuple[bytes, LeaseId]]]:
    return len(edges), _names(edges)


def _names(edges: Sequence[WaitEdge]) -> list[tuple[bytes, LeaseId]]:
    return [(edge.lock.name, edge.waiter) for edge in edges]
