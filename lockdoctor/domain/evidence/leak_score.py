"""Evidence for and against a suspected leak, with points."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class LeakIndicator(enum.Enum):
    """A fact that suggests a leak, or suggests that there is none; it proves neither."""

    STILL = "still"
    """The lock did not change hands for long, though others wanted it."""
    GAVE_UP = "gave-up"
    """Attempts waited and gave up; those that leave at once are not counted."""
    LEFT_SESSIONS = "left-sessions"
    """Attempts that gave up left their sessions open."""
    WAITED_LONG = "waited-long"
    """A present waiter has waited for long."""
    WAITED = "waited"
    """Others wait."""
    STOOD = "stood"
    """The key has existed longer than a hold may last; it might have waited at first."""
    LOOKS_OLD = "looks-old"
    """By the cluster's revisions, the key is older than a hold may be."""
    LOOKS_YOUNG = "looks-young"
    """By the cluster's revisions, the key is young."""
    CLAIMS_OLD = "claims-old"
    """By the client's clock, the hold is older than it may be."""
    CLAIMS_YOUNG = "claims-young"
    """By the client's clock, the hold is young."""


@dataclass(frozen=True, slots=True)
class IndicatorScore:
    """The points of one indicator; negative points are against a leak."""

    sign: LeakIndicator
    points: int


@dataclass(frozen=True, slots=True)
class LeakScore:
    """The points for and against a leak, and their sum."""

    points: int
    needed: int
    """The points from which a leak is likely."""
    weights: tuple[IndicatorScore, ...]
