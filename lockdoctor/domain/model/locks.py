"""Locks as keys in etcd: their holder, their waiters, and their recipe."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from lockdoctor.domain.model.leases import NO_LEASE, LeaseId


class Recipe(enum.Enum):
    """How a client library stores a lock as keys."""

    GO_MUTEX = "mutex"
    """Go's concurrency.Mutex, etcdctl lock and all clients of etcd's lock service."""
    GO_ELECTION = "election"
    """Go's concurrency.Election: the same keys, each with a candidate as its value."""
    RW_MUTEX = "rw-mutex"
    """Go's RWMutex: many readers hold at once, a writer alone."""
    VITESS = "vitess"
    """Vitess's locks: a folder of keys that end in their lease, in decimal."""
    VITESS_ELECTION = "vitess-election"
    """The same below `elections/`."""
    NODE_ELECTION = "node-election"
    """The election of node's etcd3: keys that end in their lease, in decimal."""
    PATRONI = "patroni"
    """Patroni's leader key, on one lease with the leader's own member key."""
    PYTHON_ETCD3 = "python-etcd3"
    """python-etcd3's Lock: one key, a 16-byte uuid1 as its value; waiters leave no key."""
    SINGLE_KEY = "single-key"
    """One key with a lease that etcd3gw, OpenStack tooz or node's etcd3 writes as a lock."""
    REGISTRATION = "registration"
    """A service's own entry of an unambiguous format: go-zero, Milvus, Kubernetes ..."""
    LEASED_KEY = "leased-key"
    """A key with a lease that matches no lock recipe: perhaps a lock, perhaps a registration."""
    UNLEASED_KEY = "key-without-lease"
    """A key without a lease that matches no lock recipe."""


class Kind(enum.Enum):
    """What a key is for, by its recipe or the policy; it decides what is normal."""

    LOCK = "lock"
    """Held for a job, then released."""
    ELECTION = "election"
    """Held as long as its process lives, by design."""
    REGISTRATION = "registration"
    """A service's own entry, kept as long as the service lives, by design."""
    IGNORE = "ignore"
    """Not examined, by the policy."""
    UNKNOWN = "unknown"
    """
    Neither a recipe that only locks have nor the policy gives the kind: never judged, never
    treated.
    """


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
    kind_is_stated: bool = False
    """The policy or a flag gave the kind, against the keys' own recipe."""
    queue_is_whole: bool = True
    """False where the scanned range might miss keys of the queue: the holder is uncertain."""
    id: LockId = field(init=False, repr=False, compare=False)
    """The lock's identity across readings; one object for all references to the lock."""

    def __post_init__(self) -> None:
        """Create the ID once: verdicts, sets and trees all keep it."""
        object.__setattr__(self, "id", LockId(self.name, self.recipe))

    @property
    def keys(self) -> tuple[LockKey, ...]:
        """Return holder, sharers and waiters, in the order of the queue."""
        return ((self.holder,) if self.holder else ()) + self.sharers + self.waiters

    @property
    def contenders(self) -> tuple[LockKey, ...]:
        """Return the keys of its own queue: all but a foreign holder."""
        return self.keys[1:] if self.foreign_holder else self.keys

    def kind_of(self, key: LockKey) -> Kind:
        """Return what one of its keys is for."""
        return self.foreign_kind if self._is_foreign(key) else self.kind

    def may_be_data(self, key: LockKey) -> bool:
        """Return whether a key might be data, by its recipe and by the policy."""
        kind = self.kind_of(key)
        return kind is Kind.UNKNOWN or (self._is_foreign(key) and kind not in CONTENDED_FOR)

    def _is_foreign(self, key: LockKey) -> bool:
        return self.foreign_holder and key is self.holder


def outermost(prefixes: Iterable[bytes]) -> tuple[bytes, ...]:
    """Return the prefixes without those inside another and repetitions, in order."""
    given = list(prefixes)

    def is_inside_another(prefix: bytes) -> bool:
        return any(prefix != other and prefix.startswith(other) for other in given)

    return tuple(dict.fromkeys(prefix for prefix in given if not is_inside_another(prefix)))
