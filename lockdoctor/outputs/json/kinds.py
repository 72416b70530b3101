"""The names of evidence and of reasons in JSON, which outlast a class's name."""

from __future__ import annotations

from collections.abc import Mapping

from lockdoctor.domain.evidence import Evidence
from lockdoctor.domain.evidence.age import (
    ClaimedAge,
    EstimatedAge,
    Forecast,
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
from lockdoctor.domain.treatment.reasons import (
    AcceptedFinding,
    AlarmForbids,
    Change,
    HolderChanged,
    HolderIsWaiting,
    KeyAdded,
    KeyGone,
    KeyRecreated,
    KeyRewritten,
    KeysUnseen,
    KindUnknown,
    LeaderChangedSince,
    LeaseGoneAlready,
    NotFound,
    NothingToRelease,
    NotJudged,
    OutsideKeys,
    QueuePositionLost,
    RefusalReason,
    TooManyKeys,
    TooYoung,
    TtlChanged,
)
from lockdoctor.domain.treatment.reasons import UnjudgedKeys as OtherKeysReason

EVIDENCE_KINDS: Mapping[type[Evidence], str] = {
    Renewed: "renewed",
    Held: "held",
    EstimatedAge: "estimated-age",
    LeakScore: "weighed",
    ClaimedAge: "claimed-age",
    NoHandOver: "no-hand-over",
    HandedOver: "handed-over",
    Waiters: "waiting",
    GaveUp: "gave-up",
    NoLease: "no-lease",
    ForeignHolder: "foreign-holder",
    NotRenewed: "not-renewed",
    LeaseEnded: "lease-ended",
    Expired: "expired",
    ListedNotFound: "listed-but-gone",
    KeyWithoutLease: "lost-its-lease",
    OtherKeys: "other-keys",
    PossibleAbandonedKey: "possible-phantom",
    LateRenewal: "late-renewal",
    LongTtl: "long-ttl",
    ByDesign: "by-design",
    Rewritten: "rewritten",
    WithinLimit: "within-limit",
    Unobservable: "unobservable",
    ReadFailed: "unread",
    UnknownRecipe: "unknown-shape",
    QueueCut: "queue-cut",
    LeaderChanged: "leader-changed",
    SessionsGrew: "sessions-grew",
    SessionsAlike: "sessions-alike",
    AbandonedSessions: "from-given-up-attempts",
    SessionsIdle: "sessions-idle",
    Forecast: "forecast",
    SeenInEarlierRuns: "standing",
    KeptAliveBy: "kept-alive-by",
    ProcessSessions: "live-sessions",
    UnattributedSessions: "from-elsewhere",
    ServerCounted: "server-counted",
    WaitCycle: "wait-circle",
    CheapestBreak: "least-harm",
    NoSingleBreak: "no-single-way-out",
    Blocks: "blocks",
    HolderWaits: "holder-waits",
    Keyless: "keyless",
}
"""The `kind` in JSON of each kind of evidence; described in docs/json.md."""

REASON_KINDS: Mapping[type[Change | RefusalReason], str] = {
    LeaseGoneAlready: "lease-gone-already",
    LeaderChangedSince: "leader-changed-since",
    TtlChanged: "ttl-changed",
    KeyAdded: "key-added",
    KeyGone: "key-gone",
    KeyRecreated: "key-taken-anew",
    KeyRewritten: "key-rewritten",
    HolderChanged: "holder-changed",
    KeysUnseen: "keys-unseen",
    NotJudged: "not-judged",
    AcceptedFinding: "accepted-as-is",
    HolderIsWaiting: "holder-is-stuck",
    KindUnknown: "kind-unknown",
    NotFound: "not-found",
    TooYoung: "too-young",
    TooManyKeys: "too-many-keys",
    OutsideKeys: "outside-keys",
    OtherKeysReason: "other-keys",
    NothingToRelease: "nothing-to-release",
    QueuePositionLost: "loses-place",
    AlarmForbids: "alarm-forbids",
}
"""The `kind` in JSON of each reason for a refusal."""
