"""Why a target is not in the plan, or is refused when it is read again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from lockdoctor.domain.evidence.verdicts import VerdictKind


@dataclass(frozen=True, slots=True)
class NotJudged:
    """It was not judged leaked."""

    verdict: VerdictKind | None
    """What it was judged; None where nothing was concluded."""


@dataclass(frozen=True, slots=True)
class AcceptedFinding:
    """Somebody has accepted it in lockdoctor.toml."""

    until: str
    reason: str


@dataclass(frozen=True, slots=True)
class HolderIsWaiting:
    """The session that holds it waits for another lock itself."""

    behind: bytes


@dataclass(frozen=True, slots=True)
class KindUnknown:
    """Neither the key's layout nor the policy says that it is a lock's."""

    key: bytes


@dataclass(frozen=True, slots=True)
class NotFound:
    """No lock below the prefixes has such a key, or a key on such a lease."""

    attached: int | None
    """So many keys are on the lease; None where a key was named."""


@dataclass(frozen=True, slots=True)
class TooYoung:
    """It is not proven to be held for as long as was asked for."""

    at_least_s: float
    asked_s: float


@dataclass(frozen=True, slots=True)
class KeysUnseen:
    """Nobody can say what a revocation would delete."""

    reason: str


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
    """Keys that nobody judged leaked are on the lease: of other locks, or of none."""

    keys: int
    first: bytes


@dataclass(frozen=True, slots=True)
class NothingToRelease:
    """The lease has no keys; only a revocation does anything to it."""


@dataclass(frozen=True, slots=True)
class QueuePositionLost:
    """The lock's queue goes by the last write: in quarantine the hold would lose its place."""


@dataclass(frozen=True, slots=True)
class AlarmForbids:
    """Etcd refuses what it takes while an alarm is raised."""

    alarm: str


@dataclass(frozen=True, slots=True)
class LeaseGoneAlready:
    """The lease has ended."""


@dataclass(frozen=True, slots=True)
class LeaderChangedSince:
    """Another leader took office, which reset every lease."""

    before: int
    now: int


@dataclass(frozen=True, slots=True)
class TtlChanged:
    """The lease ID was granted anew."""

    before_s: int | None
    now_s: int


@dataclass(frozen=True, slots=True)
class KeyAdded:
    """A key came onto the lease."""

    key: bytes


@dataclass(frozen=True, slots=True)
class KeyGone:
    """A key is no more: its client has released it, or somebody has deleted it."""

    key: bytes


@dataclass(frozen=True, slots=True)
class KeyRecreated:
    """The key was deleted and written again: another hold."""

    key: bytes


@dataclass(frozen=True, slots=True)
class KeyRewritten:
    """The key was written again, or put onto another lease: its client may be at work."""

    key: bytes


@dataclass(frozen=True, slots=True)
class HolderChanged:
    """Somebody else holds the lock, or the one that waited holds it now."""

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
"""How something differs from what was shown."""


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
"""Why something is not planned."""
