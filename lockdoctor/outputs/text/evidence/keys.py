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
from lockdoctor.outputs.text.values import brief, count, duration, printable, times


def _no_lease(evidence: NoLease) -> str:
    text = "The key has no lease, so etcd never deletes it by itself"
    if evidence.in_lock_shape:
        return f"{text}."
    return f"{text}. lockdoctor cannot tell whether it is a lock: it might be data."


def _foreign_holder(evidence: ForeignHolder) -> str:
    return (
        f"What blocks the queue is no contender: {printable(evidence.key)} merely lies below the"
        " lock's name, and Go's Mutex waits for every older key there."
    )


def _other_keys(evidence: OtherKeys) -> str:
    shown = ", ".join(map(brief, evidence.keys))
    more = evidence.count - len(evidence.keys)
    rest = f" and {more:,} more" if more > 0 else ""
    keys = count(evidence.count, "key")
    return f"The lease also carries {keys} outside the lock, which would go with it: {shown}{rest}."


def _by_design(evidence: ByDesign) -> str:
    article = "an" if evidence.key_kind.startswith("e") else "a"
    return f"It is {article} {evidence.key_kind}: kept as long as its process lives, by design."


def _rewritten(evidence: Rewritten) -> str:
    return (
        f"Its client wrote the key again {times(evidence.times)} in"
        f" {duration(evidence.watched_s)}, onto a fresh lease."
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
        "lockdoctor cannot tell whether this key is a lock: other programs write keys like it,"
        " too.",
    ),
    entry(
        QueueCut,
        "queue-cut",
        "The scanned prefix may leave out contenders of this lock, so nobody can be called its"
        " holder.",
    ),
    entry(Keyless, "keyless", "The lease carries no key."),
)
