"""Locks of one key, and keys that match no lock recipe."""

from __future__ import annotations

import re

from lockdoctor.domain.model.locks import Kind, LockKey, Recipe
from lockdoctor.domain.recipes.base import (
    LockRecipe,
    is_uuid,
)


class SingleKey(LockRecipe):
    """
    Keys that might be a lock of etcd3gw, tooz or node's etcd3: only a guess.

    etcd3gw writes the text of a uuid1, tooz the 16 bytes of a uuid4, and node's etcd3 an empty
    value. Services register with an empty value or a uuid, too.

    Source: etcd3gw/lock.py, tooz/drivers/etcd3gw.py, lock.ts of microsoft/etcd3.
    """

    recipe = Recipe.SINGLE_KEY
    kind = Kind.UNKNOWN

    _BARRIER = re.compile(rb".*/waiters/[0-9]{19}", re.DOTALL)
    """Keys of Go's DoubleBarrier are empty, too, but many of them can exist at once."""

    def lock_name(self, key: LockKey) -> bytes | None:
        """Return the key itself, if it has a lease and a value of one of these clients."""
        if not key.has_lease or self._BARRIER.fullmatch(key.key):
            return None
        return key.key if key.value_size == 0 or is_uuid(key.value) else None


class LeasedKey(LockRecipe):
    """Any other key with a lease: a lock of another recipe, or a registration."""

    recipe = Recipe.LEASED_KEY
    kind = Kind.UNKNOWN

    def lock_name(self, key: LockKey) -> bytes | None:
        """Return the key itself, if it has a lease."""
        return key.key if key.has_lease else None


class UnleasedKey(LockRecipe):
    """Any other key without a lease: a lock that never expires, or plain data."""

    recipe = Recipe.UNLEASED_KEY
    kind = Kind.UNKNOWN

    def lock_name(self, key: LockKey) -> bytes | None:
        """Return the key itself."""
        return key.key
