"""
Lock recipes: which keys form a lock, who holds it and who waits.

Adding a recipe means adding one class here and naming it in RECIPES.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

from lockdoctor.domain.age import uuid1_written_at
from lockdoctor.domain.locks import Kind, Lock, LockKey, Recipe

KindOf = Callable[[bytes], "Kind | None"]
"""What the policy says a lock of this name is for; None where it says nothing."""


class LockRecipe(Protocol):
    """How one client library lays a lock out as keys."""

    recipe: Recipe
    kind: Kind

    def lock_name(self, key: LockKey) -> bytes | None:
        """Name the lock that the key contends for; None where the key is not of this recipe."""
        ...


class GoQueue:
    """
    Go's Mutex and Election, etcdctl lock, and every client of etcd's lock service.

    The key is `<name>/<lease ID in unpadded hex>`; the oldest key below `<name>/` holds, whoever
    wrote it. An election's keys carry the candidate as their value, a mutex's are empty.
    Source: mutex.go and election.go in etcd's client/v3/concurrency, v3lock/lock.go.
    """

    recipe = Recipe.GO_MUTEX
    kind = Kind.LOCK

    _LOST_LEASE = re.compile(rb"[0-9a-f]{12,16}")

    def lock_name(self, key: LockKey) -> bytes | None:
        """`<name>` if the last part of the key is its own lease, or looks like one that it lost."""
        name, slash, suffix = key.key.rpartition(b"/")
        if not slash:
            return None
        if key.has_lease:
            return name if suffix == b"%x" % key.lease_id else None
        return name if self._LOST_LEASE.fullmatch(suffix) else None


class PythonEtcd3:
    """
    python-etcd3's Lock: one key, the 16 bytes of a uuid1 as its value; waiters leave no key.

    Source: Lock in python-etcd3's etcd3/locks.py.
    """

    recipe = Recipe.PYTHON_ETCD3
    kind = Kind.LOCK

    def lock_name(self, key: LockKey) -> bytes | None:
        """The key itself."""
        is_lock = key.value_size == len(key.value) and uuid1_written_at(key.value) is not None
        return key.key if is_lock else None


class SingleKey:
    """
    Locks of one key with a lease: etcd3gw's (the text of a uuid1), tooz's (16 bytes of a uuid4),
    and those of node's etcd3 (empty).

    Source: etcd3gw/lock.py, tooz/drivers/etcd3gw.py, lock.ts of microsoft/etcd3.
    """

    recipe = Recipe.SINGLE_KEY
    kind = Kind.LOCK

    _GO_RECIPE = re.compile(rb".*/(read|write|waiters)/[0-9]{19}", re.DOTALL)
    """Keys of Go's RWMutex and DoubleBarrier are empty, too, but many of them may stand at once."""

    def lock_name(self, key: LockKey) -> bytes | None:
        """The key itself, if it has a lease and a value that only these clients write."""
        if not key.has_lease or self._GO_RECIPE.fullmatch(key.key):
            return None
        return key.key if key.value_size == 0 or _is_uuid(key.value) else None


class LeasedKey:
    """Any other key with a lease: a lock of unknown make, or a service's registration."""

    recipe = Recipe.LEASED_KEY
    kind = Kind.UNKNOWN

    def lock_name(self, key: LockKey) -> bytes | None:
        """The key itself, if it has a lease."""
        return key.key if key.has_lease else None


class UnleasedKey:
    """Any other key without a lease: a lock that never expires, or plain data."""

    recipe = Recipe.UNLEASED_KEY
    kind = Kind.UNKNOWN

    def lock_name(self, key: LockKey) -> bytes | None:
        """The key itself."""
        return key.key


RECIPES: tuple[LockRecipe, ...] = (
    GoQueue(),
    PythonEtcd3(),
    SingleKey(),
    LeasedKey(),
    UnleasedKey(),
)
"""In the order in which they are asked; the last one takes every key."""


class Claim(NamedTuple):
    """Which queue a key stands in; a mutex and an election of one name share a queue."""

    name: bytes
    recipe: Recipe


