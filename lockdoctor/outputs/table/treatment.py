"""Writes treatments for people: the plan before the actions, and the outcome."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lockdoctor.domain.model.actions import Action, Result
from lockdoctor.domain.model.leases import NO_LEASE, hex_id
from lockdoctor.domain.model.locks import LockKey
from lockdoctor.domain.treatment.journal_entry import Entry
from lockdoctor.domain.treatment.plan import ApprovedHold, Refusal, RevokePlan, Target
from lockdoctor.domain.treatment.results import ActionResult, TreatmentReport
from lockdoctor.outputs.table.parts.layout import NoWrapText, bullets, indented
from lockdoctor.outputs.text.alarms import alarm_remedy, alarm_text
from lockdoctor.outputs.text.refusals import failure_text, name, refusal_text
from lockdoctor.outputs.text.treatment import (
    old_client,
    outcome,
    queue_after,
    reacquired,
)
from lockdoctor.outputs.text.unseen import unseen_text
from lockdoctor.outputs.text.values import at_least, count, duration, safe, size, took

MAX_TARGETS = 20
"""Maximum targets and refusals in full; JSON has all of them."""

MAX_KEYS = 10
"""Maximum keys of one target."""

VERBS = {
    Action.REVOKE: ("revoke", "revoked"),
    Action.RELEASE: ("release", "released"),
    Action.QUARANTINE: ("put into quarantine", "put into quarantine"),
}

STYLES = {
    Result.DONE: "green",
    Result.ALREADY_GONE: "green",
    Result.REFUSED: "yellow",
    Result.PARTLY: "yellow",
    Result.FAILED: "bold red",
    Result.UNKNOWN: "bold red",
}

RESULTS = {
    Result.DONE: "done",
    Result.ALREADY_GONE: "gone already",
    Result.REFUSED: "refused, it has changed",
    Result.PARTLY: "done in part",
    Result.FAILED: "failed",
    Result.UNKNOWN: "outcome unknown",
}


def title(target: Target) -> str:
    """Return a target's name: its locks and its lease."""
    lease = f"lease {hex_id(target.lease_id)}" if target.lease_id != NO_LEASE else "no lease"
    if not target.stakes:
        return f"{lease} without keys"
    more = f" and {count(len(target.stakes) - 1, 'more lock')}" if target.stakes[1:] else ""
    return f"{name(target.stakes[0].lock.name)}{more}, {lease}"


def headline(plan: RevokePlan) -> str:
    """Return the summary of a plan in one sentence."""
    refused = f"; {len(plan.refused):,} refused" if plan.refused else ""
    if not plan.targets:
        left = f"; {plan.too_young:,} not held long enough" if plan.too_young else ""
        why = f"{refused}{left}" or ": nothing was found of what was asked for"
        return f"Nothing to treat{why}. Nothing was written to etcd."
    parts = ", ".join(_counted(plan.targets))
    holders = [stake for each in plan.targets for stake in each.stakes if stake.is_holder]
    waiters = sum(stake.waiters for stake in holders)
    frees = f", which frees {count(len(holders), 'lock')}" if holders else ""
    for_whom = f" for {count(waiters, 'waiter')}" if waiters else ""
    return f"Plan: {parts}{frees}{for_whom}{refused}. Nothing has been written to etcd."


def _counted(targets: Iterable[Target]) -> Iterator[str]:
    for action, (verb, _) in VERBS.items():
        of_it = [target for target in targets if target.action is action]
        sessions = [target for target in of_it if not target.stakes]
        keys = [target for target in of_it if target.lease_id == NO_LEASE]
        leases = len(of_it) - len(sessions) - len(keys)
        if leases and action is Action.REVOKE:
            yield f"{verb} {count(leases, 'lease')}"
        elif leases:
            yield f"{verb} {count(sum(len(t.stakes) for t in of_it) - len(keys), 'hold')}"
        if sessions:
            yield f"{verb} {count(len(sessions), 'lease')} without keys"
        if keys:
            yield f"{verb} {count(len(keys), 'key')} without a lease"


