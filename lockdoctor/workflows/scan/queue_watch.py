"""Watch the keys of one prefix while a scan samples their leases."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from lockdoctor.domain.inference.queue_activity import (
    GapReason,
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
"""
The maximum time, in seconds, to wait for events that happened before a later reading of the keys.
"""


class KeyEventCollector:
    """Collect the events on the keys of a prefix after a snapshot of them."""

    def __init__(
        self,
        cluster: Cluster,
        prefix: bytes,
        snapshot: KeySnapshot,
        on_left: Callable[[LeaseId], None],
        stop: StopRequest,
    ) -> None:
        """
        Start the watch.

        Args:
            stop: A stop is requested where another cluster answers, whose answers must not delay
                the run.
            on_left: Called with a lease when the last of its keys in this prefix is deleted.
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
        """Return the events so far."""
        return tuple(self._events)

    async def catch_up(self, revision: int, clock: Clock) -> None:
        """Wait until all events up to a revision are delivered; add a gap if they are not."""
        give_up_at = clock.now() + CATCH_UP_S
        while self._revision < revision and not self._task.done():
            if clock.now() > give_up_at:
                self._note_gap(clock.now(), GapReason.FELL_BEHIND)
                return
            await clock.sleep(0.02)

    def require_right_cluster(self) -> None:
        """
        Raise an error if the watched cluster is not the cluster of the run.

        Raises:
            WrongClusterError: The last answers came from another cluster.
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

    def _note_gap(self, seen_at: float, why: GapReason | str) -> None:
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
        """Drop the earlier of two successive progress marks; only the later one matters."""
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
