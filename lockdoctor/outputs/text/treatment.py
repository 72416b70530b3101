"""Words treatments: outcomes, effects on clients, unattended results."""

from __future__ import annotations

from collections.abc import Iterator

from lockdoctor.domain.evidence import Evidence
from lockdoctor.domain.model.actions import Action, Result
from lockdoctor.domain.model.leases import NO_LEASE, hex_id
from lockdoctor.domain.treatment.journal_entry import Entry
from lockdoctor.domain.treatment.plan import Target
from lockdoctor.domain.treatment.restore_plan import RestorePlan
from lockdoctor.domain.treatment.results import ActionResult, AnyTarget, QueueState, Reacquired
from lockdoctor.domain.treatment.unattended import SkippedLock, UnattendedResult
from lockdoctor.outputs.text.evidence import sentence
from lockdoctor.outputs.text.refusals import (
    NOT_RESTORED,
    NOT_TREATED,
    change_text,
    failure_text,
    refusal_texts,
)
from lockdoctor.outputs.text.values import (
    at_least,
    count,
    duration,
    lease_name,
    name,
    safe,
    time,
    times,
)


class PlainTreatmentText:
    """A TreatmentText (see ports) in the words of a plan and of a journal."""

    def evidence(self, evidence: Evidence) -> str:
        """Return the sentence for one piece of evidence for an action."""
        return sentence(evidence)

    def outcome(self, result: ActionResult[AnyTarget]) -> str:
        """Return the sentence for the outcome of one action."""
        return outcome(result)


def outcome(treated: ActionResult[AnyTarget]) -> str:
    """Return the outcome of an action on a target, of an undo or of a restore."""
    if isinstance(treated.target, RestorePlan):
        return _restored(treated.target, treated)
    text = " ".join(_outcome(treated.target, treated))
    if treated.was_looked_up and treated.result is not Result.UNKNOWN:
        text += " No response arrived. The result was confirmed by reading etcd afterwards."
    return text


def old_client(target: Target) -> str:
    """Return the effect of an action on a client that still works as the holder."""
    if not target.approved_holds:
        return "Its client is notified at its next keep-alive that the session has ended."
    if not any(approved_hold.is_holder for approved_hold in target.approved_holds):
        return "Its client might keep waiting, and take the lock again."
    believes = (
        "The old client might keep working as if it held the lock. {} Stop the process. Until then,"
        " only fencing protects the guarded data."
    )
    match target.action:
        case Action.REVOKE:
            within = duration((target.granted_ttl_s or 0) / 3 + 0.5)
            return believes.format(
                f"A Go client is notified within {within}, but some programs ignore that."
            )
        case Action.RELEASE if target.lease_id != NO_LEASE:
            return believes.format("It is not notified, and its session is still renewed.")
        case _:
            return believes.format("It is not notified.")


def queue_after(queue: QueueState) -> str:
    """Return the sentence on a lock's holder after the action on the old one."""
    if queue.holder is None:
        return f"{name(queue.lock)} has no holder and no waiter now."
    who = "the next in the queue" if queue.was_waiting else "a client that was not waiting"
    return f"{name(queue.lock)} is held by {name(queue.holder)} now, {who}."


def reacquired(lock: Reacquired) -> str:
    """Return which lease took a freed lock again, and what that means."""
    text = (
        f"{name(lock.lock)} is held by lease {hex_id(lock.lease_id)}, renewed at least"
        f" {times(lock.renewals)} and not released in {at_least(lock.held_s)}"
    )
    if lock.was_waiting:
        return f"{text}. It was waiting for the lock, so it might be working."
    return f"{text}. It was not waiting: the leaking process might still run. Restart that process."


def restore_cautions(plan: RestorePlan) -> Iterator[str]:
    """Yield what to know before keys are restored."""
    if plan.entry.result is Result.UNKNOWN:
        yield (
            "The entry's outcome is unknown. Its client might have deleted a missing key itself."
        )
    if plan.ttl_s is None:
        yield (
            "The keys have no lease, so they stay until a client deletes them. To put them on a"
            " lease, add --ttl."
        )
    else:
        yield (
            "lockdoctor does not renew the new lease. The keys end with it, unless their clients"
            " write them again."
        )
    locks = [
        key
        for key in plan.keys
        if any(key.key.startswith(lock) for lock in plan.entry.intent.locks)
    ]
    if locks:
        others = " To restore only other keys, add --only KEY." if plan.keys[len(locks) :] else ""
        yield (
            "A lock's key is restored as a new hold. It waits behind newer keys, and then blocks"
            f" the lock.{others}"
        )


