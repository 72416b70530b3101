"""
Who waits for whom: circles of sessions that wait for one another, and locks behind locks.

Sessions (leases) are the nodes. In Go's recipe a contender waits until every key before it in the
queue is gone, not only the holder's, so that a circle may lead through somebody who merely stands
before another: such a one gets the lock next, and keeps it if it is stuck elsewhere. Freeing the
holder in front of such a circle does not undo it. A holder who waits for nothing is never part of
a circle, however many stand behind it.

Everything is done in time and memory that grow with the number of keys: a queue of n contenders has
n(n-1)/2 waits, but each contender's wait for the one before it stands for all of them.

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
"""A short circle is looked for from so many sessions of a tangle."""


ONE_AFTER_THE_OTHER = frozenset({Recipe.GO_MUTEX, Recipe.VITESS})
"""In these queues each contender waits for everyone before it."""

KeysOn = Callable[[LeaseId], int]
"""How many keys hang on a lease, as far as is known."""


class WaitEdge(NamedTuple):
    """One session that waits for a lock which another one has before it."""

    waiter: LeaseId
    lock: Lock
    on: LeaseId
    """Who holds the lock, or stands before the waiter in its queue."""

    @property
    def on_holder(self) -> bool:
        """Whether the other one holds the lock already."""
        return self.lock.holder is not None and self.lock.holder.lease_id == self.on


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """Sessions none of which can go on before another one has."""

    ring: tuple[WaitEdge, ...]
    """A short way around: whom each waits for is the next waiter."""
    sessions: frozenset[LeaseId]
    """All that are caught in it; more than the ring has where several circles share sessions."""
    breaker: LeaseId | None
    """The one session without which nobody is caught any more, with the least damage."""

    @property
    def is_of_holders(self) -> bool:
        """Whether each waits for one who holds the lock already."""
        return all(wait.on_holder for wait in self.ring)


def contended(locks: Iterable[Lock]) -> list[Lock]:
    """
    Pick the locks whose waiters wait in earnest, in the order of their names.

    Candidates of an election wait for as long as they live, by design, often beside their work. And
    where several may hold at once, not everybody waits for all before: such queues are left out.
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
        """Draw the graph of the locks that are contended for."""
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
        Find all circles, those that share sessions told as one, in the order of their locks.

        Args:
            keys_on: What revoking a lease deletes; where not given, its keys among the locks.
        """
        if not any(map(self._is_shared, self._places)):
            return []
        tangles = strongly_connected(_chains(self._queues))
        closed = strongly_connected(_to_holders(self._queues))
        by_session = {session: core for core in closed for session in core}
        found = []
        for tangle in map(frozenset, tangles):
            cores = {id(core): core for s in sorted(tangle) if (core := by_session.get(s))}
            if cores:  # the others in the tangle only stand before somebody of a core
                found += [self._circle(frozenset(c), tangle, keys_on) for c in cores.values()]
            else:
                found.append(self._circle(tangle, tangle, keys_on, holders_only=False))
        return sorted(found, key=lambda circle: _names(circle.ring))

    def tree(self) -> list[BlockedLock]:
        """
        Put the locks in order that are blocked behind one another: roots first, each lock once.

        The roots that block most come first. Locks behind which no other is blocked, and which
        are behind none, are left out.
        """
        return list(BlockingTree(self._locks, self._holders_waits()).rows())

    def weight(self, locks: Collection[LockId]) -> BlockedCount | None:
        """Count who is blocked by some locks in all; None where these are too many to count."""
        numbers = {n for n, lock in enumerate(self._locks) if lock.id in locks}
        return BlockingTree(self._locks, self._holders_waits()).weight(numbers)

    def behind(self) -> dict[LockId, tuple[LockId, ...]]:
        """Say of each lock whose holder waits for others which ones these are."""
        return {
            self._locks[number].id: tuple(self._locks[other].id for other in others)
            for number, others in self._holders_waits().items()
        }

    def locks_of(self, circle: Cycle) -> frozenset[LockId]:
        """Name the locks of its ring, and those that one of its sessions holds from another."""
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
        """Of each lock whose holder waits elsewhere, the locks that it waits for."""
        waits: dict[int, list[int]] = {}
        for number, lock in enumerate(self._locks):
            if not lock.holder or not lock.holder.has_lease:
                continue
            found = {n for n, place in self._places.get(lock.holder.lease_id, ()) if place}
            if found - {number}:
                waits[number] = sorted(found - {number})
        return waits

    def _is_shared(self, lease: LeaseId) -> bool:
        """Whether it stands in queues more than once; without such a session there is no circle."""
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
        The shortest circle found, turned so that its first lock has the least name.

        Each circle leads through a session that stands in two places.
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
        """The fewest waits that lead from a session back to it; breadth first."""
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
        Whom a session waits for.

        Args:
            done: Of each queue, how many of its first contenders the search has come to already.
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
        Find the session whose end undoes every circle of a tangle, the least damage first.

        It must lie on each circle, so on this one; every circle that stands without it leaves
        fewer to try.
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
        """Every queue as if only these sessions stood in it."""
        standing: dict[int, list[tuple[int, LeaseId]]] = {}
        for session in sessions:
            for number, place in self._places.get(session, ()):
                standing.setdefault(number, []).append((place, session))
        return [[session for _, session in sorted(queue)] for queue in standing.values()]

    def _damage(self, lease: LeaseId, keys_on: KeysOn | None) -> tuple[int, int, LeaseId]:
        """Fewest keys deleted, then fewest waiters let in beside an owner that was not told."""
        places = self._places.get(lease, ())
        keys = keys_on(lease) if keys_on else len(places)
        return keys, self.waiters_behind(lease), lease

    def waiters_behind(self, lease: LeaseId) -> int:
        """Count those who wait for locks that a session holds."""
        return sum(
            len(self._locks[number].waiters)
            for number, place in self._places.get(lease, ())
            if not place
        )


def _chains(queues: Iterable[Sequence[LeaseId]]) -> dict[LeaseId, list[LeaseId]]:
    """Each contender waits for the one before it, and thereby for all before that one."""
    edges: dict[LeaseId, list[LeaseId]] = {}
    for queue in queues:
        for before, waiter in pairwise(queue):
            edges.setdefault(waiter, []).append(before)
    return edges


def _to_holders(queues: Iterable[Sequence[LeaseId]]) -> dict[LeaseId, list[LeaseId]]:
    """Each contender waits for the holder."""
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
