"""Find which keys of a journal entry can be restored, and why others cannot."""

from __future__ import annotations

import enum
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from lockdoctor.domain.model.locks import LockKey
from lockdoctor.domain.treatment.journal_entry import Entry, is_cut


class RestoreSkipReason(enum.Enum):
    """Why a key is not restored."""

    EXISTS = enum.auto()
    CUT = enum.auto()
    REFUSED = enum.auto()
    UNCLEAR = enum.auto()
    NOT_REACHED = enum.auto()


class SkippedKey(NamedTuple):
    """A key that is not restored."""

    key: LockKey
    why: RestoreSkipReason


@dataclass(frozen=True, slots=True, kw_only=True)
class RestorePlan:
    """The keys to restore, and those that cannot be."""

    entry: Entry
    keys: tuple[LockKey, ...]
    """Those that do not exist now, with the values that they had."""
    left: tuple[SkippedKey, ...]
    ttl_s: int | None
    """Of the new lease, in seconds; None where they are put without a lease."""


def plan_restoration(
    entry: Entry, existing: Collection[bytes], wanted: Collection[bytes], ttl_s: int | None
) -> RestorePlan:
    """
    Sort the keys that an entry has deleted, or might have deleted.

    Args:
        entry: The entry that deleted them.
        existing: Those that exist now, of any client.
        wanted: Only these; all of them where it is empty.
        ttl_s: The TTL of the new lease, in seconds.
    """
    keys: list[LockKey] = []
    left: list[SkippedKey] = []
    for key in entry.perhaps_deleted:
        if wanted and key.key not in wanted:
            continue
        if key.key in existing:
            left.append(SkippedKey(key, RestoreSkipReason.EXISTS))
        elif is_cut(key):
            left.append(SkippedKey(key, RestoreSkipReason.CUT))
        else:
            keys.append(key)
    return RestorePlan(entry=entry, keys=tuple(keys), left=tuple(left), ttl_s=ttl_s)
