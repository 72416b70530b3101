"""Words for evidence on deadlocks."""

from __future__ import annotations

from lockdoctor.domain.evidence.deadlock import CheapestBreak, HolderWaits, NoSingleBreak, WaitCycle
from lockdoctor.domain.model.leases import hex_id
from lockdoctor.outputs.text.evidence.entry import entry
from lockdoctor.outputs.text.values import at_least, brief, count


def _cycle(evidence: WaitCycle) -> str:
    text = "The session waits behind a key of its own"
    if len(evidence.ring) > 1:
        text = f"{count(evidence.sessions, 'session')} wait for one another in a circle"
    seen = "seen once only, which does not prove that it lasts"
    if evidence.stood_s > 0:
        seen = f"unchanged for at least {at_least(evidence.stood_s)}"
    if all(wait.is_holder for wait in evidence.ring):
        return f"{text}, {seen}."
    return (
        f"{text}, {seen}; some only stand before another in a queue, and whoever holds that lock"
        " now is no part of it: freeing it does not undo the circle."
    )


def _cycle_clause(evidence: WaitCycle) -> str:
    if len(evidence.ring) == 1:
        return "it waits behind a key of its own"
    return f"{count(evidence.sessions, 'session')} wait for one another"


def _cheapest_break(evidence: CheapestBreak) -> str:
    waiters = count(evidence.waiters, "waiter") + (" waits" if evidence.waiters == 1 else " wait")
    return (
        f"Ending session {hex_id(evidence.lease)} undoes it with the least damage:"
        f" it has {count(evidence.keys, 'key')}, and {waiters} for what it holds."
    )


def _holder_waits(evidence: HolderWaits) -> str:
    return (
        f"Its holder's session itself waits for {brief(evidence.lock)}, which may be why it does"
        " not release."
    )


ENTRIES = (
    entry(WaitCycle, "wait-circle", _cycle, _cycle_clause),
    entry(CheapestBreak, "least-harm", _cheapest_break),
    entry(
        NoSingleBreak,
        "no-single-way-out",
        "No session undoes this alone: more than one of them has to end.",
    ),
    entry(HolderWaits, "holder-waits", _holder_waits),
)