def plan_parts(plan: RevokePlan, how_to_act: str | None = None) -> Iterator[RenderableType]:
    """
    Yield a plan.

    Args:
        how_to_act: The command line that executes it, or another last line.
    """
    for alarm in plan.alarms:
        yield Text(alarm_text(alarm), style="bold red")
        yield indented(f"What to do: {alarm_remedy(alarm)}")
    yield Text(headline(plan), style="bold")
    for number, target in enumerate(plan.targets[:MAX_TARGETS], start=1):
        heading = f"\n{number} of {len(plan.targets)}: {VERBS[target.action][0]} {title(target)}"
        yield Text(heading, style="bold")
        yield from _target(target, plan)
    yield from _more(len(plan.targets), "target")
    for refusal in plan.refused[:MAX_TARGETS]:
        yield Text("\nRefused: ", style="yellow").append(_refused(refusal), style="bold")
        yield bullets(map(refusal_text, refusal.dangers))
    yield from _more(len(plan.refused), "refusal")
    yield from _left_out(plan)
    if plan.unseen:
        yield Text("\nNot seen", style="bold")
        yield bullets(map(unseen_text, plan.unseen))
    if how_to_act:
        yield Text("")
        yield NoWrapText(how_to_act)


def _target(target: Target, plan: RevokePlan) -> Iterator[RenderableType]:
    yield indented(_judged(target))
    yield bullets(map(safe, target.evidence))
    for stake in target.stakes:
        yield indented(_next(stake, target))
    yield from _keys(target)
    if target.action is Action.QUARANTINE:
        yield indented(
            f"For {duration(plan.quarantine_s)} it keeps its place and can be put back; then it"
            " goes."
        )
    yield indented(old_client(target))


def _judged(target: Target) -> str:
    if target.verdict is None:
        return "Nothing was concluded of it."
    held = f", held at least {at_least(target.held_at_least_s)}" if target.held_at_least_s else ""
    return f"{target.verdict.value}, {target.confidence.value}{held}"


def _next(stake: ApprovedHold, target: Target) -> str:
    lock = name(stake.lock.name) if target.stakes[1:] else "the lock"
    if not stake.is_holder:
        return f"This only waits for {lock}: ending it frees nothing."
    if not stake.waiters:
        return f"Nobody waits for {lock}."
    waiters = count(stake.waiters, "waiter")
    if stake.next_key is None:
        return f"{waiters} for {lock}, which others hold as well."
    return f"Who gets {lock} next, of {waiters}: {name(stake.next_key)}"


def _keys(target: Target) -> Iterator[RenderableType]:
    if not target.doomed:
        return
    verb = "Moves" if target.action is Action.QUARANTINE else "Deletes"
    ttl = f"; the lease's TTL is {duration(target.granted_ttl_s)}" if target.granted_ttl_s else ""
    yield indented(f"{verb} {count(len(target.doomed), 'key')}{ttl}:")
    grid = Table.grid(padding=(0, 2))
    grid.add_column(overflow="fold")
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(no_wrap=True)
    for key in target.doomed[:MAX_KEYS]:
        grid.add_row(Text(name(key.key)), size(key.value_size), _role(key, target))
    yield Padding(grid, (0, 0, 0, 4))
    if target.doomed[MAX_KEYS:]:
        more = count(len(target.doomed) - MAX_KEYS, "more key")
        outside = len(target.outside)
        of_them = f", {outside:,} of all outside the prefixes" if outside else ""
        yield Padding(Text(f"… and {more}{of_them}; --format json has all"), (0, 0, 0, 4))


def _role(key: LockKey, target: Target) -> Text:
    if key.key in target.outside:
        return Text("outside the prefixes", style="yellow")
    return Text("the hold" if key in target.holds else "not judged leaked")


