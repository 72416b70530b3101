"""A KeyWriter on the fake cluster, which tests can hinder at every step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from lockdoctor.domain.model.leases import NO_LEASE, LeaseId
from lockdoctor.domain.model.locks import LockKey
from lockdoctor.domain.model.write_result import WriteOutcome, WriteResult
from lockdoctor.errors import ClusterError, WrongClusterError
from lockdoctor.ports import MAX_KEYS_PER_WRITE
from tests.fakes.cluster import FakeClock, FakeCluster

Act = Callable[[], WriteOutcome]


class FakeKeyWriter:
    """
    A KeyWriter (see ports) on a FakeCluster.

    Steps are named after the methods. Public attributes are its faults.
    """

    def __init__(self, cluster: FakeCluster, clock: FakeClock) -> None:
        """Work without faults."""
        self.before: Callable[[str], object] = lambda _: None
        """Called with each step when etcd is about to carry it out: others may be faster."""
        self.lost: set[str] = set()
        """Steps that are carried out, but whose answer never comes."""
        self.swallowed: set[str] = set()
        """Steps that are never carried out, and bring no answer either."""
        self.late: dict[str, float] = {}
        """Steps that bring no answer, and are carried out so many seconds later."""
        self.refused: dict[str, ClusterError | WrongClusterError] = {}
        """Steps that etcd refuses."""
        self.steps: list[str] = []
        """Every write that reached etcd, in order."""
        self.touched: list[tuple[str, LockKey]] = []
        """Every key that a write deleted or changed, as it was before."""
        self._cluster = cluster
        self._clock = clock

    async def key(self, key: bytes) -> LockKey | None:
        """Read one key."""
        await self._cluster._answer()
        self.before("key")
        return self._cluster._keys.get(key)

    async def delete(self, keys: Sequence[LockKey]) -> WriteResult:
        """Delete keys, guarded."""

        def act() -> WriteOutcome:
            if not self._are_unchanged(keys):
                return WriteOutcome.UNMET
            for key in keys:
                self._cluster.delete(key.key)
            return WriteOutcome.DONE

        return await self._write("delete", act, keys)

    async def move(self, keys: Sequence[LockKey], to: LeaseId) -> WriteResult:
        """Put keys onto another lease, guarded."""

        def act() -> WriteOutcome:
            if not self._are_unchanged(keys):
                return WriteOutcome.UNMET
            if to != NO_LEASE and to not in self._cluster._leases:
                return WriteOutcome.NO_LEASE
            for key in keys:
                self._cluster.put(key.key, key.value, to)
            return WriteOutcome.DONE

        return await self._write("move", act, keys)

    async def create(self, keys: Sequence[LockKey], lease_id: LeaseId) -> WriteResult:
        """Write keys, only where none of them exists."""

        def act() -> WriteOutcome:
            if any(key.key in self._cluster._keys for key in keys):
                return WriteOutcome.UNMET
            if lease_id != NO_LEASE and lease_id not in self._cluster._leases:
                return WriteOutcome.NO_LEASE
            for key in keys:
                self._cluster.put(key.key, key.value, lease_id)
            return WriteOutcome.DONE

        return await self._write("create", act, keys)

    async def grant(self, ttl_s: int) -> LeaseId:
        """Grant a lease."""
        await self._cluster._answer()
        self.before("grant")
        self._refuse("grant")
        return self._cluster.grant(ttl_s)

    async def revoke(self, lease_id: LeaseId) -> WriteResult:
        """End a lease and all keys on it."""

        def act() -> WriteOutcome:
            if lease_id not in self._cluster._leases:
                return WriteOutcome.NO_LEASE
            self._cluster.revoke(lease_id)
            return WriteOutcome.DONE

        return await self._write("revoke", act)

    async def _write(
        self, step: str, act: Act, keys: Sequence[LockKey] | None = None
    ) -> WriteResult:
        if keys is not None and not 0 < len(keys) <= MAX_KEYS_PER_WRITE:
            raise ValueError(f"{len(keys)} keys in one write")
        asked_at, _ = await self._cluster._answer()
        self.before(step)
        self._refuse(step)
        answered = WriteResult(
            effect=WriteOutcome.UNCLEAR, asked_at=asked_at, answered_at=self._clock.now()
        )
        if step in self.late:
            self._cluster.at(self._clock.now() + self.late[step], lambda: self._act(step, act))
            return replace(answered, why="no answer in time")
        if step in self.swallowed:
            return replace(answered, why="no answer in time")
        effect = self._act(step, act)
        if step in self.lost:
            return replace(answered, why="no answer in time")
        return replace(answered, effect=effect)

    def _act(self, step: str, act: Act) -> WriteOutcome:
        before = dict(self._cluster._keys)
        effect = act()
        now = self._cluster._keys
        self.touched += [(step, key) for name, key in before.items() if now.get(name) != key]
        self.steps.append(step)
        return effect

    def _refuse(self, step: str) -> None:
        if step in self.refused:
            raise self.refused[step]

    def _are_unchanged(self, keys: Sequence[LockKey]) -> bool:
        return all(self._is_unchanged(key) for key in keys)

    def _is_unchanged(self, key: LockKey) -> bool:
        now = self._cluster._keys.get(key.key)
        return now is not None and (now.create_revision, now.mod_revision, now.lease_id) == (
            key.create_revision,
            key.mod_revision,
            key.lease_id,
        )
