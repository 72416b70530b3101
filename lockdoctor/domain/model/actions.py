"""The actions on a lock or lease, and their results."""

from __future__ import annotations

import enum


class Action(enum.Enum):
    """The action of one journal entry."""

    REVOKE = "revoke"
    """The approved holds are deleted, then the lease is revoked with all its remaining keys."""
    RELEASE = "release"
    """The hold is deleted; its session lives on."""
    QUARANTINE = "quarantine"
    """The key is put onto a short lease of lockdoctor's own."""
    UNDO = "undo"
    """A key in quarantine is put back onto its old lease."""
    RESTORE = "restore"
    """Keys that an earlier entry deleted are put back."""


class Result(enum.Enum):
    """The result of an action."""

    DONE = "done"
    PARTLY = "partly"
    """Partly done; the outcome names the keys that were deleted."""
    ALREADY_GONE = "already-gone"
    """Another client was faster; no key or lease was left to act on."""
    REFUSED = "refused"
    """The target had changed since the plan; no write was done."""
    FAILED = "failed"
    """It failed, and a reading afterwards proved that no write was done."""
    UNKNOWN = "unknown"
    """The result is unknown: there is no outcome, or no reading could find it."""
