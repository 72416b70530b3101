"""Find growth: new sessions without keys, less those that ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import pairwise

from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.past.past import Listing

MIN_NEW = 3
"""The minimum number of new sessions: fewer might be one worker's start or one slow request."""

MIN_RUNS = 3
"""The minimum number of growing runs in a row: fewer might be a service that starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """New leases, and how many ended meanwhile."""

    leases: frozenset[LeaseId]
    """New, renewed and without keys; never one that an earlier list had."""
    ended: int
    since_at: float
    """They came after this moment."""
    steps: int
    """The number of runs, or parts of one run's window, in which more came than ended."""

    @property
    def net(self) -> int:
        """Return the increase in sessions."""
        return len(self.leases) - self.ended


def growth_over_runs(
    listings: Sequence[Listing], renewed: AbstractSet[LeaseId], unproven: AbstractSet[LeaseId]
) -> Growth | None:
    """
    Return growth over at least MIN_RUNS runs in a row, and MIN_NEW sessions.

    It is searched in all runs, then in those like the present one: neither a run by hand in between
    nor checks of another prefix hide it. It lasts until sessions become fewer, or until MIN_RUNS
    runs in a row add no session.

    Args:
        listings: In order, the present run's last.
        renewed: The leases without keys that are proven to be renewed.
        unproven: Those that are too new for a proof.
    """
    for row in (listings, tuple(_alike(listings))):
        found = _growth(row, renewed, unproven)
        if found is not None:
            return found
    return None


def _growth(
    listings: Sequence[Listing], renewed: AbstractSet[LeaseId], unproven: AbstractSet[LeaseId]
) -> Growth | None:
    leases: set[LeaseId] = set()
    ended = steps = in_a_row = longest = quiet = 0
    since_at = 0.0
    for before, listing in reversed(tuple(pairwise(listings))):
        new = listing.new & renewed
        more = len(new) - listing.ended
        perhaps = len(listing.new & unproven)
        if more > 0:
            leases |= new
            ended += listing.ended
            since_at, steps, quiet = before.at, steps + 1, 0
            in_a_row += 1
            longest = max(longest, in_a_row)
        elif more + perhaps < 0:
            break
        elif not perhaps:
            in_a_row, quiet = 0, quiet + 1
            if quiet == MIN_RUNS:
                break
    found = Growth(leases=frozenset(leases), ended=ended, since_at=since_at, steps=steps)
    return found if longest >= MIN_RUNS and found.net >= MIN_NEW else None


def _alike(listings: Iterable[Listing]) -> Iterator[Listing]:
    """Leave out runs unlike the present one; their additions count with the next run."""
    new: frozenset[LeaseId] = frozenset()
    ended = 0
    for listing in listings:
        new, ended = new | listing.new, ended + listing.ended
        if listing.is_alike:
            yield replace(listing, new=new, ended=ended)
            new, ended = frozenset(), 0
