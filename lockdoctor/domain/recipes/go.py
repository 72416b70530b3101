"""Locks and elections of Go's concurrency package, and its RWMutex."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lockdoctor.domain.model.locks import Kind, LockKey, Recipe
from lockdoctor.domain.recipes.base import (
    LockRecipe,
)


class GoQueue(LockRecipe):
    """
    Go's Mutex and Election, etcdctl lock, and every client of etcd's lock service.

    The key is `<name>/<lease ID in unpadded hex>`; the oldest key below `<name>/` holds, of any
    client. An election's keys carry the candidate as their value, a mutex's are empty. Source:
    mutex.go and election.go in etcd's client/v3/concurrency, v3lock/lock.go.
    """

    recipe = Recipe.GO_MUTEX
    kind = Kind.LOCK
    can_wait = True

    _LOST_LEASE = re.compile(rb"[0-9a-f]{12,16}")

    def lock_name(self, key: LockKey) -> bytes | None:
        """Return `<name>` if the last part is the key's lease, or like one that it lost."""
        name, slash, suffix = key.key.rpartition(b"/")
        if not slash:
            return None
        if key.has_lease:
            return name if suffix == b"%x" % key.lease_id else None
        return name if self._LOST_LEASE.fullmatch(suffix) else None

    def queue_prefix(self, name: bytes) -> bytes:
        """Return the name with a slash: every key below it is in the queue."""
        return name + b"/"


class GoRwMutex(LockRecipe):
    """
    Go's RWMutex: many readers hold at once.

    The keys are `<name>/read/<time>` and `<name>/write/<time>`, with empty values. Three marks
    together identify the recipe: the folder, a time in nanoseconds, and no value. No other client
    is known to write them on a lease, so they prove a lock. A writer waits for every older key, a
    reader for older writers only; the order is by the revision of the last write. The time is the
    client's, in nanoseconds, when the attempt began. Source: rwmutex.go and key.go in etcd's
    client/v3/experimental/recipes.
    """

    recipe = Recipe.RW_MUTEX
    kind = Kind.LOCK
    can_wait = True

    _KEY = re.compile(rb"(.*)/(read|write)/([0-9]{19})", re.DOTALL)

    def lock_name(self, key: LockKey) -> bytes | None:
        """Return the part before `/read/` or `/write/`."""
        found = self._KEY.fullmatch(key.key)
        return found[1] if found and not key.value_size else None

    def queue_prefix(self, name: bytes) -> bytes:
        """Return the name with a slash: readers and writers are in one queue below it."""
        return name + b"/"

    def order(self, key: LockKey) -> int:
        """Return the revision of the last write, by which the recipe orders."""
        return key.mod_revision

    def holding(self, queue: Iterable[LockKey]) -> list[LockKey]:
        """Return the oldest key; if it is a reader, all readers before the first writer."""
        holding: list[LockKey] = []
        for key in queue:
            if self._writes(key):
                return holding or [key]
            holding.append(key)
        return holding

    def written_at(self, key: LockKey) -> float | None:
        """Return the time in the last part of the key."""
        return int(key.key.rpartition(b"/")[2]) / 1e9

    def _writes(self, key: LockKey) -> bool:
        found = self._KEY.fullmatch(key.key)
        return found is not None and found[2] == b"write"
