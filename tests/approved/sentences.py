"""One sentence of each kind: evidence, headlines, refusals, reasons, commands to copy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from lockdoctor.domain.evidence.remedies import Advice, WatchLonger
from lockdoctor.domain.evidence.verdicts import VerdictKind
from lockdoctor.domain.report.findings import Finding
from lockdoctor.outputs.text import evidence as evidence_text
from lockdoctor.outputs.text.evidence.processes import process_lines, server_line
from lockdoctor.outputs.text.headline import headline, how_many
from lockdoctor.outputs.text.refusals import NOT_RESTORED, NOT_TREATED, refusal_text
from lockdoctor.outputs.text.remedies import remedy_text
from lockdoctor.outputs.text.suggested_commands import role_commands, steps
from lockdoctor.outputs.text.treatment import (
    old_client,
    outcome,
    queue_after,
    reacquired,
    unattended_details,
    unattended_summary,
)
from tests.factories import commands
from tests.factories.evidence import EVIDENCE
from tests.factories.headlines import HEADLINES
from tests.factories.plans import everything_planned, everything_treated
from tests.factories.processes import a_member, a_process, a_server, goroutine_counts
from tests.factories.treatment_examples import OUTCOMES, REASONS, UNATTENDED


def evidence() -> Iterator[str]:
    for each in EVIDENCE:
        yield f"{type(each).__name__}: {evidence_text.sentence(each)}"
        short = evidence_text.clause(each)
        if short is not None:
            yield f"    in a headline: {short}"


def nouns() -> Iterator[str]:
    for kind in VerdictKind:
        yield f"{kind.value}: {how_many(kind, 1)}, {how_many(kind, 3)}"


def suggested(findings: Iterable[tuple[str, Finding]]) -> Iterator[str]:
    for title, finding in findings:
        yield title
        for step in steps(finding):
            yield f"  {step.purpose}"
            yield from (f"    {line}" for line in step.lines)


def treated() -> Iterator[str]:
    for each in OUTCOMES:
        yield f"{type(each.target).__name__} {each.result.value}: {outcome(each)}"
    report = everything_treated()
    yield from (f"QueueState: {queue_after(q)}" for each in report.treated for q in each.queues)
    yield from (f"Reacquired: {reacquired(each)}" for each in report.relapses)
    for target in everything_planned().targets:
        yield f"after {target.action.value}: {old_client(target)}"


def unattended() -> Iterator[str]:
    for each in UNATTENDED:
        yield "; ".join(unattended_summary(each)) or "(no summary)"
        yield from (f"  {line}" for line in unattended_details(each))


def remedies() -> Iterator[str]:
    for advice in Advice:
        yield f"{advice.name}: {remedy_text(advice)}"
    yield f"WatchLonger: {remedy_text(WatchLonger(602))}"


def processes() -> Iterator[str]:
    cut = goroutine_counts(
        sessions=1,
        keepalives=3,
        lock_waiters=0,
        named_keepalives=0,
        oldest_keepalive_s=None,
        callers=(),
        is_whole=False,
        words=frozenset(),
    )
    hidden = goroutine_counts(named_keepalives=5_000)
    yield from process_lines(a_process())
    yield from process_lines(
        a_process(
            counts=cut, is_saved=True, sessions_before=None, keyless_kept=None, locks_held=None
        )
    )
    yield next(process_lines(a_process(counts=hidden, keyless_kept=None)))
    yield server_line(a_server())
    yield server_line(a_server(a_member(renewed=None, expired=None, leader_changes=1, revoked=4)))
    restarted = a_member(
        was_restarted=True,
        granted=None,
        revoked=None,
        expired=None,
        renewed=None,
        keepalive_streams=1,
    )
    yield server_line(a_server(restarted))


def _page(lines: Callable[[], Iterable[str]]) -> Callable[[], str]:
    return lambda: "".join(f"{line}\n" for line in lines())


PAGES = {
    "sentences/evidence": _page(evidence),
    "sentences/headlines": _page(
        lambda: (f"{title}: {headline(report)}" for title, report in HEADLINES.items())
    ),
    "sentences/nouns": _page(nouns),
    "sentences/refusals": _page(
        lambda: (f"{type(reason).__name__}: {refusal_text(reason)}" for reason in REASONS)
    ),
    "sentences/skipped": _page(
        lambda: (
            f"{why.name}: {text}" for why, text in [*NOT_TREATED.items(), *NOT_RESTORED.items()]
        )
    ),
    "sentences/outcomes": _page(treated),
    "sentences/unattended": _page(unattended),
    "sentences/remedies": _page(remedies),
    "sentences/commands": _page(lambda: suggested(commands.findings())),
    "sentences/role": _page(lambda: role_commands([b"/my-lock/", b"", b"a\0b", b"c\xff"])),
    "sentences/processes": _page(processes),
}
