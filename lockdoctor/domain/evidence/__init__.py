"""The evidence behind a verdict: data with its numbers, which the outputs word."""

from __future__ import annotations

from typing import TypeAlias

from lockdoctor.domain.evidence.age import (
    ClaimedAge,
    EstimatedAge,
    Held,
    SeenInEarlierRuns,
    WithinLimit,
)
from lockdoctor.domain.evidence.deadlock import CheapestBreak, HolderWaits, NoSingleBreak, WaitCycle
from lockdoctor.domain.evidence.keys import (
    ByDesign,
    ForeignHolder,
    Keyless,
    NoLease,
    OtherKeys,
    QueueCut,
    Rewritten,
    UnknownRecipe,
)
from lockdoctor.domain.evidence.leak_score import LeakScore
from lockdoctor.domain.evidence.processes import (
    KeptAliveBy,
    ProcessSessions,
    ServerCounted,
    UnattributedSessions,
)
from lockdoctor.domain.evidence.queue import (
    Blocks,
    GaveUp,
    HandedOver,
    NoHandOver,
    PossibleAbandonedKey,
    Waiters,
)
from lockdoctor.domain.evidence.renewals import (
    Expired,
    KeyWithoutLease,
    LateRenewal,
    LeaderChanged,
    LeaseEnded,
    ListedNotFound,
    LongTtl,
    NotRenewed,
    ReadFailed,
    Renewed,
    Unobservable,
)
from lockdoctor.domain.evidence.sessions import (
    AbandonedSessions,
    SessionsAlike,
    SessionsGrew,
    SessionsIdle,
)

Evidence: TypeAlias = (
    Renewed
    | Held
    | EstimatedAge
    | LeakScore
    | ClaimedAge
    | NoHandOver
    | HandedOver
    | Waiters
    | GaveUp
    | NoLease
    | ForeignHolder
    | NotRenewed
    | LeaseEnded
    | Expired
    | ListedNotFound
    | KeyWithoutLease
    | OtherKeys
    | PossibleAbandonedKey
    | LateRenewal
    | LongTtl
    | ByDesign
    | Rewritten
    | WithinLimit
    | Unobservable
    | ReadFailed
    | UnknownRecipe
    | QueueCut
    | LeaderChanged
    | SessionsGrew
    | SessionsAlike
    | AbandonedSessions
    | SessionsIdle
    | SeenInEarlierRuns
    | KeptAliveBy
    | ProcessSessions
    | UnattributedSessions
    | ServerCounted
    | WaitCycle
    | CheapestBreak
    | NoSingleBreak
    | Blocks
    | HolderWaits
    | Keyless
)
"""One fact that was read; every output can word it."""
