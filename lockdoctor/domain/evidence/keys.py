"""Evidence on keys: their kind, and other keys on their lease."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NoLease:
    """The key has no lease, so etcd never deletes it by itself."""

    in_lock_shape: bool
    """False where neither its recipe nor the policy marks it as a lock's key."""


@dataclass(frozen=True, slots=True)
class ForeignHolder:
    """The key that blocks the queue is no waiter: it is only below the lock's name."""

    key: bytes


@dataclass(frozen=True, slots=True)
class OtherKeys:
    """The lease carries keys outside the lock, too."""

    count: int
    keys: tuple[bytes, ...]
    """The first of them."""


@dataclass(frozen=True, slots=True)
class ByDesign:
    """The process keeps the key as long as it lives, which is normal here."""

    key_kind: str
    """`election` or `registration`."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The client keeps the key by writing it again, onto a fresh lease."""

    times: int
    watched_s: float


@dataclass(frozen=True, slots=True)
class UnknownRecipe:
    """Neither the key's recipe nor the policy marks it as a lock's key."""


@dataclass(frozen=True, slots=True)
class QueueCut:
    """The scanned prefix might leave out keys of this lock's queue."""


@dataclass(frozen=True, slots=True)
class Keyless:
    """The lease carries no key."""
