"""python-etcd3's Lock."""

from __future__ import annotations

from lockdoctor.domain.model.locks import Kind, LockKey, Recipe
from lockdoctor.domain.recipes.base import (
    LockRecipe,
)
from lockdoctor.domain.recipes.uuid1 import uuid1_written_at


class PythonEtcd3(LockRecipe):
    """
    python-etcd3's Lock: one key with a 16-byte uuid1; waiters leave no key.

    The uuid1 is the value. No other client is known to write these bytes on a lease. Without a
    lease they might be a record of another program, except below `/locks/`, where the Lock writes.
    Source: Lock in python-etcd3's etcd3/locks.py.
    """

    recipe = Recipe.PYTHON_ETCD3
    kind = Kind.LOCK

    _PLACE = b"/locks/"

    def lock_name(self, key: LockKey) -> bytes | None:
        """Return the key itself, if it is of this recipe."""
        is_uuid1 = key.value_size == len(key.value) and uuid1_written_at(key.value) is not None
        is_lock = is_uuid1 and (key.has_lease or key.key.startswith(self._PLACE))
        return key.key if is_lock else None
