"""Group keys into locks, with holder and waiters, by the recipes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from lockdoctor.domain.model.locks import Basis, Kind, KnownKind, Lock, LockId, LockKey, Recipe
from lockdoctor.domain.recipes.lock_recipe import LockRecipe
from lockdoctor.domain.recipes.registry import RecipeBook, built_in

BUILT_IN = built_in()


class Stated(Protocol):
    """What an operator has stated on keys; a Policy is this."""

    @property
    def recipes(self) -> RecipeBook:
        """Return the recipes."""

    @property
    def flag_kind(self) -> Kind | None:
        """Return the kind of every key by a flag; it precedes a recipe of one's own."""

    def kind_of(self, name: bytes) -> Kind | None:
        """Return what a lock of this name is for; None if no kind is stated."""


@dataclass(frozen=True)
class OnlyRecipes:
    """The recipes decide: no kind is stated."""

    recipes: RecipeBook
    flag_kind: Kind | None = None

    def kind_of(self, _: bytes) -> Kind | None:
        """Return that no kind is stated."""
        return None


NOTHING_STATED = OnlyRecipes(BUILT_IN)


class QueueId(NamedTuple):
    """The identity of a queue; a mutex and an election of one name share a queue."""

    name: bytes
    recipe: Recipe


def claim(key: LockKey, book: RecipeBook = BUILT_IN) -> QueueId:
    """Return the queue of a key."""
    recipe, name = book.claim(key)
    return QueueId(name, recipe.recipe)


def locks(keys: Sequence[LockKey], prefix: bytes, stated: Stated = NOTHING_STATED) -> list[Lock]:
    """
    Group the keys of one prefix, at one revision, into locks ordered by name.

    Args:
        keys: All keys with this prefix.
        prefix: The prefix of the request to etcd; a queue that might reach beyond it is marked.
        stated: The recipes, and the kinds that the operator stated.
    """
    book = stated.recipes
    queues: dict[QueueId, list[LockKey]] = {}
    rules: dict[QueueId, LockRecipe] = {}
    anchors: dict[str, set[bytes]] = {}
    for key in keys:
        recipe, name = book.claim(key)
        queue = QueueId(name, recipe.recipe)
        queues.setdefault(queue, []).append(key)
        if rules.setdefault(queue, recipe) is not recipe:
            rules[queue] = _better(rules[queue], recipe, book)
        if recipe.name in book.anchors:
            anchors.setdefault(recipe.name, set()).add(_folder(recipe, key.key) or b"")
    oldest_foreign = _oldest_foreign(queues)
    found = _with_neighbors(
        [
            _lock(queue, members, oldest_foreign.get(queue), prefix, rules[queue])
            for queue, members in queues.items()
        ],
        anchors,
        book,
    )
    data = data_beside(found)
    named = [lock if lock.id in data else _with_kind(lock, stated) for lock in found]
    return sorted(_with_foreign_kinds(named), key=lambda lock: lock.name)


def data_beside(found: Sequence[Lock]) -> AbstractSet[LockId]:
    """
    Return the keys that a known product keeps as its data.

    They are data whatever the kind of their prefix. Patroni keeps its cluster's state beside its
    leader and members, Vitess the data that a lock guards.
    """
    folders = {lock.name.removesuffix(b"leader") for lock in found if lock.recipe is Recipe.PATRONI}
    folders |= {lock.name + b"/" for lock in found if _is_vitess(lock)}
    folders |= _patroni_scopes(found)
    below = tuple(folders)
    return {
        lock.id
        for lock in found
        if lock.kind is Kind.DATA or (below and is_plain(lock) and lock.name.startswith(below))
    }


def is_plain(lock: Lock) -> bool:
    """Return whether these are data, or keys without a lease and a recipe."""
    if lock.kind is Kind.DATA:
        return True
    return lock.kind is Kind.UNKNOWN and not any(key.has_lease for key in lock.contenders)


def _is_vitess(lock: Lock) -> bool:
    return lock.recipe is Recipe.VITESS and lock.kind is not Kind.UNKNOWN


def _patroni_scopes(found: Iterable[Lock]) -> set[bytes]:
    member = BUILT_IN.named("patroni-member")
    holders = (lock.holder for lock in found if lock.recipe is Recipe.REGISTRATION and lock.holder)
    scopes = (_folder(member, key.key) for key in holders if member.lock_name(key) is not None)
    return {scope + b"/" for scope in scopes if scope is not None}


def released_lock(queue: QueueId, stated: Stated) -> Lock:
    """Return a lock without a holder, for a queue that was released."""
    known = stated.recipes.of(queue.recipe).known_kind
    lock = Lock(
        name=queue.name, recipe=queue.recipe, kind=known.kind, basis=known.basis, holder=None
    )
    return _with_kind(lock, stated)


