"""Whatever clients do while a treatment goes on, only what was planned is touched."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from lockdoctor.domain.model.actions import Action
from lockdoctor.domain.model.leases import NO_LEASE, LeaseId
from lockdoctor.domain.model.locks import Hold, LockKey
from lockdoctor.domain.model.write_result import WriteResult
from lockdoctor.domain.treatment.journal_entry import Line
from lockdoctor.domain.treatment.plan import Selection
from lockdoctor.workflows.treatment.plan import ExecutionOptions
from tests.factories.treatment import WAYS, Room, key_of, tell
from tests.fakes.cluster import FakeClock, FakeCluster, FakeJournal
from tests.fakes.key_writer import FakeKeyWriter

SESSIONS = 3
LOCKS = (b"/l/a", b"/l/b")
REQUESTS = 20
"""A treatment of two targets takes about so many."""

Move = Callable[[Room, LeaseId, bytes], object]


def lock(room: Room, lease: LeaseId, name: bytes) -> None:
    """Contend for a lock, unless the session does already, or has ended by now."""
    assert room.cluster.revision  # lets what is due happen first
    if lease in room.leases and key_of(lease, name) not in room.keys:
        room.lock(lease, name)


def unlock(room: Room, lease: LeaseId, name: bytes) -> None:
    """Give a lock back."""
    room.cluster.delete(key_of(lease, name))


def relock(room: Room, lease: LeaseId, name: bytes) -> None:
    """Give a lock back and contend for it anew: the same key on the same lease."""
    unlock(room, lease, name)
    lock(room, lease, name)


def proclaim(room: Room, lease: LeaseId, name: bytes) -> None:
    """Write into a key that one holds."""
    if key_of(lease, name) in room.keys and lease in room.leases:
        room.cluster.put(key_of(lease, name), b"alive", lease)


def register(room: Room, lease: LeaseId, name: bytes) -> None:
    """Hang something else onto the session."""
    if lease in room.leases:
        room.cluster.put(b"/elsewhere" + name, b"", lease)


def close(room: Room, lease: LeaseId, _: bytes) -> None:
    """Close the session."""
    if lease in room.leases:
        room.cluster.revoke(lease)


def arrive(room: Room, _: LeaseId, name: bytes) -> None:
    """Come with a session of one's own."""
    room.leak(name)


MOVES: list[Move] = [lock, unlock, relock, proclaim, register, close, arrive]


class CrowdedCluster(FakeCluster):
    """Lets others act before each request, and remembers when the last look began."""

    looked_at: int | None = None
    """The revision at that time."""

    def __init__(self, clock: FakeClock) -> None:
        """Start empty, with nobody around."""
        super().__init__(clock)
        self.requests = 0
        self.crowd: dict[int, list[Callable[[], object]]] = {}
        """What happens before which request."""

    async def _answer(self) -> tuple[float, float]:
        for move in self.crowd.get(self.requests, ()):
            move()
        self.requests += 1
        if self.looked_at is None:
            self.looked_at = self.revision
        return await super()._answer()


class WatchedKeyWriter(FakeKeyWriter):
    """Remembers at which revision the last look before the end of each lease began."""

    def __init__(self, cluster: CrowdedCluster, room: Room) -> None:
        """Work without faults."""
        super().__init__(cluster, room.clock)
        self.windows: dict[LeaseId, int] = {}
        self.before = self._forget
        self._looking = cluster

    async def revoke(self, lease_id: LeaseId) -> WriteResult:
        """End a lease."""
        assert self._looking.looked_at is not None
        self.windows[lease_id] = self._looking.looked_at
        return await super().revoke(lease_id)

    def _forget(self, step: str) -> None:
        if step in {"delete", "revoke", "move"}:
            self._looking.looked_at = None


class ResettingJournal(FakeJournal):
    """A journal behind which a new look begins: what was seen before does not count any more."""

    def __init__(self, cluster: CrowdedCluster) -> None:
        """Take all."""
        super().__init__()
        self._cluster = cluster

    def write(self, line: Line) -> None:
        """Keep a line."""
        super().write(line)
        self._cluster.looked_at = None


Moves = list[tuple[int, Move, int, int]]
Faults = dict[str, str]

CONTENDER = st.tuples(st.integers(0, SESSIONS - 1), st.integers(0, len(LOCKS) - 1))
MOVE = st.tuples(
    st.integers(0, REQUESTS),
    st.sampled_from(MOVES),
    st.integers(0, SESSIONS - 1),
    st.integers(0, len(LOCKS) - 1),
)
FAULT = st.dictionaries(
    st.sampled_from(["delete", "move", "revoke"]),
    st.sampled_from(["lost", "swallowed", "late"]),
    max_size=1,
)


@settings(max_examples=200)
@given(
    action=st.sampled_from(WAYS),
    first=st.lists(CONTENDER, min_size=1, max_size=6, unique=True),
    moves=st.lists(MOVE, min_size=1, max_size=12),
    faults=FAULT,
)
def test_nothing_is_touched_that_was_not_planned(
    action: Action, first: list[tuple[int, int]], moves: Moves, faults: Faults
) -> None:
    """
    Release and quarantine touch the very holds of the plan, whoever does what meanwhile.

    A revocation touches besides them only what the plan showed on the lease, and what came onto it
    in the window that docs/revoking.md names: after the beginning of the last look at it.
    """

    async def story(room: Room) -> None:
        cluster = CrowdedCluster(room.clock)
        key_writer = WatchedKeyWriter(cluster, room)
        room.cluster, room.key_writer = cluster, key_writer
        room.journal = ResettingJournal(cluster)
        sessions = [room.session(60) for _ in range(SESSIONS)]
        for session, name in first:
            lock(room, sessions[session], LOCKS[name])
        plan = await room.plan(
            Selection(action=action, whole_prefix=True, outside_keys=True), window_s=0.0
        )
        for step, fault in faults.items():
            if fault == "late":
                room.key_writer.late[step] = 3.0
            else:
                getattr(room.key_writer, fault).add(step)
        for request, move, session, name in moves:
            acts = cluster.crowd.setdefault(cluster.requests + request, [])
            acts.append(partial(move, room, sessions[session], LOCKS[name]))
        await room.treat(plan, ExecutionOptions(pause_s=0.0, continue_on_error=True))
        await room.clock.sleep(5.0)  # what is late happens

        shown = {_same(key) for target in plan.targets for key in target.affected_keys}
        holds = {_same(key) for target in plan.targets for key in target.holds}
        told = {key.hold for entry in room.journal.entries() for key in entry.perhaps_deleted}
        for step, key in key_writer.touched:
            if step == "revoke" and _same(key) not in shown:
                assert key.mod_revision > key_writer.windows[key.lease_id]
            else:
                assert _same(key) in (shown if step == "revoke" else holds)
                assert key.hold in told

    tell(story)


def _same(key: LockKey) -> tuple[Hold, int, LeaseId]:
    return key.hold, key.mod_revision, key.lease_id or NO_LEASE
