"""What recipes have in common."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable
from typing import Any

from lockdoctor.domain.model.locks import Kind, LockKey, Recipe
from lockdoctor.domain.recipes.uuid1 import uuid1_written_at


class LockRecipe:
    """How one client library stores a lock as keys; the rules that most recipes share."""

    recipe: Recipe
    kind: Kind
    """What the keys are for, where a lease on one of them proves the recipe."""
    can_wait = False
    """Waiters have keys, too."""

    def lock_name(self, key: LockKey) -> bytes | None:
        """Return the name of the key's lock, or None if the key is not of this recipe."""
        raise NotImplementedError

    def queue_prefix(self, name: bytes) -> bytes:
        """Return the prefix of the keys of the whole queue."""
        return name

    def order(self, key: LockKey) -> int:
        """Return the number by which the queue is ordered, the oldest first."""
        return key.create_revision

    def holding(self, queue: Iterable[LockKey]) -> list[LockKey]:
        """Return the keys that hold the lock, of an ordered queue with at least one key."""
        return [next(iter(queue))]

    def written_at(self, key: LockKey) -> float | None:
        """
        Return when the attempt began, in POSIX seconds of the client's clock, or None.

        Only some recipes write this time.
        """
        return uuid1_written_at(key.value)


DECIMAL_LEASE = re.compile(rb"[1-9][0-9]{0,18}")


def before_own_lease(key: LockKey) -> bytes | None:
    """Return the key up to its own lease, if its last part is the lease in decimal."""
    return before_lease(key) if key.has_lease else None


def before_lease(key: LockKey) -> bytes | None:
    """Return the same, or the key up to a number where the key has lost its lease."""
    place, slash, suffix = key.key.rpartition(b"/")
    if key.has_lease:
        return place if slash and suffix == b"%d" % key.lease_id else None
    return place if slash and DECIMAL_LEASE.fullmatch(suffix) else None


def json_object(key: LockKey) -> dict[str, Any]:
    """Return the value as a dictionary; an empty one unless it is a whole JSON object."""
    if not key.value.startswith(b"{") or key.value_size != len(key.value):
        return {}
    try:
        said = json.loads(key.value)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def is_uuid(value: bytes) -> bool:
    """Return whether the value is a uuid: its 16 bytes, or its usual text."""
    try:
        if len(value) == 16:  # noqa: PLR2004 - the bytes of a UUID
            found = uuid.UUID(bytes=value)
            return found.version is not None and found.variant == uuid.RFC_4122
        return str(uuid.UUID(value.decode("ascii"))) == value.decode("ascii").lower()
    except ValueError:
        return False
