"""At least one example of every kind of evidence."""

from __future__ import annotations

import dataclasses

from lockdoctor.domain.evidence import Evidence
from lockdoctor.domain.evidence.age import (
    ClaimedAge,
    EstimatedAge,
    Held,
    SeenInEarlierRuns,
    WithinLimit,
)
from lockdoctor.domain.evidence.deadlock import (
    CheapestBreak,
    CycleEdge,
    HolderWaits,
    NoSingleBreak,
    WaitCycle,
)
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
from lockdoctor.domain.evidence.leak_score import IndicatorScore, LeakIndicator, LeakScore
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
from lockdoctor.domain.model.leases import LeaseId
from tests.factories.processes import WITNESS_EVIDENCE
from tests.factories.reports import (
    NOON,
)

RING = (
    CycleEdge(LeaseId(0xA2), b"/my-lock/a", LeaseId(0xA1), is_holder=True),
    CycleEdge(LeaseId(0xA1), b"/my-lock/b", LeaseId(0xA2), is_holder=True),
)

EVIDENCE: tuple[Evidence, ...] = (
    Renewed(3, 45.2, 20.4),
    Renewed(1, 25.0, None),
    Held(45.9, None),
    Held(3600, 7200),
    Held(0, None),
    Held(0, 45.2),
    EstimatedAge(12_000.0, 24_000, 2.0),
    LeakScore(
        4,
        3,
        (IndicatorScore(LeakIndicator.GAVE_UP, 3), IndicatorScore(LeakIndicator.WAITED, 1)),
    ),
    LeakScore(-2, 3, (IndicatorScore(LeakIndicator.LOOKS_YOUNG, -2),)),
    LeakScore(
        -1,
        3,
        (
            IndicatorScore(LeakIndicator.WAITED, 1),
            IndicatorScore(LeakIndicator.LOOKS_YOUNG, -2),
        ),
    ),
    ClaimedAge(7200),
    ClaimedAge(-3.0),
    NoHandOver(45.2),
    HandedOver(2, 45.2),
    Waiters(4, 45.2),
    Waiters(1, 45.2),
    Waiters(1, 0.0),
    GaveUp(2, 45.2),
    NoLease(in_lock_shape=True),
    NoLease(in_lock_shape=False),
    ForeignHolder(b"/a/b\n"),
    NotRenewed(25.8, 33.1, 60),
    LeaseEnded(),
    Expired(1, 12.0),
    Expired(57, 12.0),
    ListedNotFound(1, 6.2),
    ListedNotFound(57, 6.2),
    KeyWithoutLease(6.2),
    OtherKeys(2, (b"/a", b"/b\n")),
    OtherKeys(3_000, (b"/a",)),
    PossibleAbandonedKey(2, gave_up_elsewhere=True),
    PossibleAbandonedKey(0, gave_up_elsewhere=True),
    LateRenewal(4.6, 60),
    LongTtl(3600, 600.0),
    ByDesign("election"),
    ByDesign("registration"),
    Rewritten(2, 25.0),
    WithinLimit(300.0),
    Unobservable(602.4, 900),
    ReadFailed("permission\x1b denied"),
    UnknownRecipe(),
    QueueCut(),
    LeaderChanged(1),
    SessionsGrew(3, 1_040, 45.2, 3, new=1_037, ended=0, over_runs=False),
    SessionsGrew(0, 4, 45.2, 1, new=4, ended=0, over_runs=False),
    SessionsGrew(2, 5, 900.0, 3, new=4, ended=1, over_runs=True),
    SessionsAlike(1_040, "8e9e05c52164694d", "694d", 60, 20.4, NOON),
    SessionsAlike(1, None, "694d", 60, None, None),
    SessionsAlike(2, None, None, 30, 10.0, None),
    AbandonedSessions(30),
    AbandonedSessions(1),
    SessionsIdle(3, 700.9, 600.0),
    SessionsIdle(1, 700.9, 600.0),
    SeenInEarlierRuns(4, 10_800.0, NOON - 10_800.0),
    *WITNESS_EVIDENCE,
    WaitCycle(RING, 2, 45.2),
    WaitCycle((RING[0], dataclasses.replace(RING[1], is_holder=False)), 2, 0.0),
    WaitCycle(RING[:1], 1, 45.2),
    CheapestBreak(LeaseId(0xA1), 1, 2),
    NoSingleBreak(),
    Blocks(2, 0),
    Blocks(5, 1),
    HolderWaits(b"/my-lock/\x1b"),
    Keyless(),
)