def queue_of(lock: Lock | LockId) -> QueueId:
    """
    Return the queue of a lock.

    A mutex and an election of one name share theirs. A lock that only its neighbors prove is in the
    queue of its key alone.
    """
    if lock.recipe is Recipe.GO_ELECTION:
        return QueueId(lock.name, Recipe.GO_MUTEX)
    if lock.recipe in _PROVEN_BY_NEIGHBORS and isinstance(lock, Lock) and lock.holder:
        return claim(lock.holder)
    return QueueId(lock.name, lock.recipe)


def recipe_of(lock: Lock | LockId, book: RecipeBook = BUILT_IN) -> LockRecipe:
    """Return the recipe whose rules the queue of a lock follows."""
    return book.of(lock.recipe)


_PROVEN_BY_NEIGHBORS = frozenset(recipe.recipe for recipe in BUILT_IN.with_neighbors)


def _better(one: LockRecipe, other: LockRecipe, book: RecipeBook) -> LockRecipe:
    """Return the recipe that shows the kind of a queue: the first that knows it."""
    order = book.in_order.index
    return min(one, other, key=lambda each: (each.kind is Kind.UNKNOWN, order(each)))


def _lock(
    queue: QueueId,
    members: list[LockKey],
    foreign: LockKey | None,
    prefix: bytes,
    rules: LockRecipe,
) -> Lock:
    contenders = sorted(members, key=rules.order)
    holding = rules.holding(contenders)
    blocked = foreign is not None and foreign.create_revision < contenders[0].create_revision
    recipe, known = _known_kind(rules, contenders)
    return Lock(
        name=queue.name,
        recipe=recipe,
        kind=known.kind,
        basis=known.basis,
        holder=foreign if blocked else holding[0],
        sharers=() if blocked else tuple(holding[1:]),
        waiters=tuple(contenders if blocked else contenders[len(holding) :]),
        foreign_holder=blocked,
        queue_is_whole=not rules.can_wait or rules.queue_prefix(queue.name).startswith(prefix),
    )


def _known_kind(rules: LockRecipe, contenders: Sequence[LockKey]) -> tuple[Recipe, KnownKind]:
    """Return the recipe and the kind of a queue, by all of its keys."""
    recipe, known = rules.recipe, rules.known_kind
    if recipe is Recipe.GO_MUTEX and any(key.value_size for key in contenders):
        recipe = Recipe.GO_ELECTION
        if known.kind is Kind.LOCK:
            known = KnownKind(Kind.ELECTION, known.basis)
    if not (rules.proves_without_lease or any(key.has_lease for key in contenders)):
        # A number or some hexadecimal digits alone might be data.
        known = KnownKind(Kind.UNKNOWN, Basis.UNKNOWN)
    return recipe, known


def _folder(recipe: LockRecipe, key: bytes) -> bytes | None:
    """Return the first placeholder of a key: what it shares with its neighbors."""
    found = recipe.match.split(key)
    return found[1] if found else None


def _with_neighbors(
    found: list[Lock], anchors: Mapping[str, AbstractSet[bytes]], book: RecipeBook
) -> list[Lock]:
    """Return the locks with those that their neighbors prove."""
    if not anchors:
        return found

    def told(lock: Lock) -> Lock:
        key = lock.holder
        if key is None or lock.kind is not Kind.UNKNOWN or lock.name != key.key:
            return lock
        for recipe in book.with_neighbors:
            if recipe.beside is None or recipe.lock_name(key) is None:
                continue
            folder = _folder(recipe, key.key)
            if any(folder in anchors.get(name, ()) for name in recipe.beside.names):
                return replace(lock, recipe=recipe.recipe, kind=recipe.kind, basis=recipe.basis)
        return lock

    return [told(lock) for lock in found]


def _with_kind(lock: Lock, stated: Stated) -> Lock:
    """
    Return the lock with the kind that the operator stated.

    A flag precedes a recipe of one's own, which precedes a [[prefix]].
    """
    is_own = lock.basis is Basis.OWN_RECIPE
    kind = stated.flag_kind if is_own else stated.kind_of(lock.name)
    if kind is None or (kind is lock.kind and lock.basis.is_certain):
        return lock
    return replace(lock, kind=kind, basis=Basis.POLICY)


def _with_foreign_kinds(found: list[Lock]) -> list[Lock]:
    """Add to each key that blocks a queue from outside its kind, by its own lock."""
    foreign = {lock.holder.key for lock in found if lock.foreign_holder and lock.holder}
    if not foreign:
        return found
    kinds = {
        key.key: lock.known_kind for lock in found for key in lock.contenders if key.key in foreign
    }
    return [
        replace(
            lock,
            foreign_kind=kinds[lock.holder.key].kind,
            foreign_basis=kinds[lock.holder.key].basis,
        )
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
