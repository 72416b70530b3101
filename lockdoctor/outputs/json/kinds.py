"""The names of reasons in JSON, which outlast a class's name."""

from __future__ import annotations

from collections.abc import Mapping

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
