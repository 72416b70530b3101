"""Evidence on the age of a hold or a finding."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Held:
    """How long one hold has lasted."""

    at_least_s: float
    at_most_s: float | None


@dataclass(frozen=True, slots=True)
class EstimatedAge:
    """The hold's age if the write rate was always that of this run: an estimate only."""

    about_s: float
    revisions_since: int
    revisions_per_s: float


@dataclass(frozen=True, slots=True)
class ClaimedAge:
    """The time that the client wrote into the lock, by the client's own clock."""

    claimed_s: float


@dataclass(frozen=True, slots=True)
class WithinLimit:
    """The hold is proven to be shorter than its stated limit."""

    limit_s: float


@dataclass(frozen=True, slots=True)
class SeenInEarlierRuns:
    """The same finding in the runs before this one."""

    runs: int
    """The number of successive runs with the finding, with this one."""
    for_s: float
    """Seconds since the first of these runs ..."""
    since_at: float
    """... which began at this moment: POSIX seconds."""
