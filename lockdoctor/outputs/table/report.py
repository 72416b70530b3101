"""Writes the report for people: the headline, the locks, then each finding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TextIO

from rich.console import RenderableType
from rich.text import Text

from lockdoctor.domain.evidence import Evidence
from lockdoctor.domain.evidence.age import EstimatedAge
from lockdoctor.domain.evidence.deadlock import WaitCycle
from lockdoctor.domain.evidence.leak_score import LeakScore
from lockdoctor.domain.evidence.verdicts import Verdict
from lockdoctor.domain.model.leases import hex_id
from lockdoctor.domain.report.findings import Finding, LockReport
from lockdoctor.domain.report.report import Report
from lockdoctor.outputs.table.parts import wait_graph
from lockdoctor.outputs.table.parts.layout import NoWrapText, bullets, indented, write
from lockdoctor.outputs.table.parts.locks import left_out, lock_table, verdict_style
from lockdoctor.outputs.text.alarms import alarm_remedy
from lockdoctor.outputs.text.evidence import sentence
from lockdoctor.outputs.text.evidence.processes import process_lines, server_line
from lockdoctor.outputs.text.evidence.sessions import sessions_alike
from lockdoctor.outputs.text.headline import headline, how_many
from lockdoctor.outputs.text.remedies import remedy_text
from lockdoctor.outputs.text.report import context, gone_text, note_text
from lockdoctor.outputs.text.suggested_commands import steps
from lockdoctor.outputs.text.unseen import unseen_text
from lockdoctor.outputs.text.values import count, lock_title, name, safe

MAX_FINDINGS = 20
"""Maximum findings in full; JSON has all of them."""

MAX_GROUPS = 5
"""Maximum groups of leases without keys."""

MAX_LEASES = 3
"""Maximum leases of one finding."""

MAX_UNDETERMINED = 5
"""Maximum undetermined locks for which the missing facts are listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOutput:
    """`--format table`; the caller passes the terminal's properties."""

    width: int
    """Columns; only command lines to copy are longer."""
    colour: bool

    def render(self, report: Report, out: TextIO) -> None:
        """Write the report."""
        self.render_below(headline(report), report, out)

    def render_below(self, first: str, report: Report | None, out: TextIO) -> None:
        """
        Write a first line and the report, and escape what the stream cannot encode.

        Args:
            report: None for the first line alone.
        """
        line = Text(first, style=headline_style(report) if report else "bold")
        parts = chain((line,), _parts(report, self.width) if report else ())
        write(parts, out, width=self.width, colour=self.colour)


def _parts(report: Report, width: int) -> Iterator[RenderableType]:
    yield from alarm_remedies(report)
    yield Text(context(report), style="dim")
    if report.server is not None:
        yield Text(server_line(report.server), style="dim")
    for prefix in report.prefixes:
        yield from _prefix(prefix, report.locks_of(prefix), width)
    yield from wait_graph.tree(report)
    yield from _findings(report)
    yield from listed("Accepted", list(map(_accepted, report.accepted)))
    yield from listed("Ended since the last run", list(map(gone_text, report.gone)))
    yield from _undetermined(report)
    yield from _sessions(report)
    yield from listed("Processes", [x for each in report.processes for x in process_lines(each)])
    yield from listed("Not examined", list(map(unseen_text, report.unseen)))
    yield from listed("Notes", list(map(note_text, report.notes)))


def headline_style(report: Report) -> str:
    """Return the style of the first line: its worst verdict's, or an alarm's."""
    if report.cluster.alarms:
        return "bold red"
    return verdict_style(report.findings[0]) if report.findings else "bold"


def alarm_remedies(report: Report) -> Iterator[RenderableType]:
    """Yield what to do about each alarm of the cluster in the first line."""
    for alarm in report.cluster.alarms or ():
        yield Text(f"What to do about {alarm.name}: {alarm_remedy(alarm)}", style="bold")


def _prefix(prefix: bytes, locks: tuple[LockReport, ...], width: int) -> Iterator[RenderableType]:
    where = f"below {name(prefix)}" if prefix else "in the cluster"
    yield Text(f"\n{count(len(locks), 'lock')} {where}", style="bold")
    if locks:
        yield lock_table(locks, width)
    more = left_out(locks)
    if more:
        yield Text(more, style="dim")


