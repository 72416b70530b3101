"""Writes treatments for people: the plan before the actions, and the outcome."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lockdoctor.domain.model.actions import Action, Result
from lockdoctor.domain.model.locks import LockKey
from lockdoctor.domain.treatment.journal_entry import Entry
from lockdoctor.domain.treatment.plan import RevokePlan, Target
from lockdoctor.domain.treatment.results import ActionResult, TreatmentReport
from lockdoctor.outputs.table.parts.layout import NoWrapText, bullets, indented
from lockdoctor.outputs.text.alarms import alarm_remedy, alarm_text
from lockdoctor.outputs.text.plan import (
    RESULTS,
    headline,
    judgment,
    left_out,
    next_holder,
    quarantine_text,
    refused_subject,
    report_headline,
    title,
)
from lockdoctor.outputs.text.refusals import failure_text, refusal_text
from lockdoctor.outputs.text.treatment import old_client, outcome, queue_after, reacquired
from lockdoctor.outputs.text.unseen import unseen_text
from lockdoctor.outputs.text.values import at_least, count, duration, name, safe, size, took

MAX_TARGETS = 20
"""Maximum targets and refusals in full; JSON has all of them."""

MAX_KEYS = 10
"""Maximum keys of one target."""

STYLES = {
    Result.DONE: "green",
    Result.ALREADY_GONE: "green",
    Result.REFUSED: "yellow",
    Result.PARTLY: "yellow",
    Result.FAILED: "bold red",
    Result.UNKNOWN: "bold red",
}


def plan_parts(plan: RevokePlan, how_to_act: str | None = None) -> Iterator[RenderableType]:
    """Yield a plan; how_to_act is the last line, such as the command that executes it."""
    for alarm in plan.alarms:
        yield Text(alarm_text(alarm), style="bold red")
        yield indented(f"What to do: {alarm_remedy(alarm)}")
    yield Text(headline(plan), style="bold")
    for number, target in enumerate(plan.targets[:MAX_TARGETS], start=1):
        heading = f"\n{number} of {len(plan.targets)}: {target.action.value} {title(target)}"
        yield Text(heading, style="bold")
        yield from _target(target, plan)
    yield from _more(len(plan.targets), "target")
    for refusal in plan.refused[:MAX_TARGETS]:
        yield Text("\nRefused: ", style="yellow").append(refused_subject(refusal), style="bold")
        yield bullets(map(refusal_text, refusal.reasons))
    yield from _more(len(plan.refused), "refusal")
    yield from (Text(f"\n{line}") for line in left_out(plan))
    if plan.unseen:
        yield Text("\nCould not be read", style="bold")
        yield bullets(map(unseen_text, plan.unseen))
    if how_to_act:
        yield Text("")
        yield NoWrapText(how_to_act)


def _target(target: Target, plan: RevokePlan) -> Iterator[RenderableType]:
    yield indented(judgment(target))
    yield bullets(map(safe, target.evidence))
    for approved_hold in target.approved_holds:
        yield indented(next_holder(approved_hold, target))
    yield from _keys(target)
    if target.action is Action.QUARANTINE:
        yield indented(quarantine_text(plan.quarantine_s))
    yield indented(old_client(target))


def _keys(target: Target) -> Iterator[RenderableType]:
    if not target.affected_keys:
        return
    verb = "Moves" if target.action is Action.QUARANTINE else "Deletes"
    ttl = f"; the lease's TTL is {duration(target.granted_ttl_s)}" if target.granted_ttl_s else ""
    yield indented(f"{verb} {count(len(target.affected_keys), 'key')}{ttl}:")
    grid = Table.grid(padding=(0, 2))
    grid.add_column(overflow="fold")
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(no_wrap=True)
    for key in target.affected_keys[:MAX_KEYS]:
        grid.add_row(Text(name(key.key)), size(key.value_size), _role(key, target))
    yield Padding(grid, (0, 0, 0, 4))
    if target.affected_keys[MAX_KEYS:]:
        more = count(len(target.affected_keys) - MAX_KEYS, "more key")
        outside = len(target.outside)
        of_them = f", {outside:,} of all outside the prefixes" if outside else ""
        yield Padding(Text(f"… and {more}{of_them}; --format json has all"), (0, 0, 0, 4))


def _role(key: LockKey, target: Target) -> Text:
    if key.key in target.outside:
        return Text("outside the prefixes", style="yellow")
    return Text("the hold" if key in target.holds else "not judged leaked")


def report_parts(report: TreatmentReport) -> Iterator[RenderableType]:
    """Yield the outcome of a plan."""
    yield Text(f"\n{report_headline(report)}", style="bold" if report.is_fine else "yellow")
    for number, treated in enumerate(report.treated[:MAX_TARGETS], start=1):
        heading = Text(f"\n{number} of {len(report.plan.targets)}: {title(treated.target)}: ")
        heading.stylize("bold")
        yield heading.append(RESULTS[treated.result], style=STYLES[treated.result])
        yield from _treated(treated)
    yield from _more(len(report.treated), "target")
    left = len(report.plan.targets) - len(report.treated)
    if report.stopped:
        why = failure_text(report.stopped)
        yield Text(f"\nStopped ({why}). {count(left, 'target')} not reached.", style="yellow")
    yield from _relapses(report)


def _treated(treated: ActionResult[Target]) -> Iterator[RenderableType]:
    lasted = f" It took {took(treated.took_s)}." if treated.took_s else ""
    yield indented(f"{outcome(treated)}{lasted}")
    yield from (indented(queue_after(queue)) for queue in treated.queues)
    if treated.undo_until is not None and treated.entry_id is not None:
        yield indented("To undo it before then:")
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
        yield Text(f"\nWatched for {watched}: no lease took a freed lock and was renewed.")
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
