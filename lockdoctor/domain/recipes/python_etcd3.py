"""python-etcd3's Lock."""

from __future__ import annotations

from lockdoctor.domain.model.locks import Kind, LockKey, Recipe
from lockdoctor.domain.recipes.base import (
    LockRecipe,
)
from lockdoctor.domain.recipes.uuid1 import uuid1_written_at


class PythonEtcd3(LockRecipe):
    """
    python-etcd3's Lock: one key, the 16 bytes of a uuid1 as its value; waiters leave no key.

    No other client is known to write these bytes on a lease. Without a lease they may be somebody's
    record, except below `/locks/`, where the Lock writes. Source: Lock in python-etcd3's
    etcd3/locks.py.
    """

    recipe = Recipe.PYTHON_ETCD3
    kind = Kind.LOCK

    _PLACE = b"/locks/"

    def lock_name(self, key: LockKey) -> bytes | None:
        """The key itself."""
        is_uuid1 = key.value_size == len(key.value) and uuid1_written_at(key.value) is not None
        is_lock = is_uuid1 and (key.has_lease or key.key.startswith(self._PLACE))
        return key.key if is_lock else None
