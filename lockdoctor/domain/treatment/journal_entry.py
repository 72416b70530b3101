"""
What lockdoctor did to a cluster, as it is written down: an intent before, an outcome after.

An intent stands on disk before etcd is asked. One without an outcome may have been carried out or
not, whatever ended the run: its result is UNKNOWN, never taken for done nor for undone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NewType, TypeAlias

from lockdoctor.domain.model.actions import Action, Result
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.model.locks import LockKey

EntryId = NewType("EntryId", str)
"""What an intent and its outcome have in common, and no other entry."""

MAX_VALUE_BYTES = 1 << 20
"""Longer values are cut: etcd itself takes requests of 1.5 MiB, and no lock needs a kilobyte."""

MAX_ENTRY_BYTES = 16 << 20
"""So much is kept of all the values of one entry; those that come later are cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who did it."""

    user: str
    host: str
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why: the verdict at that time, in words that stay readable when verdicts change."""

    verdict: str
    """A slug; empty where a person named the target without a verdict."""
    confidence: str
    evidence: tuple[str, ...]
    """Sentences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What is about to be done."""

    entry_id: EntryId
    at: float
    """POSIX seconds."""
    who: Actor
    action: Action
    why: Reason
    cluster_id: int
    lease_id: LeaseId
    """The lease that the keys hang on, or the keyless one; NO_LEASE where they have none."""
    granted_ttl_s: int | None
    locks: tuple[bytes, ...]
    """The names of the locks that are touched."""
    keys: tuple[LockKey, ...]
    """All that may be deleted or put, each as it was read right before, with its whole value."""
    new_lease_id: LeaseId | None = None
    """The lease that the keys are put onto, by a quarantine or a restore."""
    new_ttl_s: int | None = None
    of: EntryId | None = None
    """The entry that is undone or restored."""
    treated_under: bytes | None = None
    """The prefix of the policy rule that allowed it unattended; None where a person asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of an intent."""

    entry_id: EntryId
    at: float
    """POSIX seconds."""
    result: Result
    detail: str
    """A sentence: what was done, what had changed, what etcd said."""
    took_s: float
    """From the first request to the last answer."""
    deleted: tuple[bytes, ...] | None = None
    """The keys that are known to be deleted, where the result does not tell; else None."""


Line: TypeAlias = Intent | Outcome
"""What is written down at once."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An intent and what is known of its outcome."""

    intent: Intent
    outcome: Outcome | None

    @property
    def result(self) -> Result:
        """What came of it; UNKNOWN where no outcome stands."""
        return self.outcome.result if self.outcome else Result.UNKNOWN

    @property
    def perhaps_deleted(self) -> tuple[LockKey, ...]:
        """The keys that it has deleted, or may have: what a restore looks for."""
        if self.intent.action in {Action.UNDO, Action.RESTORE}:
            return ()
        if self.outcome is not None and self.outcome.deleted is not None:
            deleted = frozenset(self.outcome.deleted)
            return tuple(key for key in self.intent.keys if key.key in deleted)
        is_possible = self.result in {Result.DONE, Result.PARTLY, Result.UNKNOWN}
        return self.intent.keys if is_possible else ()


def entries(lines: Iterable[Line]) -> tuple[Entry, ...]:
    """
    Join intents to their outcomes, in the order of the intents.

    Of several outcomes the last one stands: a later look may find out what an earlier one could
    not. Outcomes without an intent are left out.
    """
    found: dict[EntryId, Entry] = {}
    for line in lines:
        if isinstance(line, Intent):
            found[line.entry_id] = Entry(line, None)
        elif line.entry_id in found:
            found[line.entry_id] = Entry(found[line.entry_id].intent, line)
    return tuple(found.values())


def cut(line: Line) -> Line:
    """Cut the values of a line as a journal keeps them; which were cut, is_cut tells."""
    return replace(line, keys=kept(line.keys)) if isinstance(line, Intent) else line


def is_cut(key: LockKey) -> bool:
    """Tell whether only the beginning of a key's value is known, so that it cannot be put back."""
    return len(key.value) < key.value_size


def kept(keys: Iterable[LockKey]) -> tuple[LockKey, ...]:
    """Cut values of keys to what a journal has room for."""
    left, short = MAX_ENTRY_BYTES, []
    for key in keys:
        value = key.value[: min(MAX_VALUE_BYTES, left)]
        left -= len(value)
        short.append(replace(key, value=value))
    return tuple(short)
