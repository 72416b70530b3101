"""Locks of one key, and keys in no lock's layout."""

from __future__ import annotations

import re

from lockdoctor.domain.model.locks import Kind, LockKey, Recipe
from lockdoctor.domain.recipes.base import (
    LockRecipe,
    is_uuid,
)


class SingleKey(LockRecipe):
    """
    Keys such as etcd3gw (the text of a uuid1), tooz (16 bytes of a uuid4) and node's etcd3 (empty)
    write as locks; services register with an empty value or a uuid, too, so it is only a guess.

    Source: etcd3gw/lock.py, tooz/drivers/etcd3gw.py, lock.ts of microsoft/etcd3.
    """

    recipe = Recipe.SINGLE_KEY
    kind = Kind.UNKNOWN

    _BARRIER = re.compile(rb".*/waiters/[0-9]{19}", re.DOTALL)
    """Keys of Go's DoubleBarrier are empty, too, but many of them may stand at once."""

    def lock_name(self, key: LockKey) -> bytes | None:
        """The key itself, if it has a lease and a value that only these clients write."""
        if not key.has_lease or self._BARRIER.fullmatch(key.key):
            return None
        return key.key if key.value_size == 0 or is_uuid(key.value) else None


class LeasedKey(LockRecipe):
    """Any other key with a lease: a lock of unknown make, or a service's registration."""

    recipe = Recipe.LEASED_KEY
    kind = Kind.UNKNOWN

    def lock_name(self, key: LockKey) -> bytes | None:
        """The key itself, if it has a lease."""
        return key.key if key.has_lease else None


class UnleasedKey(LockRecipe):
    """Any other key without a lease: a lock that never expires, or plain data."""

    recipe = Recipe.UNLEASED_KEY
    kind = Kind.UNKNOWN

    def lock_name(self, key: LockKey) -> bytes | None:
        """The key itself."""
        return key.key
