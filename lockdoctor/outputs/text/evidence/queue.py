"""Words for evidence on a lock's queue: hand-overs, waiters, attempts that gave up."""

from __future__ import annotations

from lockdoctor.domain.evidence.queue import (
    Blocks,
    GaveUp,
    HandedOver,
    NoHandOver,
    PossibleAbandonedKey,
    Waiters,
)
from lockdoctor.outputs.text.evidence.entry import entry
from lockdoctor.outputs.text.values import at_least, count, duration, times


def _handed_over(evidence: HandedOver) -> str:
    watched = duration(evidence.watched_s)
    return f"It was released {times(evidence.releases)} in the {watched} that it was watched."


def _waiters(evidence: Waiters) -> str:
    text = f"{count(evidence.waiters, 'waiter')} {'waits' if evidence.waiters == 1 else 'wait'}"
    if evidence.longest_at_least_s <= 0:
        return f"{text} for it."
    who = "" if evidence.waiters == 1 else " the longest"
    return f"{text} for it,{who} for at least {at_least(evidence.longest_at_least_s)}."


def _waiters_clause(evidence: Waiters) -> str:
    waiters = count(evidence.waiters, "waiter")
    return f"{waiters}, the longest wait at least {at_least(evidence.longest_at_least_s)}"


def _gave_up(evidence: GaveUp) -> str:
    attempts = count(evidence.attempts, "attempt")
    return f"{attempts} on it gave up in {duration(evidence.watched_s)}."


def _abandoned_key(evidence: PossibleAbandonedKey) -> str:
    signs = []
    if evidence.unclosed:
        attempts = count(evidence.unclosed, "attempt")
        signs.append(f"{attempts} on it gave up and left their sessions open")
    if evidence.gave_up_elsewhere:
        signs.append("the holder's own session gave up on another lock")
    return (
        f"A possibility, not a proof: {' and '.join(signs)}, so the holder may be such an attempt,"
        " whose key reached etcd after it had given up. Nobody would release it."
    )


def _blocks(evidence: Blocks) -> str:
    text = f"It blocks {count(evidence.waiters, 'waiter')} in all"
    if not evidence.locks:
        return f"{text}."
    if evidence.locks == 1:
        return f"{text}: 1 other lock is stuck behind it, because its holder waits."
    return f"{text}: {evidence.locks:,} other locks are stuck behind it: their holders wait."


ENTRIES = (
    entry(  # Held has the duration
        NoHandOver,
        "no-hand-over",
        "It has not been released since it was first seen.",
        "never released",
    ),
    entry(HandedOver, "handed-over", _handed_over),
    entry(Waiters, "waiting", _waiters, _waiters_clause),
    entry(GaveUp, "gave-up", _gave_up, lambda evidence: f"{evidence.attempts:,} gave up waiting"),
    entry(PossibleAbandonedKey, "possible-phantom", _abandoned_key),
    entry(Blocks, "blocks", _blocks),
)
