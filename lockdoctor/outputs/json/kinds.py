"""The names of evidence and of reasons in documents: a renamed class keeps its name there."""

from __future__ import annotations

from collections.abc import Mapping

from lockdoctor.domain.evidence import Evidence
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
from lockdoctor.domain.treatment.reasons import (
    AcceptedAsIs,
    AlarmForbids,
    Change,
    Danger,
    HolderChanged,
    HolderIsStuck,
    KeyAdded,
    KeyGone,
    KeyRewritten,
    KeysUnseen,
    KeyTakenAnew,
    KindUnknown,
    LeaderChangedSince,
    LeaseGoneAlready,
    LosesPlace,
    NotFound,
    NothingToRelease,
    NotJudged,
    OutsideKeys,
    TooManyKeys,
    TooYoung,
    TtlChanged,
)
from lockdoctor.domain.treatment.reasons import OtherKeys as OtherKeysReason

EVIDENCE_KINDS: Mapping[type[Evidence], str] = {
    Renewed: "renewed",
    Held: "held",
    EstimatedAge: "estimated-age",
    Weighed: "weighed",
    ClaimedAge: "claimed-age",
    NoHandOver: "no-hand-over",
    HandedOver: "handed-over",
    Waiting: "waiting",
    GaveUp: "gave-up",
    NoLease: "no-lease",
    ForeignHolder: "foreign-holder",
    NotRenewed: "not-renewed",
    LeaseEnded: "lease-ended",
    Expired: "expired",
    ListedButGone: "listed-but-gone",
    LostItsLease: "lost-its-lease",
    OtherKeys: "other-keys",
    PossiblePhantom: "possible-phantom",
    LateRenewal: "late-renewal",
    LongTtl: "long-ttl",
    ByDesign: "by-design",
    Rewritten: "rewritten",
    WithinLimit: "within-limit",
    Unobservable: "unobservable",
    Unread: "unread",
    UnknownShape: "unknown-shape",
    QueueCut: "queue-cut",
    LeaderChanged: "leader-changed",
    SessionsGrew: "sessions-grew",
    SessionsAlike: "sessions-alike",
    FromGivenUpAttempts: "from-given-up-attempts",
    SessionsIdle: "sessions-idle",
    Forecast: "forecast",
    Standing: "standing",
    KeptAliveBy: "kept-alive-by",
    LiveSessions: "live-sessions",
    FromElsewhere: "from-elsewhere",
    ServerCounted: "server-counted",
    WaitCircle: "wait-circle",
    LeastHarm: "least-harm",
    NoSingleWayOut: "no-single-way-out",
    Blocks: "blocks",
    HolderWaits: "holder-waits",
    Keyless: "keyless",
}
"""Of each kind of evidence, its `kind` in JSON; described in docs/json.md."""

REASON_KINDS: Mapping[type[Change | Danger], str] = {
    LeaseGoneAlready: "lease-gone-already",
    LeaderChangedSince: "leader-changed-since",
    TtlChanged: "ttl-changed",
    KeyAdded: "key-added",
    KeyGone: "key-gone",
    KeyTakenAnew: "key-taken-anew",
    KeyRewritten: "key-rewritten",
    HolderChanged: "holder-changed",
    KeysUnseen: "keys-unseen",
    NotJudged: "not-judged",
    AcceptedAsIs: "accepted-as-is",
    HolderIsStuck: "holder-is-stuck",
    KindUnknown: "kind-unknown",
    NotFound: "not-found",
    TooYoung: "too-young",
    TooManyKeys: "too-many-keys",
    OutsideKeys: "outside-keys",
    OtherKeysReason: "other-keys",
    NothingToRelease: "nothing-to-release",
    LosesPlace: "loses-place",
    AlarmForbids: "alarm-forbids",
}
"""Of each reason why a target is refused, its `kind` in JSON."""
