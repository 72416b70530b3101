"""Returns sentences for the unattended treatment of a check."""

from __future__ import annotations

from collections.abc import Iterator

from lockdoctor.domain.model.leases import hex_id
from lockdoctor.domain.treatment.results import TargetResult
from lockdoctor.domain.treatment.unattended import SkippedLock, UnattendedResult
from lockdoctor.outputs.text.treatment import name, outcome, sentences
from lockdoctor.outputs.text.values import count, safe


def summary(done: UnattendedResult) -> Iterator[str]:
    """Yield how many targets were treated, and a failure; empty without either."""
    if done.done:
        yield f"{count(done.done, 'lock')} treated unattended"
    if done.failure:
        yield f"treatment failed: {safe(done.failure)}"


def details(done: UnattendedResult) -> Iterator[str]:
    """Yield the outcome of each leaked lock, or why it was left alone."""
    for each in done.treated:
        entry = f" Entry {safe(each.entry_id)} of the journal." if each.entry_id else ""
        yield f"Treated, {_subject(each)}: {outcome(each)}{entry}"
        if each.unrecorded:
            yield f"Only begun in the journal: {safe(each.unrecorded)}"
    for refusal in done.refused:
        about = name(refusal.lock or refusal.key or b"")
        yield f"Not treated, {about}: {sentences(refusal.dangers)}"
    for spared in done.spared:
        yield f"Not treated, {name(lock_of(spared))}: {spared.why.value}."
    if done.failure:
        yield f"Treatment failed: {safe(done.failure)}"


def _subject(treated: TargetResult) -> str:
    target = treated.target
    locks = ", ".join(name(stake.lock.name) for stake in target.stakes)
    return f"{locks}, lease {hex_id(target.lease_id)}, {target.action.value}"


def lock_of(spared: SkippedLock) -> bytes:
    """Return the name of the lock that was left alone."""
    return spared.finding.lock.lock.name if spared.finding.lock else b""
