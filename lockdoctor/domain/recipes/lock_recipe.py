"""LockRecipe: how one client library stores a lock as keys."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from lockdoctor.domain.model.locks import Basis, Kind, KnownKind, LockKey, Recipe
from lockdoctor.domain.recipes.conditions import (
    Beside,
    Condition,
    HasLease,
    JsonFields,
    JsonLease,
    ValueBegins,
    ValueForm,
    ValueIs,
)
from lockdoctor.domain.recipes.pattern import LEASE, LOCK, KeyPattern, Placeholder, lease_text
from lockdoctor.domain.recipes.uuid1 import uuid1_written_at


class HolderRule(enum.Enum):
    """Which key of a queue holds the lock."""

    LOWEST_CREATE_REVISION = "lowest-create-revision"
    LOWEST_MOD_REVISION = "lowest-mod-revision"
    """The key that was written first; a later write loses the place."""
    READERS_OR_WRITER = "readers-or-writer"
    """By the last write: a writer alone, or all readers before the first writer."""
    ONLY_KEY = "only-key"
    """The lock is one key; waiters have no key."""


@dataclass(frozen=True, eq=False, kw_only=True)
class LockRecipe:
    """One recipe, as a file declares it: a pattern, conditions, and who holds."""

    name: str
    """Unique; `recipe` is what outputs show."""
    recipe: Recipe
    match: KeyPattern
    kind: Kind
    basis: Basis = Basis.LAYOUT
    """How certain the kind is where a key is of this recipe."""
    holder: HolderRule = HolderRule.ONLY_KEY
    conditions: tuple[Condition, ...] = ()
    beside: Beside | None = None
    _after_name: str = field(init=False, default="", repr=False)
    """The placeholder that the name of the lock ends before; "" where it ends with `{lock}`."""
    _own_lease: str = field(init=False, default="", repr=False)
    """The form of the lease in which every key ends; "" where that is not so."""

    def __post_init__(self) -> None:
        """Find out once where the name ends, and whether the key ends in its lease."""
        last = self.match.parts[-1]
        if isinstance(last, Placeholder) and last.name == LEASE:
            object.__setattr__(self, "_own_lease", last.type)
        if self.can_wait and self.match.placeholder(LOCK) is None:
            object.__setattr__(self, "_after_name", LEASE)

    @cached_property
    def can_wait(self) -> bool:
        """Return whether waiters have keys, too."""
        return self.holder is not HolderRule.ONLY_KEY

    def may_take(self, *, has_lease: bool, begins: bytes) -> bool:
        """Return whether a key can be of this recipe, by its lease and first byte."""
        return all(_may_hold(each, has_lease, begins) for each in self.conditions)

    @cached_property
    def queue_ending(self) -> bytes:
        """Return what the keys of a queue have in common after the name of their lock."""
        if not self.can_wait:
            return b""
        parts = list(self.match.parts)
        names = [part if isinstance(part, str) else part.name for part in parts]
        if self._after_name:
            return b"/"
        after = parts[names.index(LOCK) + 1]
        return after.encode() if isinstance(after, str) else b""

    def lock_name(self, key: LockKey) -> bytes | None:
        """Return the name of the key's lock, or None if the key is not of this recipe."""
        if self._own_lease and key.has_lease and not self._ends_in_lease(key):
            return None  # a quick test before that of the whole key
        found = self.match.regex.fullmatch(key.key)
        if found is None:
            return None
        for condition in self.conditions:
            if not condition.holds(key, found):
                return None
        if self._after_name:
            return key.key[: found.start(self._after_name) - 1]
        if not self.can_wait:
            return key.key
        return key.key[: found.end(LOCK)]

    def _ends_in_lease(self, key: LockKey) -> bool:
        return key.key.endswith(lease_text(key.lease_id, self._own_lease))

    def failed(self, key: LockKey) -> Iterator[Condition]:
        """Yield the conditions that the key does not meet, where its name matches."""
        found = self.match.split(key.key)
        if found is not None:
            yield from (each for each in self.conditions if not each.holds(key, found))

    def queue_prefix(self, name: bytes) -> bytes:
        """Return the prefix of the keys of the whole queue."""
        return name + self.queue_ending

    def order(self, key: LockKey) -> int:
        """Return the number by which the queue is ordered, the oldest first."""
        return key.mod_revision if self.is_by_write else key.create_revision

    @cached_property
    def is_by_write(self) -> bool:
        """Return whether the queue is ordered by the last write of each key."""
        return self.holder in {HolderRule.LOWEST_MOD_REVISION, HolderRule.READERS_OR_WRITER}

    @cached_property
    def proves_without_lease(self) -> bool:
        """Return whether keys without a lease, and without leased ones, show the kind."""
        is_stated = self.basis is Basis.OWN_RECIPE
        return is_stated or not self.can_wait or HasLease(wanted=False) in self.conditions

    @cached_property
    def known_kind(self) -> KnownKind:
        """Return the kind of a key of this recipe."""
        return KnownKind(self.kind, self.basis)

    def holding(self, queue: Iterable[LockKey]) -> list[LockKey]:
        """Return the keys that hold the lock, of an ordered queue with at least one key."""
        if self.holder is not HolderRule.READERS_OR_WRITER:
            return [next(iter(queue))]
        holding: list[LockKey] = []
        for key in queue:
            if self._part(key, "mode") == b"write":
                return holding or [key]
            holding.append(key)
        return holding

    def written_at(self, key: LockKey) -> float | None:
        """
        Return when the attempt began, in POSIX seconds of the client's clock, or None.

        Some recipes write this time into the key as `{time:ns}`, some into the value.
        """
        if self.match.placeholder("time") is not None:
            time = self._part(key, "time")
            return int(time) / 1e9 if time else None
        return uuid1_written_at(key.value)

    def _part(self, key: LockKey, name: str) -> bytes | None:
        found = self.match.split(key.key)
        return found[name] if found else None


def _may_hold(condition: Condition, has_lease: bool, begins: bytes) -> bool:  # noqa: FBT001 - two facts on a key
    match condition:
        case HasLease(wanted):
            return has_lease is wanted
        case ValueIs(ValueForm.EMPTY):
            return not begins
        case ValueIs(ValueForm.JSON) | JsonFields():
            return begins == b"{"
        case JsonLease():
            return has_lease and begins == b"{"
        case ValueIs() | ValueBegins():
            return bool(begins)
        case _:
            return True
