"""Evidence on keys: what they are, and what else hangs on their lease."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NoLease:
    """The key has no lease, so etcd never deletes it by itself."""

    in_lock_shape: bool
    """False where neither its layout nor the policy says that it is a lock's."""


@dataclass(frozen=True, slots=True)
class ForeignHolder:
    """The key that blocks the queue is not a contender: it merely lies below the lock's name."""

    key: bytes


@dataclass(frozen=True, slots=True)
class OtherKeys:
    """The lease carries keys outside the lock, too."""

    count: int
    keys: tuple[bytes, ...]
    """The first of them."""


@dataclass(frozen=True, slots=True)
class ByDesign:
    """A key that its process keeps as long as it lives is normal here."""

    key_kind: str
    """`election` or `registration`."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """Its client keeps the key alive by writing it again, onto a fresh lease."""

    times: int
    watched_s: float


@dataclass(frozen=True, slots=True)
class UnknownRecipe:
    """Neither the key's layout nor the policy says that it is a lock's."""


@dataclass(frozen=True, slots=True)
class QueueCut:
    """The scanned prefix may leave out contenders of this lock."""


@dataclass(frozen=True, slots=True)
class Keyless:
    """The lease carries no key."""
