"""Locks as keys in etcd: their holder, their waiters, and their recipe."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

from lockdoctor.domain.model.leases import NO_LEASE, LeaseId


class Recipe:
    """
    The name of a recipe: how a client library stores a lock as keys.

    A file of the user can add names. One name is one object, so `is` compares two of them.
    """

    __slots__ = ("value",)

    value: str
    """In JSON, in the history and on screen."""

    _known: ClassVar[dict[str, Recipe]] = {}

    GO_MUTEX: ClassVar[Recipe]
    """Go's concurrency.Mutex, etcdctl lock and all clients of etcd's lock service."""
    GO_ELECTION: ClassVar[Recipe]
    """Go's concurrency.Election: the same keys, each with a candidate as its value."""
    RW_MUTEX: ClassVar[Recipe]
    """Go's RWMutex: many readers hold at once, a writer alone."""
    VITESS: ClassVar[Recipe]
    """Vitess's locks: a folder of keys that end in their lease, in decimal."""
    VITESS_ELECTION: ClassVar[Recipe]
    """The same below `elections/`."""
    NODE_ELECTION: ClassVar[Recipe]
    """The election of node's etcd3: keys that end in their lease, in decimal."""
    PATRONI: ClassVar[Recipe]
    """Patroni's leader key, beside its member keys."""
    PYTHON_ETCD3: ClassVar[Recipe]
    """python-etcd3's Lock: one key, a 16-byte uuid1 as its value; waiters leave no key."""
    SINGLE_KEY: ClassVar[Recipe]
    """One key with a lease that etcd3gw, OpenStack tooz or node's etcd3 writes as a lock."""
    LEADER_KEY: ClassVar[Recipe]
    """One key of a known product for which its candidates compete: PD, Pulsar ..."""
    REGISTRATION: ClassVar[Recipe]
    """A service's own entry of an unambiguous format: go-zero, Milvus, Kubernetes ..."""
    DATA: ClassVar[Recipe]
    """Data of a known product: neither a lock nor an entry of a service."""
    LEASED_KEY: ClassVar[Recipe]
    """A key with a lease that matches no lock recipe: perhaps a lock, perhaps a registration."""
    UNLEASED_KEY: ClassVar[Recipe]
    """A key without a lease that matches no lock recipe."""

    def __new__(cls, value: str) -> Recipe:  # noqa: PYI034 - one object for each name
        """Return the one object of this name."""
        if value not in cls._known:
            new = super().__new__(cls)
            new.value = value
            cls._known[value] = new
        return cls._known[value]

    def __repr__(self) -> str:
        """Return the name as a test shows it."""
        return f"Recipe({self.value!r})"

    def __reduce__(self) -> tuple[type[Recipe], tuple[str]]:
        """Copy and unpickle to the same object."""
        return Recipe, (self.value,)


Recipe.GO_MUTEX = Recipe("mutex")
Recipe.GO_ELECTION = Recipe("election")
Recipe.RW_MUTEX = Recipe("rw-mutex")
Recipe.VITESS = Recipe("vitess")
Recipe.VITESS_ELECTION = Recipe("vitess-election")
Recipe.NODE_ELECTION = Recipe("node-election")
Recipe.PATRONI = Recipe("patroni")
Recipe.PYTHON_ETCD3 = Recipe("python-etcd3")
Recipe.SINGLE_KEY = Recipe("single-key")
Recipe.LEADER_KEY = Recipe("leader-key")
Recipe.REGISTRATION = Recipe("registration")
Recipe.DATA = Recipe("data")
Recipe.LEASED_KEY = Recipe("leased-key")
Recipe.UNLEASED_KEY = Recipe("key-without-lease")


class Kind(enum.Enum):
    """What a key is for, by its recipe or the policy; it decides what is normal."""

    LOCK = "lock"
    """Held for a job, then released."""
    ELECTION = "election"
    """Held as long as its process lives, by design."""
    REGISTRATION = "registration"
    """A service's own entry, kept as long as the service lives, by design."""
    DATA = "data"
    """Data of a known product, which no client competes for."""
    IGNORE = "ignore"
    """Not examined, by the policy."""
    UNKNOWN = "unknown"
    """
    Neither a recipe that only locks have nor the policy gives the kind: never judged, never
    treated.
    """


class Basis(enum.Enum):
    """How the kind of a key is known; a verdict is never more confident."""

    POLICY = "policy"
    """The operator stated it: `--kind`, or a [[prefix]] of lockdoctor.toml."""
    OWN_RECIPE = "own-recipe"
    """The operator stated it: a [[recipe]] of lockdoctor.toml."""
    LAYOUT = "layout"
    """Proven: no other use of etcd writes such keys."""
    LIKELY = "likely"
    """The name is usual for it, or the key behaves so. Other uses are possible."""
    UNKNOWN = "unknown"
    """Not known: the key is never judged."""

    @property
    def is_certain(self) -> bool:
        """Return whether the kind is stated or proven: it limits no confidence."""
        return self in {Basis.POLICY, Basis.OWN_RECIPE, Basis.LAYOUT}


