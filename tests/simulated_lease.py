"""A lease as etcd's lessor keeps it: renewals, promotions and expiry, read at any moment."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lockdoctor.domain.model.leases import LeaseId, LeaseNotFound, LeaseReading, Reading

LEASE = LeaseId(0x32698F1C)
ELECTION_TIMEOUT_S = 1.0
LOOK_UP_S = 1e-6
"""No look-up sees a renewal in the very instant in which it happens."""
REVOKED_AFTER_S = 1.2
"""etcd removes an expired lease so long after its end, at the latest."""


@dataclass(frozen=True)
class SimulatedLease:
    """
    The life of one lease, told in advance.

    Source: Renew, Promote and Remaining in etcd's server/lease/lessor.go.
    """

    granted_ttl_s: int
    granted_at: float
    renewals: Sequence[float] = ()
    """When its client asks for a renewal; none counts after the lease has ended."""
    promotions: Sequence[float] = ()
    """When a new leader takes office."""
    term_lag_s: float = 0.0
    """How long after a promotion the answering member's header still has the old term."""

    def deadline_at(self, moment: float) -> float | None:
        """When the lease ends, as things stand at a moment; None where it has ended."""
        deadline = self.granted_at + self.granted_ttl_s
        for at, refreshed_to in sorted(self._refreshes(), key=lambda refresh: refresh[0]):
            if at > moment or at > deadline + REVOKED_AFTER_S:
                break
            if refreshed_to is not None:
                deadline = refreshed_to
            elif at < deadline:
                deadline = at + self.granted_ttl_s
        return None if moment > deadline + REVOKED_AFTER_S else deadline

    def renewals_between(self, earlier: float, later: float) -> int:
        """Count the renewals that took effect in a stretch of time."""
        return sum(
            earlier < at <= later and (self.deadline_at(at - 1e-9) or 0) > at
            for at in self.renewals
        )

    def read(self, moment: float, *, asked_s: float, answered_s: float) -> Reading:
        """Answer a look-up at a moment, asked so long before and answered so long after it."""
        term = 2 + sum(at + self.term_lag_s <= moment for at in self.promotions)
        deadline = self.deadline_at(moment)
        if deadline is None:
            return LeaseNotFound(
                lease_id=LEASE,
                asked_at=moment - asked_s,
                answered_at=moment + answered_s,
                raft_term=term,
            )
        return LeaseReading(
            lease_id=LEASE,
            asked_at=moment - asked_s,
            answered_at=moment + answered_s,
            granted_ttl_s=self.granted_ttl_s,
            remaining_ttl_s=math.trunc(deadline - moment - LOOK_UP_S),
            raft_term=term,
        )

    def _refreshes(self) -> list[tuple[float, float | None]]:
        promoted = [(at, at + ELECTION_TIMEOUT_S + self.granted_ttl_s) for at in self.promotions]
        return [*((at, None) for at in self.renewals), *promoted]


def kept_alive(granted_ttl_s: int, *, phase_s: float, until: float) -> SimulatedLease:
    """A lease that a client of Go's kind renews: every third of the TTL, on a loop of 500 ms."""
    period_s = math.ceil(granted_ttl_s / 3 / 0.5) * 0.5
    count = int(until / period_s) + 2
    return SimulatedLease(
        granted_ttl_s=granted_ttl_s,
        granted_at=-phase_s,
        renewals=[-phase_s + period_s * number for number in range(1, count)],
    )
