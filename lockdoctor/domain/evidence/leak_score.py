"""Evidence for and against a suspected leak, with points."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class LeakIndicator(enum.Enum):
    """Something that speaks for a leak, or against it, and proves neither."""

    STILL = "still"
    """Nobody was served for long, though others wanted it."""
    GAVE_UP = "gave-up"
    """Attempts waited, and gave up; those that leave at once merely tried."""
    LEFT_SESSIONS = "left-sessions"
    """Attempts that gave up left their sessions open."""
    WAITED_LONG = "waited-long"
    """Somebody who waits now has waited for long."""
    WAITED = "waited"
    """Others wait."""
    STOOD = "stood"
    """The key is proven to have stood longer than a hold may last; it may have waited at first."""
    LOOKS_OLD = "looks-old"
    """By the cluster's revisions the key is older than a hold may be."""
    LOOKS_YOUNG = "looks-young"
    """By the cluster's revisions the key is young."""
    CLAIMS_OLD = "claims-old"
    """By the client's clock the hold is older than it may be."""
    CLAIMS_YOUNG = "claims-young"
    """By the client's clock it is young."""


@dataclass(frozen=True, slots=True)
class IndicatorScore:
    """How much a sign speaks for a leak; less than nothing speaks against it."""

    sign: LeakIndicator
    points: int


@dataclass(frozen=True, slots=True)
class LeakScore:
    """What speaks for a leak and against it, added up."""

    points: int
    needed: int
    """So many make a leak likely."""
    weights: tuple[IndicatorScore, ...]
