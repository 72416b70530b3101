"""Words for evidence on keys: their kind, and other keys on their lease."""

from __future__ import annotations

from lockdoctor.domain.evidence import keys
from lockdoctor.outputs.text.evidence.entry import entry
from lockdoctor.outputs.text.values import brief, count, duration, times


def _no_lease(evidence: keys.NoLease) -> str:
    text = "The key has no lease, so etcd never deletes it by itself"
    if evidence.in_lock_shape:
        return f"{text}."
    return f"{text}. lockdoctor cannot tell whether it is a lock: it might be data."


def _other_keys(evidence: keys.OtherKeys) -> str:
    shown = ", ".join(map(brief, evidence.keys))
    more = evidence.count - len(evidence.keys)
    rest = f" and {more:,} more" if more > 0 else ""
    keys = count(evidence.count, "key")
    return f"The lease also has {keys} outside the lock, which a revoke deletes: {shown}{rest}."


def _by_design(evidence: keys.ByDesign) -> str:
    article = "an" if evidence.key_kind.startswith("e") else "a"
    return f"This is {article} {evidence.key_kind}: held as long as its process runs, by design."


ENTRIES = (
    entry(keys.NoLease, "no-lease", _no_lease, "never expires"),
    entry(
        keys.ForeignHolder,
        "foreign-holder",
        lambda e: (
            f"{brief(e.key)} blocks the queue but is not a waiter. Go's Mutex waits for every"
            " older key below the lock's name."
        ),
    ),
    entry(keys.OtherKeys, "other-keys", _other_keys),
    entry(keys.ByDesign, "by-design", _by_design),
    entry(
        keys.Rewritten,
        "rewritten",
        lambda e: (
            f"The client wrote the key again {times(e.times)} in"
            f" {duration(e.watched_s)}, with a new lease."
        ),
    ),
    entry(
        keys.UnknownRecipe,
        "unknown-shape",
        "lockdoctor cannot tell whether this key is a lock: other programs write such keys, too.",
    ),
    entry(
        keys.QueueCut,
        "queue-cut",
        "The prefix might cut this lock's queue, so its holder is unknown.",
    ),
    entry(keys.Keyless, "keyless", "The lease has no key."),
)
