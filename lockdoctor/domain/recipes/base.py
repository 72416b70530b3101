"""What recipes share."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable
from typing import Any

from lockdoctor.domain.model.locks import Kind, LockKey, Recipe
from lockdoctor.domain.recipes.uuid1 import uuid1_written_at


class LockRecipe:
    """How one client library lays a lock out as keys; what most of them share."""

    recipe: Recipe
    kind: Kind
    """What the keys are for, where a lease on one of them proves the layout."""
    can_wait = False
    """Those who wait leave keys, too."""

    def lock_name(self, key: LockKey) -> bytes | None:
        """Name the lock that the key contends for; None where the key is not of this recipe."""
        raise NotImplementedError

    def queue_prefix(self, name: bytes) -> bytes:
        """Say what every contender's key begins with."""
        return name

    def order(self, key: LockKey) -> int:
        """Tell older contenders from younger ones."""
        return key.create_revision

    def holding(self, queue: Iterable[LockKey]) -> list[LockKey]:
        """Find those who hold the lock, in a queue that is in order, with at least one in it."""
        return [next(iter(queue))]

    def written_at(self, key: LockKey) -> float | None:
        """Read when the attempt began, in POSIX seconds of the client's clock, where it says so."""
        return uuid1_written_at(key.value)


DECIMAL_LEASE = re.compile(rb"[1-9][0-9]{0,18}")


def before_own_lease(key: LockKey) -> bytes | None:
    """What stands before the key's own lease, written in decimal as its last part."""
    return before_lease(key) if key.has_lease else None


def before_lease(key: LockKey) -> bytes | None:
    """The same, or what stands before a number where the key has no lease any more."""
    place, slash, suffix = key.key.rpartition(b"/")
    if key.has_lease:
        return place if slash and suffix == b"%d" % key.lease_id else None
    return place if slash and DECIMAL_LEASE.fullmatch(suffix) else None


def json_object(key: LockKey) -> dict[str, Any]:
    """What the value says, where it is a JSON object and whole; else nothing."""
    if not key.value.startswith(b"{") or key.value_size != len(key.value):
        return {}
    try:
        said = json.loads(key.value)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def is_uuid(value: bytes) -> bool:
    """Whether the value is a uuid: its 16 bytes, or its usual text."""
    try:
        if len(value) == 16:  # noqa: PLR2004 - the bytes of a UUID
            found = uuid.UUID(bytes=value)
            return found.version is not None and found.variant == uuid.RFC_4122
        return str(uuid.UUID(value.decode("ascii"))) == value.decode("ascii").lower()
    except ValueError:
        return False
