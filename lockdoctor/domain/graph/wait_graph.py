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
from itertools import count, pairwise
from typing import NamedTuple

from lockdoctor.domain.graph.blocking_tree import BlockedCount, BlockedLock, BlockingTree
from lockdoctor.domain.graph.strongly_connected import strongly_connected
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.model.locks import Kind, Lock, LockId, Recipe

MAX_STARTS = 16
"""The maximum number of sessions of a tangle from which a short cycle is searched."""


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

    ring: tuple[WaitEdge, ...]
    """A short way around: each session waits for the next waiter."""
    sessions: frozenset[LeaseId]
    """All sessions in it; more than the ring has where several cycles share sessions."""
    breaker: LeaseId | None
    """The one session whose end breaks every cycle, with the least damage."""

    @property
    def is_of_holders(self) -> bool:
        """Return whether each session waits for one that holds the lock already."""
        return all(wait.on_holder for wait in self.ring)


def contended(locks: Iterable[Lock]) -> list[Lock]:
    """
    Return the locks whose waiters need the lock to continue, ordered by name.

    Candidates of an election wait for as long as they live, by design, often beside their work.
    Where several may hold at once, a waiter does not wait for all keys before it. Such queues are
    left out.
    """
    found = (
        lock
        for lock in locks
        if lock.waiters
        and lock.holder
        and lock.kind is Kind.LOCK
        and lock.queue_is_whole
        and lock.recipe in ONE_AFTER_THE_OTHER
    )
    return sorted(found, key=lambda lock: lock.id.name)


