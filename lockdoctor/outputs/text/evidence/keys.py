"""Words for evidence on keys: their kind, and other keys on their lease."""

from __future__ import annotations

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
from lockdoctor.outputs.text.evidence.entry import entry
from lockdoctor.outputs.text.values import brief, count, duration, times


def _no_lease(evidence: NoLease) -> str:
    text = "The key has no lease, so etcd never deletes it by itself"
    if evidence.in_lock_shape:
        return f"{text}."
    return f"{text}. lockdoctor cannot tell whether it is a lock: it might be data."


def _foreign_holder(evidence: ForeignHolder) -> str:
    return (
        f"{brief(evidence.key)} blocks the queue but is not a waiter. Go's Mutex waits for every"
        " older key below the lock's name."
    )


def _other_keys(evidence: OtherKeys) -> str:
    shown = ", ".join(map(brief, evidence.keys))
    more = evidence.count - len(evidence.keys)
    rest = f" and {more:,} more" if more > 0 else ""
    keys = count(evidence.count, "key")
    return f"The lease also has {keys} outside the lock, which a revoke deletes: {shown}{rest}."


def _by_design(evidence: ByDesign) -> str:
    article = "an" if evidence.key_kind.startswith("e") else "a"
    return f"This is {article} {evidence.key_kind}: held as long as its process runs, by design."


def _rewritten(evidence: Rewritten) -> str:
    return (
        f"The client wrote the key again {times(evidence.times)} in"
        f" {duration(evidence.watched_s)}, with a new lease."
    )


ENTRIES = (
    entry(NoLease, "no-lease", _no_lease, "never expires"),
    entry(ForeignHolder, "foreign-holder", _foreign_holder),
    entry(OtherKeys, "other-keys", _other_keys),
    entry(ByDesign, "by-design", _by_design),
    entry(Rewritten, "rewritten", _rewritten),
    entry(
        UnknownRecipe,
        "unknown-shape",
        "lockdoctor cannot tell whether this key is a lock: other programs write such keys, too.",
    ),
    entry(
        QueueCut,
        "queue-cut",
        "The prefix might cut this lock's queue, so its holder is unknown.",
    ),
    entry(Keyless, "keyless", "The lease has no key."),
)