def claim(key: LockKey) -> Claim:
    """Say which queue a key stands in."""
    for recipe in RECIPES:
        name = recipe.lock_name(key)
        if name is not None:
            return Claim(name, recipe.recipe)
    raise AssertionError("the last recipe takes every key")


def locks(keys: Sequence[LockKey], prefix: bytes, kind_of: KindOf = lambda _: None) -> list[Lock]:
    """
    Group the keys of one prefix, at one revision, into locks, in the order of their names.

    Args:
        keys: All keys with this prefix.
        prefix: What was asked of etcd; a queue that may reach beyond it is marked.
        kind_of: What the policy says.
    """
    queues: dict[Claim, list[LockKey]] = {}
    for key in keys:
        queues.setdefault(claim(key), []).append(key)
    oldest_foreign = _oldest_foreign(keys, queues)
    found = [
        _lock(queue, sorted(members, key=_age_order), oldest_foreign.get(queue), prefix)
        for queue, members in queues.items()
    ]
    named = (_with_kind(lock, kind_of(lock.name)) for lock in found)
    return sorted(named, key=lambda lock: lock.name)


def released_lock(queue: Claim, kind_of: KindOf) -> Lock:
    """Describe a lock that nobody holds any more."""
    kind = kind_of(queue.name) or _kind(queue.recipe)
    return Lock(name=queue.name, recipe=queue.recipe, kind=kind, holder=None)


def _kind(recipe: Recipe) -> Kind:
    return next(known.kind for known in RECIPES if known.recipe is recipe)


def _lock(queue: Claim, contenders: list[LockKey], foreign: LockKey | None, prefix: bytes) -> Lock:
    recipe, kind = queue.recipe, _kind(queue.recipe)
    if recipe is Recipe.GO_MUTEX and any(contender.value_size for contender in contenders):
        recipe, kind = Recipe.GO_ELECTION, Kind.ELECTION
    blocked = foreign is not None and foreign.create_revision < contenders[0].create_revision
    return Lock(
        name=queue.name,
        recipe=recipe,
        kind=kind,
        holder=foreign if blocked else contenders[0],
        waiters=tuple(contenders if blocked else contenders[1:]),
        foreign_holder=blocked,
        queue_is_whole=queue.recipe is not Recipe.GO_MUTEX
        or (queue.name + b"/").startswith(prefix),
    )


def _with_kind(lock: Lock, kind: Kind | None) -> Lock:
    if kind is None or kind is lock.kind:
        return lock
    return replace(lock, kind=kind)


def _oldest_foreign(keys: Iterable[LockKey], queues: Iterable[Claim]) -> dict[Claim, LockKey]:
    """Find, for each queue of Go's recipe, the oldest key below its name that is no contender."""
    go_queues = {queue.name: queue for queue in queues if queue.recipe is Recipe.GO_MUTEX}
    oldest: dict[Claim, LockKey] = {}
    for key in keys:
        own = claim(key)
        for ancestor in _ancestors(key.key):
            queue = go_queues.get(ancestor)
            if queue is None or queue == own:
                continue
            known = oldest.get(queue)
            if known is None or key.create_revision < known.create_revision:
                oldest[queue] = key
    return oldest


def _ancestors(key: bytes) -> Iterator[bytes]:
    """Every name N for which the key lies below `N/`."""
    slash = key.find(b"/")
    while slash >= 0:
        yield key[:slash]
        slash = key.find(b"/", slash + 1)


def _age_order(key: LockKey) -> int:
    return key.create_revision


def _is_uuid(value: bytes) -> bool:
    """Whether the value is a uuid: its 16 bytes, or its usual text."""
    try:
        if len(value) == 16:  # noqa: PLR2004 - the bytes of a UUID
            found = uuid.UUID(bytes=value)
            return found.version is not None and found.variant == uuid.RFC_4122
        return str(uuid.UUID(value.decode("ascii"))) == value.decode("ascii").lower()
    except ValueError:
        return False
