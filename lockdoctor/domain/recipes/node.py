"""The election of node's etcd3."""

from __future__ import annotations

import re

from lockdoctor.domain.model.locks import Kind, LockKey, Recipe
from lockdoctor.domain.recipes.base import (
    LockRecipe,
    before_lease,
)


class NodeElection(LockRecipe):
    """
    The election of node's etcd3.

    The keys are `<namespace>election/<name>/<lease ID in decimal>`. The key that was created first
    leads. Source: election.ts of microsoft/etcd3.
    """

    recipe = Recipe.NODE_ELECTION
    kind = Kind.ELECTION
    can_wait = True

    _NAME = re.compile(rb".*election/[^/]+", re.DOTALL)

    def lock_name(self, key: LockKey) -> bytes | None:
        """Return the part before the lease, or before a number like one that it lost."""
        name = before_lease(key)
        return name if name is not None and self._NAME.fullmatch(name) else None

    def queue_prefix(self, name: bytes) -> bytes:
        """Return the name with a slash: all candidates are below it."""
        return name + b"/"
