"""What can be done to a lock or lease, and what came of it."""

from __future__ import annotations

import enum


class Action(enum.Enum):
    """What is done in one entry."""

    REVOKE = "revoke"
    """The approved holds are deleted, then the lease is ended with all that is left on it."""
    RELEASE = "release"
    """The hold is deleted; its session lives on."""
    QUARANTINE = "quarantine"
    """The key is put onto a short lease of lockdoctor's own."""
    UNDO = "undo"
    """A key in quarantine is put back onto its old lease."""
    RESTORE = "restore"
    """Keys that an earlier entry deleted are put back."""


class Result(enum.Enum):
    """What came of it."""

    DONE = "done"
    PARTLY = "partly"
    """Some of it; the outcome names the keys that were deleted."""
    ALREADY_GONE = "already-gone"
    """Somebody else was faster; nothing was left to do."""
    REFUSED = "refused"
    """Something had changed since the plan; nothing was written."""
    FAILED = "failed"
    """It did not work, and a look afterwards proved that nothing was written."""
    UNKNOWN = "unknown"
    """Nothing tells whether it was done: no outcome stands, or no look could find out."""
