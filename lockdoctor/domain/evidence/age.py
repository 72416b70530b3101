"""Evidence on the age of a hold or a finding."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Held:
    """How long one hold has stood."""

    at_least_s: float
    at_most_s: float | None


@dataclass(frozen=True, slots=True)
class EstimatedAge:
    """The hold's age if the cluster always wrote as fast as during this run: an estimate only."""

    about_s: float
    revisions_since: int
    revisions_per_s: float


@dataclass(frozen=True, slots=True)
class ClaimedAge:
    """The time that the client itself wrote into the lock, by the client's own clock."""

    claimed_s: float


@dataclass(frozen=True, slots=True)
class WithinLimit:
    """The hold is younger than the longest time that a hold may take."""

    limit_s: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the growth so far comes to, if it goes on."""

    per_hour: float
    sessions_in_a_day: int


@dataclass(frozen=True, slots=True)
class SeenInEarlierRuns:
    """The same finding in the runs before this one."""

    runs: int
    """In so many runs in a row, this one included."""
    for_s: float
    """Since the first of them ..."""
    since_at: float
    """... which began at this moment: POSIX seconds."""