def _restored(plan: RestorePlan, restored: ActionResult[AnyTarget]) -> str:
    put = len(plan.keys) - len(restored.skipped)
    reasons = dict.fromkeys(NOT_RESTORED[skipped.why] for skipped in restored.skipped)
    why = f"; not the others: {', '.join(reasons)}" if reasons else ""
    return f"{put} of {len(plan.keys)} keys restored{why}"


def _outcome(target: Target | Entry, treated: ActionResult[AnyTarget]) -> Iterator[str]:
    match treated.result:
        case Result.DONE:
            yield _undone(target) if isinstance(target, Entry) else _done(target, treated)
        case Result.ALREADY_GONE:
            yield "Already done." if isinstance(target, Entry) else "Already gone."
        case Result.REFUSED | Result.FAILED:
            yield "etcd was not changed."
        case Result.PARTLY if isinstance(target, Target):
            yield f"{_holds(target)} deleted. The rest was not done."
        case Result.PARTLY:
            yield "Only some of the keys were restored."
        case Result.UNKNOWN:
            yield (
                "Outcome unknown: etcd might still apply the request. Check again before you retry."
            )
    yield from map(change_text, treated.changed)
    if treated.failure:
        yield f"{failure_text(treated.failure).rstrip('.')}."


def _undone(entry: Entry) -> str:
    lease_id = entry.intent.lease_id
    where = lease_name(lease_id)
    return f"The hold was restored, on {where}."


def _done(target: Target, treated: ActionResult[AnyTarget]) -> str:
    match target.action:
        case Action.QUARANTINE:
            until = time(treated.undo_until) if treated.undo_until else "?"
            return (
                f"{_holds(target)} moved to a lease of lockdoctor. It keeps its place in the queue"
                f" until {until}; then etcd deletes it."
            )
        case Action.REVOKE if not target.approved_holds:
            return f"Lease {hex_id(target.lease_id)} was revoked."
        case Action.REVOKE:
            more = count(len(target.others), "more key")
            along = f", and {more} with it" if target.others else ""
            return f"{_holds(target)} deleted, then lease {hex_id(target.lease_id)} revoked{along}."
        case _ if target.lease_id == NO_LEASE:
            return "The key was deleted."
        case _:
            return f"{_holds(target)} deleted. Lease {hex_id(target.lease_id)} was not revoked."


def _holds(target: Target) -> str:
    return (
        "The hold was"
        if len(target.approved_holds) == 1
        else f"The {len(target.approved_holds)} holds were"
    )


def unattended_summary(done: UnattendedResult) -> Iterator[str]:
    """Yield how many targets were treated, and a failure; empty without either."""
    if done.done:
        yield f"{count(done.done, 'lock')} treated unattended"
    if done.failure:
        yield f"treatment failed: {failure_text(done.failure)}"


def unattended_details(done: UnattendedResult) -> Iterator[str]:
    """Yield the outcome of each leaked lock, or why it was left alone."""
    for treated in done.treated:
        entry = f" Entry {safe(treated.entry_id)} of the journal." if treated.entry_id else ""
        yield f"Treated, {_subject(treated)}: {outcome(treated)}{entry}"
        if treated.unrecorded:
            yield f"The journal has only its beginning: {safe(treated.unrecorded)}"
    for refusal in done.refused:
        about = name(refusal.lock or refusal.key or b"")
        yield f"Not treated, {about}: {refusal_texts(refusal.reasons)}"
    for skipped in done.skipped:
        yield f"Not treated, {name(lock_of(skipped))}: {NOT_TREATED[skipped.why]}."
    if done.failure:
        yield f"Treatment failed: {failure_text(done.failure)}"


def _subject(treated: ActionResult[Target]) -> str:
    target = treated.target
    locks = ", ".join(name(approved_hold.lock.name) for approved_hold in target.approved_holds)
    return f"{locks}, lease {hex_id(target.lease_id)}, {target.action.value}"


def lock_of(skipped: SkippedLock) -> bytes:
    """Return the name of the lock that was left alone."""
    return skipped.finding.lock.lock.name if skipped.finding.lock else b""
