"""Groups keys of unknown kind by lease and by folder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lockdoctor.domain.model.leases import NO_LEASE, LeaseId
from lockdoctor.domain.model.locks import Kind, Lock, LockKey

MAX_SAMPLES = 3
"""The keys that a group names; the rest is counted."""

MIN_ON_LEASE = 2
"""The minimum number of keys for a group by lease; a lease with one key is in its folder's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownGroup:
    """Keys of unknown kind that belong together."""

    lease_id: LeaseId
    """The lease of all of them; NO_LEASE where they have several leases, or none."""
    folder: bytes
    """What their names begin with, up to a slash; b"" where they differ from the start."""
    keys: int
    leases: int
    """The number of leases of these keys."""
    samples: tuple[bytes, ...]
    """The first few keys, in the order of their names."""


def unknown_groups(locks: Iterable[Lock]) -> tuple[UnknownGroup, ...]:
    """
    Return the keys of unknown kind in groups, the largest group first.

    Keys on one lease are one group, wherever they are. The others are grouped by their folder, and
    apart by whether they have a lease: a key with a lease may be a lock, and one without is data
    more likely.
    """
    keys = [key for lock in locks if lock.kind is Kind.UNKNOWN for key in lock.contenders]
    on_lease: dict[LeaseId, list[LockKey]] = {}
    for key in keys:
        if key.has_lease:
            on_lease.setdefault(key.lease_id, []).append(key)
    shared = {lease: them for lease, them in on_lease.items() if len(them) >= MIN_ON_LEASE}
    groups = [_group(them, _common_folder(them), lease) for lease, them in shared.items()]
    by_folder: dict[tuple[bytes, bool], list[LockKey]] = {}
    for key in keys:
        if key.lease_id not in shared:
            by_folder.setdefault((_folder(key.key), key.has_lease), []).append(key)
    groups += [_group(them, folder) for (folder, _), them in by_folder.items()]
    return tuple(sorted(groups, key=lambda group: (-group.keys, group.samples)))


def _group(keys: list[LockKey], folder: bytes, lease_id: LeaseId | None = None) -> UnknownGroup:
    leases = {key.lease_id for key in keys if key.has_lease}
    if lease_id is None:
        lease_id = next(iter(leases)) if len(leases) == len(keys) == 1 else NO_LEASE
    return UnknownGroup(
        lease_id=lease_id,
        folder=folder,
        keys=len(keys),
        leases=len(leases),
        samples=tuple(sorted(key.key for key in keys)[:MAX_SAMPLES]),
    )


def _folder(key: bytes) -> bytes:
    return key[: key.rfind(b"/") + 1]


def _common_folder(keys: list[LockKey]) -> bytes:
    """Return the longest folder of all keys: that of the first and the last by name."""
    first, last = min(key.key for key in keys), max(key.key for key in keys)
    pairs = enumerate(zip(first, last, strict=False))
    return _folder(first[: next((at for at, (a, b) in pairs if a != b), len(first))])
