"""Group keys into locks, with holder and waiters, by the recipes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import NamedTuple

from lockdoctor.domain.model.locks import Kind, Lock, LockId, LockKey, Recipe
from lockdoctor.domain.recipes.base import LockRecipe
from lockdoctor.domain.recipes.registration import patroni_scope
from lockdoctor.domain.recipes.registry import RECIPE_OF, RECIPES

KindOf = Callable[[bytes], "Kind | None"]
"""What a lock of this name is for by the policy; None where the policy has no entry."""


class QueueId(NamedTuple):
    """The identity of a queue; a mutex and an election of one name share a queue."""

    name: bytes
    recipe: Recipe


def claim(key: LockKey) -> QueueId:
    """Return the queue of a key."""
    for recipe in RECIPES:
        name = recipe.lock_name(key)
        if name is not None:
            return QueueId(name, recipe.recipe)
    raise AssertionError("the last recipe takes every key")


def locks(keys: Sequence[LockKey], prefix: bytes, kind_of: KindOf = lambda _: None) -> list[Lock]:
    """
    Group the keys of one prefix, at one revision, into locks ordered by name.

    Args:
        keys: All keys with this prefix.
        prefix: The prefix of the request to etcd; a queue that might reach beyond it is marked.
        kind_of: The kind of a name by the policy.
    """
    queues: dict[QueueId, list[LockKey]] = {}
    for key in keys:
        queues.setdefault(claim(key), []).append(key)
    oldest_foreign = _oldest_foreign(queues)
    found = _with_patroni(
        [
            _lock(queue, members, oldest_foreign.get(queue), prefix)
            for queue, members in queues.items()
        ],
        keys,
    )
    data = data_beside(found)
    named = [lock if lock.id in data else _with_kind(lock, kind_of(lock.name)) for lock in found]
    return sorted(_with_foreign_kinds(named), key=lambda lock: lock.name)


def data_beside(found: Sequence[Lock]) -> AbstractSet[LockId]:
    """
    Return the keys that a known product keeps beside its locks: data of any kind.

    They are data whatever the kind of their prefix. Patroni keeps its cluster's state beside its
    leader and members, Vitess the data that a lock guards.
    """
    folders = {lock.name.removesuffix(b"leader") for lock in found if lock.recipe is Recipe.PATRONI}
    folders |= {lock.name + b"/" for lock in found if _is_vitess(lock)}
    folders |= _patroni_scopes(found)
    if not folders:
        return frozenset()
    below = tuple(folders)
    return {lock.id for lock in found if is_plain(lock) and lock.name.startswith(below)}


def is_plain(lock: Lock) -> bool:
    """Return whether these are keys without a lease that match no lock recipe."""
    return lock.kind is Kind.UNKNOWN and not any(key.has_lease for key in lock.contenders)


def _is_vitess(lock: Lock) -> bool:
    return lock.recipe is Recipe.VITESS and lock.kind is not Kind.UNKNOWN


def _patroni_scopes(found: Iterable[Lock]) -> set[bytes]:
    members = (lock.holder for lock in found if lock.recipe is Recipe.REGISTRATION and lock.holder)
    return {scope for member in members if (scope := patroni_scope(member)) is not None}


def released_lock(queue: QueueId, kind_of: KindOf) -> Lock:
    """Return a lock without a holder, for a queue that was released."""
    kind = kind_of(queue.name) or RECIPE_OF[queue.recipe].kind
    return Lock(name=queue.name, recipe=queue.recipe, kind=kind, holder=None)


def queue_of(lock: Lock | LockId) -> QueueId:
    """Return the queue of a lock; a mutex and an election of one name share theirs."""
    return QueueId(lock.name, _TOLD_FROM.get(lock.recipe, lock.recipe))


def recipe_of(lock: Lock | LockId) -> LockRecipe:
    """Return the recipe whose rules the queue of a lock follows."""
    return RECIPE_OF[queue_of(lock).recipe]


_TOLD_FROM = {
    Recipe.GO_ELECTION: Recipe.GO_MUTEX,
    Recipe.PATRONI: Recipe.LEASED_KEY,
}
"""Recipes that only a lock as a whole shows, not its keys one by one."""


def _lock(queue: QueueId, members: list[LockKey], foreign: LockKey | None, prefix: bytes) -> Lock:
    rules = RECIPE_OF[queue.recipe]
    recipe, kind = rules.recipe, rules.kind
    contenders = sorted(members, key=rules.order)
    if recipe is Recipe.GO_MUTEX and any(contender.value_size for contender in contenders):
        recipe, kind = Recipe.GO_ELECTION, Kind.ELECTION
    if rules.can_wait and not any(contender.has_lease for contender in contenders):
        kind = Kind.UNKNOWN  # a number or some hexadecimal digits alone might be data
    holding = rules.holding(contenders)
    blocked = foreign is not None and foreign.create_revision < contenders[0].create_revision
    return Lock(
        name=queue.name,
        recipe=recipe,
        kind=kind,
        holder=foreign if blocked else holding[0],
        sharers=() if blocked else tuple(holding[1:]),
        waiters=tuple(contenders if blocked else contenders[len(holding) :]),
        foreign_holder=blocked,
        queue_is_whole=not rules.can_wait or rules.queue_prefix(queue.name).startswith(prefix),
    )


def _with_patroni(found: list[Lock], keys: Sequence[LockKey]) -> list[Lock]:
    """
    Return the locks with Patroni's leaders, which their member keys identify.

    The leader's own member key is beside the leader key, on the same lease. A leader key that has
    lost its lease is recognized by any member beside it: the leader itself might be gone. Source:
    leader_path and members_path in Patroni's patroni/dcs.
    """
    if not any(lock.name.endswith(b"/leader") for lock in found):
        return found
    leases = {key.key: key.lease_id for key in keys}
    scopes = _patroni_scopes(found)

    def is_leader(lock: Lock) -> bool:
        scope, slash, last = lock.name.rpartition(b"/")
        if last != b"leader" or lock.holder is None:
            return False
        if lock.recipe is Recipe.UNLEASED_KEY:
            return scope + slash in scopes
        member = scope + slash + b"members/" + lock.holder.value
        is_on_its_lease = leases.get(member) == lock.holder.lease_id
        return lock.recipe is Recipe.LEASED_KEY and is_on_its_lease

    return [
        replace(lock, recipe=Recipe.PATRONI, kind=Kind.ELECTION) if is_leader(lock) else lock
        for lock in found
    ]


def _with_kind(lock: Lock, kind: Kind | None) -> Lock:
    if kind is None or kind is lock.kind:
        return lock
    return replace(lock, kind=kind, kind_is_stated=True)


def _with_foreign_kinds(found: list[Lock]) -> list[Lock]:
    """Add to each key that blocks a queue from outside its kind, by its own lock."""
    foreign = {lock.holder.key for lock in found if lock.foreign_holder and lock.holder}
    if not foreign:
        return found
    kinds = {key.key: lock.kind for lock in found for key in lock.contenders if key.key in foreign}
    return [
        replace(lock, foreign_kind=kinds[lock.holder.key])
        if lock.foreign_holder and lock.holder
        else lock
        for lock in found
    ]


def _oldest_foreign(queues: Mapping[QueueId, Iterable[LockKey]]) -> dict[QueueId, LockKey]:
    """Return, for each queue of Go's recipe, the oldest foreign key below its name."""
    go_queues = {queue.name: queue for queue in queues if queue.recipe is Recipe.GO_MUTEX}
    oldest: dict[QueueId, LockKey] = {}
    for own, members in queues.items():
        for key in members:
            for ancestor in _ancestors(key.key):
                queue = go_queues.get(ancestor)
                if queue is None or queue == own:
                    continue
                known = oldest.get(queue)
                if known is None or key.create_revision < known.create_revision:
                    oldest[queue] = key
    return oldest


def _ancestors(key: bytes) -> Iterator[bytes]:
    """Yield every name N for which the key is below `N/`."""
    slash = key.find(b"/")
    while slash >= 0:
        yield key[:slash]
        slash = key.find(b"/", slash + 1)