def _findings(report: Report) -> Iterator[RenderableType]:
    findings = report.located_findings
    for number, finding in enumerate(findings[:MAX_FINDINGS], start=1):
        yield from finding_parts(finding, f"\nFinding {number} of {len(findings)}: ")
    if findings[MAX_FINDINGS:]:
        more = count(len(findings) - MAX_FINDINGS, "more finding")
        yield Text(f"\n… and {more}; --format json has them all", style="bold")


def finding_parts(finding: Finding, heading: str) -> Iterator[RenderableType]:
    """Yield a finding with its evidence, what to do, and the commands."""
    verdict = finding.verdict
    what = f"{verdict.kind.value}, {verdict.severity.name.lower()}, {verdict.confidence.value}"
    yield Text(heading, style="bold").append(what, style=verdict_style(verdict))
    cycle = next((each for each in verdict.evidence if isinstance(each, WaitCycle)), None)
    yield wait_graph.cycle(cycle) if cycle else indented(", ".join(_subject(finding)))
    yield bullets(map(sentence, sorted(verdict.evidence, key=_is_estimate)))
    yield indented(f"What to do: {remedy_text(verdict.remedy)}")
    for step in steps(finding):
        yield indented(f"{step.purpose}:")
        yield from (NoWrapText(f"    {line}") for line in step.lines)


def _subject(finding: Finding) -> Iterator[str]:
    verdict, lock = finding.verdict, finding.lock
    if lock:
        yield lock_title(lock.lock)
        yield from _key(verdict, lock)
    if verdict.leases:
        shown = " ".join(map(hex_id, verdict.leases[:MAX_LEASES]))
        more = len(verdict.leases) - MAX_LEASES
        noun = "lease" if len(verdict.leases) == 1 else "leases"
        yield f"{noun} {shown}" + (f" and {more:,} more" if more > 0 else "")


def _key(verdict: Verdict, lock: LockReport) -> Iterator[str]:
    """Yield the verdict's key, unless the lock's name and the lease determine it."""
    key = verdict.key
    if key is None or key == lock.lock.name:
        return
    shown = name(key)
    if any(waiter.key == key for waiter in lock.lock.waiters):
        yield f"waiter {shown}"
    elif key not in {b"%s/%x" % (lock.lock.name, lease) for lease in verdict.leases}:
        yield f"key {shown}"


def _accepted(finding: Finding) -> str:
    verdict, accepted = finding.verdict, finding.verdict.accepted
    what = ", ".join((verdict.kind.value, *_subject(finding)))
    return f"{what}: until {accepted.until}, {safe(accepted.reason)}" if accepted else what


def _is_estimate(evidence: Evidence) -> bool:
    return isinstance(evidence, EstimatedAge | LeakScore)  # proven facts come first


def _undetermined(report: Report) -> Iterator[RenderableType]:
    locks = report.undetermined
    if not locks:
        return
    yield Text("\nUndetermined", style="bold")
    yield bullets(_unjudged(lock) for lock in locks[:MAX_UNDETERMINED])
    if locks[MAX_UNDETERMINED:]:
        yield indented(f"… and {count(len(locks) - MAX_UNDETERMINED, 'more lock')}")


def _unjudged(lock: LockReport) -> str:
    why = " ".join(sentence(evidence) for evidence in lock.verdict.evidence[:1])
    title = lock_title(lock.lock)
    return f"{title}: {why} {remedy_text(lock.verdict.remedy)}"


def _sessions(report: Report) -> Iterator[RenderableType]:
    if not report.sessions:
        return
    counts = ", ".join(how_many(kind, n) for kind, n in report.session_counts.most_common())
    yield Text(f"\n{count(len(report.sessions), 'lease')} without keys: ", style="bold").append(
        counts, style="not bold"
    )
    groups = report.session_groups
    yield bullets(map(sessions_alike, groups[:MAX_GROUPS]))
    if groups[MAX_GROUPS:]:
        yield indented(f"… and {count(len(groups) - MAX_GROUPS, 'more group')}")


def listed(title: str, lines: list[str]) -> Iterator[RenderableType]:
    """Yield lines below a title; without lines, yield no title."""
    if lines:
        yield Text(f"\n{title}", style="bold")
        yield bullets(iter(lines))
