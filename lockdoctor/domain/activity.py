"""What came and went in the queue of one lock while it was watched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from lockdoctor.domain.locks import LockKey


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPut:
    """A key was written."""

    seen_at: float
    key: LockKey

    @property
    def revision(self) -> int:
        """The revision of the write."""
        return self.key.mod_revision


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDeleted:
    """A key was deleted: by a client, or with its lease; etcd does not tell which."""

    seen_at: float
    key: bytes
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchGap:
    """The watch missed what happened before this moment."""

    seen_at: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchProgress:
    """Everything up to this revision has been delivered."""

    seen_at: float
    revision: int


WatchEvent: TypeAlias = KeyPut | KeyDeleted | WatchGap | WatchProgress



@dataclass(frozen=True, slots=True, kw_only=True)
class QueueActivity:
    """Counts over the time in which the queue was watched without a gap."""

    watched_s: float = 0.0
    """0 where the queue was not watched at all."""
    releases: int = 0
    """Holds that ended."""
    hand_overs: int = 0
    """Holds that began after another had ended."""
    arrivals: int = 0
    """Contenders that came."""
    gave_up: int = 0
    """Contenders that left without having held."""
    gave_up_leases: frozenset[int] = frozenset()
    """The leases of those."""
    has_gap: bool = False
    """The watch missed something, so the counts are lower bounds."""
