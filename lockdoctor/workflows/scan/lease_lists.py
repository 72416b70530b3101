"""Collect what the cluster's lists of leases show during a scan."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.ports import LeaseList

LISTED_PER_S = 10_000
"""The number of leases in the list per second of waiting before it is read again."""


class LeaseLists:
    """The first list of leases, and the changes that later lists show."""

    def __init__(self) -> None:
        """Know no list yet."""
        self.has_any = False
        self.at_start: frozenset[LeaseId] = frozenset()
        self.first_listed_at: dict[LeaseId, float] = {}
        """When a list first had a lease that was granted during the run."""
        self.still_listed: dict[LeaseId, float] = {}
        """Of leases that a look-up found gone: when the last list was requested that had them."""
        self.denied: str | None = None
        """Why the leases could not be listed."""
        self.next_at = float("inf")
        self.interval_s = 1.0

    def deny(self, why: str) -> None:
        """Store why the leases cannot be listed; list them no more."""
        self.denied = why
        self.next_at = float("inf")

    def add(self, listed: LeaseList, followed: Iterable[LeaseId]) -> frozenset[LeaseId]:
        """Store a list, and return the leases that no earlier one had."""
        self.interval_s = max(1.0, len(listed.lease_ids) / LISTED_PER_S)
        self.next_at = listed.answered_at + self.interval_s
        new = listed.lease_ids - self.at_start - self.first_listed_at.keys()
        if self.has_any:
            self.first_listed_at.update(dict.fromkeys(new, listed.answered_at))
        else:
            # The same IDs as the objects that are followed already: this halves the memory.
            known = {lease_id for lease_id in followed if lease_id in new}
            self.at_start = frozenset(chain(known, new - known))
        self.has_any = True
        return new
