"""Watches the keys of one prefix while a scan samples their leases."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from lockdoctor.domain.inference.queue_activity import (
    KeyDeleted,
    KeyPut,
    WatchEvent,
    WatchGap,
    WatchProgress,
)
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.model.locks import KeySnapshot, LockKey
from lockdoctor.errors import ClusterError, WrongClusterError
from lockdoctor.ports import Clock, Cluster, StopRequest

CATCH_UP_S = 2.0
"""How long the watch may take to deliver what happened before a later reading of the keys."""


class KeyEventCollector:
    """Collects what happens to the keys of a prefix after a snapshot of them."""

    def __init__(
        self,
        cluster: Cluster,
        prefix: bytes,
        snapshot: KeySnapshot,
        on_left: Callable[[LeaseId], None],
        stop: StopRequest,
    ) -> None:
        """
        Begin to watch.

        Args:
            stop: Is asked where another cluster answers, whose answers nothing may wait for.
            on_left: Called with a lease when the last of its keys in this prefix has gone.
        """
        self._events: list[WatchEvent] = []
        self._revision = snapshot.revision
        self._on_left = on_left
        self._stop = stop
        self._wrong: WrongClusterError | None = None
        self._keys = {key.key: key.lease_id for key in snapshot.keys}
        self._held = Counter(self._keys.values())
        self._task = asyncio.ensure_future(self._run(cluster, prefix, snapshot.revision + 1))

    @property
    def events(self) -> tuple[WatchEvent, ...]:
        """What was seen so far."""
        return tuple(self._events)

    async def catch_up(self, revision: int, clock: Clock) -> None:
        """Wait until everything up to a revision was delivered; a gap says where it was not."""
        give_up_at = clock.now() + CATCH_UP_S
        while self._revision < revision and not self._task.done():
            if clock.now() > give_up_at:
                self._note_gap(clock.now(), "the watch fell behind")
                return
            await clock.sleep(0.02)

    def require_right_cluster(self) -> None:
        """
        Let a run conclude only if what it watched is the cluster that it is about.

        Raises:
            WrongClusterError: It was another one in the end.
        """
        if self._wrong is not None:
            raise self._wrong

    async def close(self) -> None:
        """Stop watching."""
        self._task.cancel()
        await asyncio.wait({self._task})

    async def _run(self, cluster: Cluster, prefix: bytes, revision: int) -> None:
        last_seen_at = 0.0
        try:
            async for event in cluster.watch(prefix, revision):
                last_seen_at = event.seen_at
                self._take(event)
        except ClusterError as failed:
            self._note_gap(last_seen_at, str(failed))
        except WrongClusterError as wrong:
            self._wrong = wrong
            self._stop.request(str(wrong))

    def _note_gap(self, seen_at: float, why: str) -> None:
        self._events.append(WatchGap(seen_at=seen_at, why=why))

    def _take(self, event: WatchEvent) -> None:
        if not isinstance(event, WatchGap):
            self._revision = max(self._revision, event.revision)
        if isinstance(event, WatchProgress) and self._events:
            self._drop_older_progress()
        self._events.append(event)
        if isinstance(event, KeyPut):
            self._put(event.key)
        elif isinstance(event, KeyDeleted):
            self._leave(event.key)

    def _drop_older_progress(self) -> None:
        """Of two progress marks in a row only the later says anything."""
        if isinstance(self._events[-1], WatchProgress):
            self._events.pop()

    def _put(self, key: LockKey) -> None:
        before = self._keys.get(key.key)
        self._keys[key.key] = key.lease_id
        self._held[key.lease_id] += 1
        if before is not None:
            self._release(before)

    def _leave(self, key: bytes) -> None:
        lease_id = self._keys.pop(key, None)
        if lease_id is not None:
            self._release(lease_id)

    def _release(self, lease_id: LeaseId) -> None:
        self._held[lease_id] -= 1
        if not self._held[lease_id]:
            del self._held[lease_id]
            if lease_id:
                self._on_left(lease_id)