class KnownKind(NamedTuple):
    """What a key is for, and how that is known."""

    kind: Kind
    basis: Basis

    @property
    def may_be_planned(self) -> bool:
        """Return whether a proven leak of it may be in a plan by default, and be treated."""
        return self.kind is Kind.LOCK and self.basis.is_certain


CONTENDED_FOR = frozenset({Kind.LOCK, Kind.ELECTION})
"""One holder at a time: a key that never expires keeps all others out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockKey:
    """One key of the scanned range."""

    key: bytes
    create_revision: int
    mod_revision: int
    version: int
    lease_id: LeaseId
    value: bytes = b""
    """The value's beginning; no lock recipe needs more."""
    value_size: int = 0
    """Bytes in the whole value."""

    @property
    def has_lease(self) -> bool:
        """Return whether the key has a lease, without which etcd never deletes it."""
        return self.lease_id != NO_LEASE

    @property
    def hold(self) -> Hold:
        """Return this hold of the key: a client that locks again writes the key again."""
        return Hold(self.key, self.create_revision)


class Hold(NamedTuple):
    """
    One life of one key in a queue, from creation to deletion.

    A session that unlocks and locks again reuses key and lease; the create revision separates the
    lives.
    """

    key: bytes
    create_revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySnapshot:
    """All keys of one prefix at one revision, in the order of the keys."""

    asked_at: float
    answered_at: float
    revision: int
    raft_term: int
    keys: tuple[LockKey, ...]


class LockId(NamedTuple):
    """The identity of one lock in a cluster."""

    name: bytes
    recipe: Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """One lock with its holder and waiters, at one revision."""

    name: bytes
    recipe: Recipe
    kind: Kind
    holder: LockKey | None
    """The key that owns the lock under its recipe; it can be a key of another lock (see below)."""
    sharers: tuple[LockKey, ...] = ()
    """
    The keys that hold it together with the holder, where the recipe allows it; the next oldest
    first.
    """
    waiters: tuple[LockKey, ...] = ()
    """In the order in which they get the lock."""
    foreign_holder: bool = False
    """
    The holder is a key that only lies below the lock's name.

    Go's Mutex waits for every older key below its name, of any client.
    Source: getOwner in etcd's client/v3/concurrency/mutex.go.
    """
    foreign_kind: Kind = Kind.UNKNOWN
    """What that foreign key is for: a registration below the name blocks the queue, too."""
    basis: Basis = Basis.LAYOUT
    """How the kind is known; UNKNOWN where the kind is."""
    foreign_basis: Basis = Basis.UNKNOWN
    """How the kind of that foreign key is known."""
    queue_is_whole: bool = True
    """False where the scanned range might miss keys of the queue: the holder is uncertain."""
    id: LockId = field(init=False, repr=False, compare=False)
    """The lock's identity across readings; one object for all references to the lock."""

    def __post_init__(self) -> None:
        """Create the ID once: verdicts, sets and trees all keep it."""
        object.__setattr__(self, "id", LockId(self.name, self.recipe))
        if self.kind is Kind.UNKNOWN:
            object.__setattr__(self, "basis", Basis.UNKNOWN)

    @property
    def keys(self) -> tuple[LockKey, ...]:
        """Return holder, sharers and waiters, in the order of the queue."""
        return ((self.holder,) if self.holder else ()) + self.sharers + self.waiters

    @property
    def contenders(self) -> tuple[LockKey, ...]:
        """Return the keys of its own queue: all but a foreign holder."""
        return self.keys[1:] if self.foreign_holder else self.keys

    @property
    def known_kind(self) -> KnownKind:
        """Return what the lock is for, and how that is known."""
        return KnownKind(self.kind, self.basis)

    @property
    def judged_kind(self) -> KnownKind:
        """Return the weaker of the kinds that a verdict on the holder rests on."""
        if self.foreign_holder and not self.foreign_basis.is_certain:
            return KnownKind(self.foreign_kind, self.foreign_basis)
        return self.known_kind

    @property
    def kind_is_stated(self) -> bool:
        """Return whether a flag or the policy gave the kind, against the keys' own recipe."""
        return self.basis is Basis.POLICY

    def kind_of(self, key: LockKey) -> KnownKind:
        """Return what one of its keys is for, and how that is known."""
        if self._is_foreign(key):
            return KnownKind(self.foreign_kind, self.foreign_basis)
        return self.known_kind

    def may_be_data(self, key: LockKey) -> bool:
        """Return whether a key might be data, by its recipe and by the policy."""
        kind = self.kind_of(key).kind
        return kind in {Kind.UNKNOWN, Kind.DATA} or (
            self._is_foreign(key) and kind not in CONTENDED_FOR
        )

    def _is_foreign(self, key: LockKey) -> bool:
        return self.foreign_holder and key is self.holder


def outermost(prefixes: Iterable[bytes]) -> tuple[bytes, ...]:
    """Return the prefixes without those inside another and repetitions, in order."""
    given = list(prefixes)

    def is_inside_another(prefix: bytes) -> bool:
        return any(prefix != other and prefix.startswith(other) for other in given)

    return tuple(dict.fromkeys(prefix for prefix in given if not is_inside_another(prefix)))
