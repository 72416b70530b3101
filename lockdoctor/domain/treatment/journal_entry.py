"""
Entries of the journal: an intent before each action, an outcome after it.

An intent is on disk before the request to etcd. An action without an outcome was done or not, for
whatever reason the run ended: its result is UNKNOWN, and is never taken for done or for not done.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NewType, TypeAlias

from lockdoctor.domain.model.actions import Action, Result
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.model.locks import LockKey

EntryId = NewType("EntryId", str)
"""The ID of one entry, which its intent and its outcome share."""

MAX_VALUE_BYTES = 1 << 20
"""
The maximum bytes of a value; longer values are cut. etcd itself takes requests of 1.5 MiB, and no
lock needs a kilobyte.
"""

MAX_ENTRY_BYTES = 16 << 20
"""The maximum bytes of all values of one entry; later ones are cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """The user, host and process that did it."""

    user: str
    host: str
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """The verdict at that time, in words that stay readable when verdicts change."""

    verdict: str
    """A slug; empty where a person named the target without a verdict."""
    confidence: str
    evidence: tuple[str, ...]
    """Sentences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """An action that is about to be done."""

    entry_id: EntryId
    at: float
    """POSIX seconds."""
    who: Actor
    action: Action
    why: Reason
    cluster_id: int
    lease_id: LeaseId
    """The lease of the keys, or the keyless one; NO_LEASE where they have no lease."""
    granted_ttl_s: int | None
    locks: tuple[bytes, ...]
    """The names of the locks that are touched."""
    keys: tuple[LockKey, ...]
    """
    All keys that may be deleted or put, as they were read right before, with their whole values.
    """
    new_lease_id: LeaseId | None = None
    """The lease that the keys are put onto, by a quarantine or a restore."""
    new_ttl_s: int | None = None
    of: EntryId | None = None
    """The entry that is undone or restored."""
    treated_under: bytes | None = None
    """The prefix of the policy rule that allowed it unattended; None where a person asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of an intent."""

    entry_id: EntryId
    at: float
    """POSIX seconds."""
    result: Result
    detail: str
    """A sentence: what was done, what had changed, or etcd's message."""
    took_s: float
    """Seconds from the first request to the last answer."""
    deleted: tuple[bytes, ...] | None = None
    """The keys that were certainly deleted, where the result does not show it; else None."""


Line: TypeAlias = Intent | Outcome
"""One line of the journal, which is written at once."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An intent and its outcome, if it has one."""

    intent: Intent
    outcome: Outcome | None

    @property
    def result(self) -> Result:
        """Return the result of the action; UNKNOWN without an outcome."""
        return self.outcome.result if self.outcome else Result.UNKNOWN

    @property
    def perhaps_deleted(self) -> tuple[LockKey, ...]:
        """Return the keys that it has deleted, or might have: the input of a restore."""
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

    Of several outcomes the last one counts: a later reading can find what an earlier one could not.
    Outcomes without an intent are left out.
    """
    found: dict[EntryId, Entry] = {}
    for line in lines:
        if isinstance(line, Intent):
            found[line.entry_id] = Entry(line, None)
        elif line.entry_id in found:
            found[line.entry_id] = Entry(found[line.entry_id].intent, line)
    return tuple(found.values())


def cut(line: Line) -> Line:
    """Cut the values of a line to the journal's limits; is_cut finds the cut ones."""
    return replace(line, keys=kept(line.keys)) if isinstance(line, Intent) else line


def is_cut(key: LockKey) -> bool:
    """Return whether only a key's first bytes are stored, so it cannot be restored."""
    return len(key.value) < key.value_size


def kept(keys: Iterable[LockKey]) -> tuple[LockKey, ...]:
    """Cut values of keys to the journal's limits."""
    left, short = MAX_ENTRY_BYTES, []
    for key in keys:
        value = key.value[: min(MAX_VALUE_BYTES, left)]
        left -= len(value)
        short.append(replace(key, value=value))
    return tuple(short)
