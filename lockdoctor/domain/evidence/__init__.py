"""The pieces of evidence that carry a verdict: data with its numbers, worded by the outputs."""

from __future__ import annotations

from typing import TypeAlias

from lockdoctor.domain.evidence.age import (
    ClaimedAge,
    EstimatedAge,
    Forecast,
    Held,
    Standing,
    WithinLimit,
)
from lockdoctor.domain.evidence.deadlock import HolderWaits, LeastHarm, NoSingleWayOut, WaitCircle
from lockdoctor.domain.evidence.keys import (
    ByDesign,
    ForeignHolder,
    Keyless,
    NoLease,
    OtherKeys,
    QueueCut,
    Rewritten,
    UnknownShape,
)
from lockdoctor.domain.evidence.leak_score import Weighed
from lockdoctor.domain.evidence.processes import (
    FromElsewhere,
    KeptAliveBy,
    LiveSessions,
    ServerCounted,
)
from lockdoctor.domain.evidence.queue import (
    Blocks,
    GaveUp,
    HandedOver,
    NoHandOver,
    PossiblePhantom,
    Waiting,
)
from lockdoctor.domain.evidence.renewals import (
    Expired,
    LateRenewal,
    LeaderChanged,
    LeaseEnded,
    ListedButGone,
    LongTtl,
    LostItsLease,
    NotRenewed,
    Renewed,
    Unobservable,
    Unread,
)
from lockdoctor.domain.evidence.sessions import (
    FromGivenUpAttempts,
    SessionsAlike,
    SessionsGrew,
    SessionsIdle,
)

Evidence: TypeAlias = (
    Renewed
    | Held
    | EstimatedAge
    | Weighed
    | ClaimedAge
    | NoHandOver
    | HandedOver
    | Waiting
    | GaveUp
    | NoLease
    | ForeignHolder
    | NotRenewed
    | LeaseEnded
    | Expired
    | ListedButGone
    | LostItsLease
    | OtherKeys
    | PossiblePhantom
    | LateRenewal
    | LongTtl
    | ByDesign
    | Rewritten
    | WithinLimit
    | Unobservable
    | Unread
    | UnknownShape
    | QueueCut
    | LeaderChanged
    | SessionsGrew
    | SessionsAlike
    | FromGivenUpAttempts
    | SessionsIdle
    | Forecast
    | Standing
    | KeptAliveBy
    | LiveSessions
    | FromElsewhere
    | ServerCounted
    | WaitCircle
    | LeastHarm
    | NoSingleWayOut
    | Blocks
    | HolderWaits
    | Keyless
)
"""One thing that was seen; every output can word it."""