class WaitGraph:
    """The waits of all sessions at one moment."""

    def __init__(self, locks: Iterable[Lock]) -> None:
        """Build the graph of the locks that have waiters."""
        self._locks = contended(locks)
        nobody = count(2**64)  # a key without a lease has no session: it is a node of its own
        self._queues = [
            [key.lease_id if key.has_lease else LeaseId(next(nobody)) for key in lock.keys]
            for lock in self._locks
        ]
        self._places: dict[LeaseId, list[tuple[int, int]]] = {}
        for number, queue in enumerate(self._queues):
            for place, lease in enumerate(queue):
                self._places.setdefault(lease, []).append((number, place))

    def circles(self, keys_on: KeysOn | None = None) -> list[Cycle]:
        """
        Return all cycles in the order of their locks; those sharing sessions are one.

        Args:
            keys_on: The number of keys that revoking a lease deletes; where not given, its keys
                among the locks.
        """
        if not any(map(self._is_shared, self._places)):
            return []
        tangles = strongly_connected(_chains(self._queues))
        closed = strongly_connected(_to_holders(self._queues))
        by_session = {session: core for core in closed for session in core}
        found = []
        for tangle in map(frozenset, tangles):
            cores = {id(core): core for s in sorted(tangle) if (core := by_session.get(s))}
            if cores:  # the other sessions in the tangle are only before one of a core
                found += [self._circle(frozenset(c), tangle, keys_on) for c in cores.values()]
            else:
                found.append(self._circle(tangle, tangle, keys_on, holders_only=False))
        return sorted(found, key=lambda circle: _names(circle.ring))

    def tree(self) -> list[BlockedLock]:
        """
        Return the locks blocked behind one another: roots first, each lock once.

        The roots that block most come first. Locks that block no other lock, and are behind no
        other lock, are left out.
        """
        return list(BlockingTree(self._locks, self._holders_waits()).rows())

    def weight(self, locks: Collection[LockId]) -> BlockedCount | None:
        """Count the waiters that some locks block in all; None if they are too many."""
        numbers = {n for n, lock in enumerate(self._locks) if lock.id in locks}
        return BlockingTree(self._locks, self._holders_waits()).weight(numbers)

    def behind(self) -> dict[LockId, tuple[LockId, ...]]:
        """Return, for each lock whose holder waits, the locks that it waits for."""
        return {
            self._locks[number].id: tuple(self._locks[other].id for other in others)
            for number, others in self._holders_waits().items()
        }

    def locks_of(self, circle: Cycle) -> frozenset[LockId]:
        """
        Return the locks of a cycle: its ring's, and others between its sessions.

        One of its sessions holds such a lock, and another one waits for it.
        """
        held = {
            number: self._locks[number]
            for session in circle.sessions
            for number, place in self._places.get(session, ())
            if not place
        }
        tied = (
            lock.id
            for lock in held.values()
            if any(w.lease_id in circle.sessions for w in lock.waiters)
        )
        return frozenset([*(wait.lock.id for wait in circle.ring), *tied])

    def _holders_waits(self) -> dict[int, list[int]]:
        """Return, for each lock whose holder waits elsewhere, the locks it waits for."""
        waits: dict[int, list[int]] = {}
        for number, lock in enumerate(self._locks):
            if not lock.holder or not lock.holder.has_lease:
                continue
            found = {n for n, place in self._places.get(lock.holder.lease_id, ()) if place}
            if found - {number}:
                waits[number] = sorted(found - {number})
        return waits

    def _is_shared(self, lease: LeaseId) -> bool:
        """Return whether a session is in more than one queue; each cycle needs one."""
        return len(self._places.get(lease, ())) > 1

    def _circle(
        self,
        core: frozenset[LeaseId],
        tangle: frozenset[LeaseId],
        keys_on: KeysOn | None,
        *,
        holders_only: bool = True,
    ) -> Cycle:
        ring = self._ring(core, holders_only=holders_only)
        return Cycle(ring=ring, sessions=core, breaker=self._breaker(ring, tangle, keys_on))

    def _ring(self, sessions: frozenset[LeaseId], *, holders_only: bool) -> tuple[WaitEdge, ...]:
        """
        Return the shortest cycle found, from the lock with the least name on.

        Each cycle leads through a session that is in two places.
        """
        ways = [lease for lease in sessions if self._is_shared(lease)]
        starts = sorted(ways, key=lambda lease: (-len(self._places.get(lease, ())), lease))
        found = (
            self._way_back(start, sessions, holders_only=holders_only)
            for start in starts[:MAX_STARTS]
        )
        shortest = min((_turned(ring) for ring in found if ring), key=_length_and_names)
        return tuple(shortest)

    def _way_back(
        self, start: LeaseId, inside: frozenset[LeaseId], *, holders_only: bool
    ) -> list[WaitEdge] | None:
        """Return the fewest waits that lead from a session back to it; breadth first."""
        came_by: dict[LeaseId, WaitEdge] = {}
        done: dict[int, int] = {}
        waiting = deque([start])
        while waiting:
            session = waiting.popleft()
            for to, wait in self._steps(session, done, holders_only=holders_only):
                if to not in inside or to in came_by:
                    continue
                came_by[to] = wait
                if to == start:
                    return _walked(start, came_by)
                waiting.append(to)
        return None

    def _steps(
        self, session: LeaseId, done: dict[int, int], *, holders_only: bool
    ) -> Iterator[tuple[LeaseId, WaitEdge]]:
        """
        Yield the sessions that a session waits for.

        Args:
            done: Of each queue, the number of its first keys that the search has visited.
        """
        for number, place in self._places.get(session, ()):
            lock, queue = self._locks[number], self._queues[number]
            until = min(place, 1) if holders_only else place
            known = done.get(number, 0)
            for to in queue[known:until]:
                yield to, WaitEdge(session, lock, to)
            done[number] = max(known, until)

    def _breaker(
        self, ring: Sequence[WaitEdge], tangle: frozenset[LeaseId], keys_on: KeysOn | None
    ) -> LeaseId | None:
        """
        Return the session whose end breaks every cycle of a tangle.

        The session with the least damage is tried first. It must be on each cycle, so on this one;
        every cycle that remains without a tried session leaves fewer to try.
        """
        queues = self._queues_of(tangle)
        on_all = {wait.on for wait in ring}
        for lease in sorted(on_all, key=lambda lease: self._damage(lease, keys_on)):
            if lease not in on_all:
                continue
            rest = [[other for other in queue if other != lease] for queue in queues]
            left = strongly_connected(_chains(rest), tangle - {lease})
            if not left:
                return lease
            on_all.intersection_update(*left)
        return None

    def _queues_of(self, sessions: frozenset[LeaseId]) -> list[list[LeaseId]]:
        """Return every queue with these sessions only."""
        standing: dict[int, list[tuple[int, LeaseId]]] = {}
        for session in sessions:
            for number, place in self._places.get(session, ()):
                standing.setdefault(number, []).append((place, session))
        return [[session for _, session in sorted(queue)] for queue in standing.values()]

    def _damage(self, lease: LeaseId, keys_on: KeysOn | None) -> tuple[int, int, LeaseId]:
        """
        Return the sort key of damage: keys deleted, then waiters let in.

        These waiters would hold the lock beside an owner that was not notified.
        """
        places = self._places.get(lease, ())
        keys = keys_on(lease) if keys_on else len(places)
        return keys, self.waiters_behind(lease), lease

    def waiters_behind(self, lease: LeaseId) -> int:
        """Return the number of waiters for locks that a session holds."""
        return sum(
            len(self._locks[number].waiters)
            for number, place in self._places.get(lease, ())
            if not place
        )


def _chains(queues: Iterable[Sequence[LeaseId]]) -> dict[LeaseId, list[LeaseId]]:
    """
    Return the waits of each key for the one before it, for queues in order.

    They imply its waits for all keys before that one.
    """
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


def _walked(start: LeaseId, came_by: Mapping[LeaseId, WaitEdge]) -> list[WaitEdge]:
    waits = [came_by[start]]
    while waits[-1].waiter != start:
        waits.append(came_by[waits[-1].waiter])
    return waits[::-1]


def _turned(ring: list[WaitEdge]) -> list[WaitEdge]:
    first = min(range(len(ring)), key=lambda n: (ring[n].lock.name, ring[n].waiter))
    return ring[first:] + ring[:first]


def _length_and_names(ring: Sequence[WaitEdge]) -> tuple[int, list[tuple[bytes, LeaseId]]]:
    return len(ring), _names(ring)


def _names(ring: Sequence[WaitEdge]) -> list[tuple[bytes, LeaseId]]:
    return [(wait.lock.name, wait.waiter) for wait in ring]
