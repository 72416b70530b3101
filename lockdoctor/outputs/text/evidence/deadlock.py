"""Words for evidence on deadlocks."""

from __future__ import annotations

from lockdoctor.domain.evidence.deadlock import CheapestBreak, HolderWaits, NoSingleBreak, WaitCycle
from lockdoctor.domain.model.leases import hex_id
from lockdoctor.outputs.text.evidence.entry import entry
from lockdoctor.outputs.text.values import at_least, brief, count


def _cycle(evidence: WaitCycle) -> str:
    text = "The session waits behind a key of its own"
    if len(evidence.ring) > 1:
        text = f"{count(evidence.sessions, 'session')} wait for each other in a cycle"
    if evidence.stood_s > 0:
        text += f", unchanged for at least {at_least(evidence.stood_s)}."
    else:
        text += ". Read only once, so the cycle might not last."
    if all(wait.is_holder for wait in evidence.ring):
        return text
    return (
        f"{text} Some are only ahead of another session in a queue. The holder of that lock is not"
        " part of the cycle, so a release by that holder does not end it."
    )


def _cycle_clause(evidence: WaitCycle) -> str:
    if len(evidence.ring) == 1:
        return "it waits behind a key of its own"
    return f"{count(evidence.sessions, 'session')} wait for each other"


def _cheapest_break(evidence: CheapestBreak) -> str:
    waiters = count(evidence.waiters, "waiter") + (" waits" if evidence.waiters == 1 else " wait")
    return (
        f"Revoking lease {hex_id(evidence.lease)} ends this deadlock with the least damage"
        f" ({count(evidence.keys, 'key')} deleted; {waiters} for its locks)."
    )


ENTRIES = (
    entry(WaitCycle, "wait-circle", _cycle, _cycle_clause),
    entry(CheapestBreak, "least-harm", _cheapest_break),
    entry(
        NoSingleBreak,
        "no-single-way-out",
        "Revoking one lease does not end this deadlock. More than one session has to end.",
    ),
    entry(
        HolderWaits,
        "holder-waits",
        lambda e: (
            f"The holder's session itself waits for {brief(e.lock)}. This might be why it does"
            " not release."
        ),
    ),
)
