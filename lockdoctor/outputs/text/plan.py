"""Returns the sentences of a plan, and the headline of its outcome."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lockdoctor.domain.model.actions import Action, Result
from lockdoctor.domain.model.leases import NO_LEASE, hex_id
from lockdoctor.domain.treatment.plan import ApprovedHold, Refusal, RevokePlan, Target
from lockdoctor.domain.treatment.results import TreatmentReport
from lockdoctor.outputs.text.values import at_least, count, duration, lease_name, name

RESULTS = {
    Result.DONE: "done",
    Result.ALREADY_GONE: "already gone",
    Result.REFUSED: "refused",
    Result.PARTLY: "partly done",
    Result.FAILED: "failed",
    Result.UNKNOWN: "outcome unknown",
}


def title(target: Target) -> str:
    """Return a target's name: its locks and its lease."""
    lease = lease_name(target.lease_id)
    if not target.approved_holds:
        return f"{lease} without keys"
    more = (
        f" and {count(len(target.approved_holds) - 1, 'more lock')}"
        if target.approved_holds[1:]
        else ""
    )
    return f"{name(target.approved_holds[0].lock.name)}{more}, {lease}"


def headline(plan: RevokePlan) -> str:
    """Return the summary of a plan."""
    refused = f"; {len(plan.refused):,} refused" if plan.refused else ""
    if not plan.targets:
        left = f"; {plan.too_young:,} not held long enough" if plan.too_young else ""
        why = f"{refused}{left}".removeprefix("; ") or "no lock matches the selection"
        return f"No action planned: {why}. etcd was not changed."
    parts = ", ".join(_counted(plan.targets))
    holders = [
        approved_hold
        for each in plan.targets
        for approved_hold in each.approved_holds
        if approved_hold.is_holder
    ]
    waiters = sum(approved_hold.waiters for approved_hold in holders)
    frees = f", which frees {count(len(holders), 'lock')}" if holders else ""
    for_whom = f" for {count(waiters, 'waiter')}" if waiters else ""
    return f"Plan: {parts}{frees}{for_whom}{refused}. etcd is not changed yet."


def _counted(targets: Iterable[Target]) -> Iterator[str]:
    for action in Action:
        of_it = [target for target in targets if target.action is action]
        sessions = [target for target in of_it if not target.approved_holds]
        keys = [target for target in of_it if target.lease_id == NO_LEASE]
        leases = len(of_it) - len(sessions) - len(keys)
        if leases and action is Action.REVOKE:
            yield f"{action.value} {count(leases, 'lease')}"
        elif leases:
            holds = sum(len(target.approved_holds) for target in of_it) - len(keys)
            yield f"{action.value} {count(holds, 'hold')}"
        if sessions:
            yield f"{action.value} {count(len(sessions), 'lease')} without keys"
        if keys:
            yield f"{action.value} {count(len(keys), 'key')} without a lease"


def judgment(target: Target) -> str:
    """Return the verdict on a target, and for how long it is held."""
    if target.verdict is None:
        return "It has no verdict."
    held = f", held at least {at_least(target.held_at_least_s)}" if target.held_at_least_s else ""
    return f"{target.verdict.value}, {target.confidence.value}{held}"


def next_holder(approved_hold: ApprovedHold, target: Target) -> str:
    """Return which key gets the lock after the action, or that none does."""
    lock = name(approved_hold.lock.name) if target.approved_holds[1:] else "the lock"
    if not approved_hold.is_holder:
        return f"It only waits for {lock}, so ending it frees no lock."
    if not approved_hold.waiters:
        return f"No waiter for {lock}."
    waiters = count(approved_hold.waiters, "waiter")
    if approved_hold.next_key is None:
        return f"{waiters} for {lock}, which other keys hold too."
    return f"Next holder of {lock}, of {waiters}: {name(approved_hold.next_key)}"


def refused_subject(refusal: Refusal) -> str:
    """Return the lock or key, and the lease, of a refusal."""
    parts = []
    if refusal.lock is not None:
        parts.append(name(refusal.lock))
    elif refusal.key is not None:
        parts.append(name(refusal.key))
    if refusal.lease_id != NO_LEASE:
        parts.append(f"lease {hex_id(refusal.lease_id)}")
    return ", ".join(parts)


def quarantine_text(quarantine_s: float) -> str:
    """Return how long a quarantine can be undone."""
    return (
        f"For {duration(quarantine_s)} it keeps its place in the queue and can be restored. Then"
        " etcd deletes it."
    )


def left_out(plan: RevokePlan) -> Iterator[str]:
    """Yield how many targets are not in the plan, and the flag that includes them."""
    for kind, number in plan.unnamed:
        were = "lock was" if number == 1 else "locks were"
        yield (
            f"{number:,} {were} judged {kind.value} and not selected. Add"
            f" `--verdict {kind.value}` to include {'it' if number == 1 else 'them'}."
        )
    if plan.too_young and plan.targets:
        yield f"{plan.too_young:,} more not proven to be held for `--min-held`."
    if plan.beyond_most:
        yield f"{plan.beyond_most:,} more left for the next run. Add `--max N` to act on more now."


def report_headline(report: TreatmentReport) -> str:
    """Return how many targets are done."""
    fine = sum(each.is_fine for each in report.treated)
    gone = sum(each.result is Result.ALREADY_GONE for each in report.treated)
    done = f"{fine:,} of {count(len(report.plan.targets), 'target')} done"
    already = f", {gone:,} of them already gone" if gone else ""
    refused = [each for each in report.plan.refused if not each.is_gone]
    more = f"; {len(refused):,} refused in the plan" if refused else ""
    return f"{done}{already}{more}."
