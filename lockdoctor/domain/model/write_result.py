"""The result of one write to etcd: done, refused by its guard, or unknown."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class WriteOutcome(enum.Enum):
    """The outcome of one write."""

    DONE = "done"
    UNMET = "unmet"
    """Its guard no longer holds; no write was done."""
    NO_LEASE = "no-lease"
    """Its lease does not exist; no write was done."""
    UNCLEAR = "unclear"
    """
    There is no answer, or no usable one: the write was done or not, or might still be done.

    It must be looked up, and never be taken for done or for not done.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteResult:
    """One write, with the moments around it."""

    effect: WriteOutcome
    asked_at: float
    answered_at: float
    why: str = ""
    """The message of etcd or of the connection where the effect is unclear."""
