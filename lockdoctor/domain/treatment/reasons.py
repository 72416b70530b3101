"""Why a target is not in the plan, or is refused when it is read again."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TypeAlias

from lockdoctor.domain.evidence.verdicts import VerdictKind


@dataclass(frozen=True, slots=True)
class NotJudged:
    """It was not judged leaked."""

    verdict: VerdictKind | None
    """Its verdict; None where it has no verdict."""


@dataclass(frozen=True, slots=True)
class AcceptedFinding:
    """It is accepted in lockdoctor.toml."""

    until: str
    reason: str


@dataclass(frozen=True, slots=True)
class HolderIsWaiting:
    """The session that holds it waits for another lock itself."""

    behind: bytes


@dataclass(frozen=True, slots=True)
class KindUnknown:
    """Neither the key's recipe nor the policy marks it as a lock's key."""

    key: bytes


@dataclass(frozen=True, slots=True)
class NotFound:
    """No lock below the prefixes has such a key, or a key on such a lease."""

    attached: int | None
    """The number of keys on the lease; None where a key was named."""


@dataclass(frozen=True, slots=True)
class TooYoung:
    """It is not proven to be held for the requested time."""

    at_least_s: float
    asked_s: float


@dataclass(frozen=True, slots=True)
class KeysUnseen:
    """The keys that a revocation would delete could not be read."""

    reason: str | None
    """The error message; None where etcd does not show this user every key on the lease."""


@dataclass(frozen=True, slots=True)
class TooManyKeys:
    """The lease has more keys than may be deleted at once."""

    keys: int
    limit: int


@dataclass(frozen=True, slots=True)
class OutsideKeys:
    """Keys outside the prefixes are on the lease."""

    keys: int
    first: bytes


@dataclass(frozen=True, slots=True)
class UnjudgedKeys:
    """Keys without a leak verdict are on the lease: of other locks, or of no lock."""

    keys: int
    first: bytes


@dataclass(frozen=True, slots=True)
class NothingToRelease:
    """The lease has no keys; only a revocation has an effect on it."""


@dataclass(frozen=True, slots=True)
class QueuePositionLost:
    """The lock's queue is ordered by last write: a quarantined hold loses its place."""


@dataclass(frozen=True, slots=True)
class AlarmForbids:
    """While an alarm is raised, etcd refuses the action."""

    alarm: str


@dataclass(frozen=True, slots=True)
class LeaseGoneAlready:
    """The lease has ended."""


@dataclass(frozen=True, slots=True)
class LeaderChangedSince:
    """There is a new leader, which reset every lease."""

    before: int
    now: int


@dataclass(frozen=True, slots=True)
class TtlChanged:
    """The lease ID was granted again."""

    before_s: int | None
    now_s: int


@dataclass(frozen=True, slots=True)
class KeyAdded:
    """A key was put onto the lease."""

    key: bytes


@dataclass(frozen=True, slots=True)
class KeyGone:
    """A key is gone: its client has released it, or another client has deleted it."""

    key: bytes


@dataclass(frozen=True, slots=True)
class KeyRecreated:
    """The key was deleted and written again: another hold."""

    key: bytes


@dataclass(frozen=True, slots=True)
class KeyRewritten:
    """The key was rewritten or put onto another lease: its client might be at work."""

    key: bytes


@dataclass(frozen=True, slots=True)
class HolderChanged:
    """Another key holds the lock, or a former waiter holds it now."""

    lock: bytes
    now: bytes | None
    """The key that holds it."""


Change: TypeAlias = (
    LeaseGoneAlready
    | LeaderChangedSince
    | TtlChanged
    | KeyAdded
    | KeyGone
    | KeyRecreated
    | KeyRewritten
    | HolderChanged
    | KeysUnseen
)
"""How the present state differs from the plan."""


RefusalReason: TypeAlias = (
    NotJudged
    | AcceptedFinding
    | HolderIsWaiting
    | KindUnknown
    | NotFound
    | TooYoung
    | TooManyKeys
    | OutsideKeys
    | UnjudgedKeys
    | NothingToRelease
    | QueuePositionLost
    | AlarmForbids
    | Change
)
"""Why a target is not planned."""


class FailureKind(enum.Enum):
    """Why an action failed where no error message says it."""

    CUT_OFF = "cut-off"
    """The run was interrupted a second time before the answer came."""
    LEASE_NOT_READ = "lease-not-read"
    """The lease could not be read again."""
    NEW_LEASE_ENDED = "new-lease-ended"
    """The lease onto which keys were restored has ended."""
    STOPPED = "stopped"
    """The run was ended before the first write."""
    JOURNAL_NEWER = "journal-newer"
    """A newer version wrote the journal, so the actions of today cannot be counted."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure without an error message of its own."""

    kind: FailureKind
    detail: str = ""
    """The cause, where there is one: a message, or the name of a signal."""


FailureReason: TypeAlias = str | Failure
"""An error message of etcd, the connection or the journal; else a failure by its kind."""
