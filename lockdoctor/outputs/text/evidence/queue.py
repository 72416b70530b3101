"""Words the evidence on a queue: hand-overs, waiters, attempts."""

from __future__ import annotations

from lockdoctor.domain.evidence import queue
from lockdoctor.outputs.text.evidence.entry import entry
from lockdoctor.outputs.text.values import at_least, count, duration, times


def _waiters(evidence: queue.Waiters) -> str:
    text = f"{count(evidence.waiters, 'waiter')} {'waits' if evidence.waiters == 1 else 'wait'}"
    if evidence.longest_at_least_s <= 0:
        return f"{text} for this lock."
    who = "" if evidence.waiters == 1 else " the longest"
    return f"{text} for this lock,{who} for at least {at_least(evidence.longest_at_least_s)}."


def _waiters_clause(evidence: queue.Waiters) -> str:
    text = count(evidence.waiters, "waiter")
    if evidence.longest_at_least_s <= 0:
        return text
    who = "" if evidence.waiters == 1 else "the longest "
    return f"{text}, {who}for at least {at_least(evidence.longest_at_least_s)}"


def _gave_up(evidence: queue.GaveUp) -> str:
    attempts = count(evidence.attempts, "attempt")
    return f"{attempts} on this lock gave up in {duration(evidence.watched_s)}."


def _abandoned_key(evidence: queue.PossibleAbandonedKey) -> str:
    text = "Possible, not proven: the holder is an abandoned key."
    if evidence.unclosed:
        attempts = count(evidence.unclosed, "attempt")
        text += f" {attempts} on this lock gave up and left their sessions open."
    if evidence.gave_up_elsewhere:
        text += " The holder's own session gave up on another lock."
    return f"{text} No client would release the key."


def _blocks(evidence: queue.Blocks) -> str:
    text = f"This lock blocks {count(evidence.waiters, 'waiter')} in total."
    if not evidence.locks:
        return text
    if evidence.locks == 1:
        return f"{text} 1 other lock is blocked behind it, because its holder waits."
    return (
        f"{text} {evidence.locks:,} other locks are blocked behind it, because their holders wait."
    )


ENTRIES = (
    entry(  # Held has the duration
        queue.NoHandOver, "no-hand-over", "Not released since it was first read.", "not released"
    ),
    entry(
        queue.HandedOver,
        "handed-over",
        lambda e: f"Released {times(e.releases)} in {duration(e.watched_s)}.",
    ),
    entry(queue.Waiters, "waiting", _waiters, _waiters_clause),
    entry(queue.GaveUp, "gave-up", _gave_up, lambda e: f"{count(e.attempts, 'attempt')} gave up"),
    entry(queue.PossibleAbandonedKey, "possible-phantom", _abandoned_key),
    entry(queue.Blocks, "blocks", _blocks),
)
