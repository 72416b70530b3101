"""Locks and elections of Vitess."""

from __future__ import annotations

import re

from lockdoctor.domain.model.locks import Kind, LockKey, Recipe
from lockdoctor.domain.recipes.base import (
    LockRecipe,
    before_lease,
)


class VitessLock(LockRecipe):
    """
    Vitess: keys `<path>/locks/<lease ID in decimal>`.

    The value has the owner and the reason. The key that was written first holds. Beside the folder,
    below `<path>/`, are the data that the lock guards. Source: lock.go in Vitess's
    go/vt/topo/etcd2topo.
    """

    recipe = Recipe.VITESS
    kind = Kind.LOCK
    can_wait = True

    def lock_name(self, key: LockKey) -> bytes | None:
        """Return `<path>` if the last part is the key's lease, or like one that it lost."""
        place = before_lease(key)
        return place[: -len(b"/locks")] if place and place.endswith(b"/locks") else None

    def queue_prefix(self, name: bytes) -> bytes:
        """Return the folder that has all keys of the queue."""
        return name + b"/locks/"

    def order(self, key: LockKey) -> int:
        """Return the revision of the last write, by which the recipe orders."""
        return key.mod_revision


class VitessElection(VitessLock):
    """
    Vitess's elections: locks below `elections/`, kept while their process lives.

    Source: election.go in Vitess's go/vt/topo/etcd2topo.
    """

    recipe = Recipe.VITESS_ELECTION
    kind = Kind.ELECTION

    _NAME = re.compile(rb"(?:.*/)?elections/[^/]+", re.DOTALL)

    def lock_name(self, key: LockKey) -> bytes | None:
        """Return `<path>/elections/<name>`, if the key is of this recipe."""
        name = super().lock_name(key)
        return name if name is not None and self._NAME.fullmatch(name) else None
