"""What became of one write to etcd, told apart: done, refused by its guard, or not known."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class WriteOutcome(enum.Enum):
    """What one write did."""

    DONE = "done"
    UNMET = "unmet"
    """What it depends on does not hold any more; nothing was written."""
    NO_LEASE = "no-lease"
    """The lease that it is about does not exist; nothing was written."""
    UNCLEAR = "unclear"
    """
    No answer, or one that tells nothing: it may have been done, or may yet be.

    It must be looked up, never taken for done nor for undone.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteResult:
    """One write, with the moments around it."""

    effect: WriteOutcome
    asked_at: float
    answered_at: float
    why: str = ""
    """What etcd, or the way to it, said where the effect is unclear."""
