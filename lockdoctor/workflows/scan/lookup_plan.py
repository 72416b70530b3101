"""Plan which leases to look up, and when."""

from __future__ import annotations

import heapq

from lockdoctor.domain.model.leases import LeaseId

BATCH = 2_000
"""
The maximum number of look-ups sent together: few enough that other leases' look-ups are not late
for long.
"""


class LookupPlan:
    """At most one planned look-up for each lease, and the leases to wait for."""

    def __init__(self) -> None:
        """Plan nothing."""
        self.awaited: set[LeaseId] = set()
        self.last_awaited_at = 0.0
        """The latest moment at which a look-up was planned that the run waits for."""
        self._at: dict[LeaseId, float] = {}
        self._heap: list[tuple[float, LeaseId]] = []

    def __len__(self) -> int:
        """Return the number of planned look-ups."""
        return len(self._at)

    def __contains__(self, lease_id: LeaseId) -> bool:
        """Return whether a look-up of the lease is planned."""
        return lease_id in self._at

    @property
    def next_at(self) -> float:
        """Return a time not after the next look-up; infinity if there is none."""
        return self._heap[0][0] if self._heap else float("inf")

    def add(self, lease_id: LeaseId, at: float, *, wait: bool) -> None:
        """Plan the next look-up of a lease; an earlier plan for it no longer counts."""
        self._at[lease_id] = at
        heapq.heappush(self._heap, (at, lease_id))
        if wait:
            self.awaited.add(lease_id)
        if lease_id in self.awaited:
            self.last_awaited_at = max(self.last_awaited_at, at)

    def drop(self, lease_id: LeaseId) -> None:
        """Plan no look-up of a lease, and do not wait for it."""
        self._at.pop(lease_id, None)
        self.awaited.discard(lease_id)

    def take_due(self, until: float) -> list[LeaseId]:
        """Remove and return up to BATCH leases whose look-up is due by then, in order."""
        due: list[LeaseId] = []
        while len(due) < BATCH and self.next_at <= until:
            at, lease_id = heapq.heappop(self._heap)
            if self._at.get(lease_id) == at:  # else planned anew, or dropped
                del self._at[lease_id]
                due.append(lease_id)
        return due