def _refused(refusal: Refusal) -> str:
    parts = []
    if refusal.lock is not None:
        parts.append(name(refusal.lock))
    elif refusal.key is not None:
        parts.append(name(refusal.key))
    if refusal.lease_id != NO_LEASE:
        parts.append(f"lease {hex_id(refusal.lease_id)}")
    return ", ".join(parts)


def _left_out(plan: RevokePlan) -> Iterator[RenderableType]:
    for kind, number in plan.unnamed:
        locks = count(number, "lock")
        yield Text(f"\n{locks} judged {kind.value}, not selected: --verdict {kind.value} does")
    if plan.too_young and plan.targets:
        yield Text(f"\n{plan.too_young:,} more not held long enough for --min-held")
    if plan.beyond_most:
        yield Text(f"\n{plan.beyond_most:,} more left for the next run: --max N takes more at once")


def report_parts(report: TreatmentReport) -> Iterator[RenderableType]:
    """Yield the outcome of a plan."""
    yield Text(f"\n{_came(report)}", style="bold" if report.is_fine else "yellow")
    for number, treated in enumerate(report.treated[:MAX_TARGETS], start=1):
        heading = Text(f"\n{number} of {len(report.plan.targets)}: {title(treated.target)}: ")
        heading.stylize("bold")
        yield heading.append(RESULTS[treated.result], style=STYLES[treated.result])
        yield from _treated(treated)
    yield from _more(len(report.treated), "target")
    left = len(report.plan.targets) - len(report.treated)
    if report.stopped:
        why = failure_text(report.stopped)
        yield Text(f"\nStopped ({why}); {left:,} left untouched.", style="yellow")
    yield from _relapses(report)


def _came(report: TreatmentReport) -> str:
    fine = sum(each.is_fine for each in report.treated)
    gone = sum(each.result is Result.ALREADY_GONE for each in report.treated)
    done = f"{fine:,} of {count(len(report.plan.targets), 'target')} done"
    already = f", {gone:,} of them gone already" if gone else ""
    refused = [each for each in report.plan.refused if not each.is_gone]
    more = f"; {len(refused):,} refused in the plan" if refused else ""
    return f"{done}{already}{more}."


def _treated(treated: ActionResult[Target]) -> Iterator[RenderableType]:
    lasted = f" It took {took(treated.took_s)}." if treated.took_s else ""
    yield indented(f"{outcome(treated)}{lasted}")
    yield from (indented(queue_after(queue)) for queue in treated.queues)
    if treated.undo_until is not None and treated.entry_id is not None:
        yield indented("Put it back while there is time:")
        yield NoWrapText(f"    lockdoctor revoke --undo {safe(treated.entry_id)}")
    elif treated.entry_id is not None:
        yield indented(f"Journal entry {safe(treated.entry_id)}")
    if treated.unrecorded:
        yield indented(f"The journal has only the intent: {safe(treated.unrecorded)}.")


def _relapses(report: TreatmentReport) -> Iterator[RenderableType]:
    if report.watched_s is None:
        return
    watched = at_least(report.watched_s)
    if not report.relapses:
        yield Text(f"\nWatched for {watched}: nobody took a freed lock and kept it, renewed.")
        return
    yield Text(f"\nWatched for {watched}:", style="yellow")
    yield bullets(map(reacquired, report.relapses))


def undone_parts(undone: ActionResult[Entry]) -> Iterator[RenderableType]:
    """Yield the outcome of an undone quarantine."""
    locks = ", ".join(map(name, undone.target.intent.locks))
    heading = Text(f"{locks}: {outcome(undone)}", style=STYLES[undone.result])
    if undone.unrecorded:
        heading.append(f"\nThe journal has only the intent: {safe(undone.unrecorded)}.")
    yield heading


def _more(number: int, noun: str) -> Iterator[RenderableType]:
    if number > MAX_TARGETS:
        more = count(number - MAX_TARGETS, f"more {noun}")
        yield Text(f"\n… and {more}; --format json has all", style="bold")
