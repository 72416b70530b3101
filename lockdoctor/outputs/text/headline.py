"""Returns the first sentence of a report: what is wrong, for a reader on call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lockdoctor.domain.check import metrics
from lockdoctor.domain.evidence.deadlock import WaitCycle
from lockdoctor.domain.evidence.queue import Waiters
from lockdoctor.domain.evidence.verdicts import Confidence, Verdict, VerdictKind
from lockdoctor.domain.model.leases import hex_id
from lockdoctor.domain.report.findings import Finding, LockReport
from lockdoctor.domain.report.report import Report
from lockdoctor.outputs.text.alarms import alarm_text
from lockdoctor.outputs.text.evidence import clause
from lockdoctor.outputs.text.values import BRIEF_WIDTH, at_least, brief, count, lock_title, safe

ONLY_ACCEPTED = "Only accepted findings"


class Noun(NamedTuple):
    """The noun for findings of one kind."""

    one: str
    many: str


NOUNS = {
    VerdictKind.DEADLOCK: Noun("deadlock", "deadlocks"),
    VerdictKind.SELF_DEADLOCK: Noun("self-deadlock", "self-deadlocks"),
    VerdictKind.LEAKED_LOCK: Noun("leaked lock", "leaked locks"),
    VerdictKind.SUSPECTED_LEAK: Noun("suspected leak", "suspected leaks"),
    VerdictKind.ETERNAL_LOCK: Noun("lock without a lease", "locks without a lease"),
    VerdictKind.OVERDUE: Noun("failure to end a lease", "failures to end a lease"),
    VerdictKind.DANGLING: Noun("key whose lease is gone", "keys whose leases are gone"),
    VerdictKind.GHOST_LEASE: Noun("list of ghost leases", "lists of ghost leases"),
    VerdictKind.SHARED_LEASE: Noun("shared lease", "shared leases"),
    VerdictKind.LEAKED_SESSION: Noun("leak of sessions", "leaks of sessions"),
    VerdictKind.SESSION_PILE_UP: Noun("pile-up of sessions", "pile-ups of sessions"),
    VerdictKind.BLOCKED_QUEUE: Noun("blocked queue", "blocked queues"),
    VerdictKind.LATE_RENEWAL: Noun("lock renewed late", "locks renewed late"),
    VerdictKind.LONG_TTL: Noun("lock with a long TTL", "locks with a long TTL"),
    VerdictKind.EXPIRING: Noun("expiring", "expiring"),
    VerdictKind.IDLE_SESSION: Noun("idle session", "idle sessions"),
    VerdictKind.UNDETERMINED: Noun("undetermined", "undetermined"),
    VerdictKind.HEALTHY: Noun("healthy", "healthy"),
}


def headline(report: Report) -> str:
    """Return the headline: the findings or their absence, with alarms first."""
    return "; ".join([*alarms(report), findings_headline(report)])


def alarms(report: Report) -> Iterator[str]:
    """Yield the name of each alarm of the cluster."""
    yield from (alarm_text(alarm) for alarm in report.cluster.alarms or ())


def findings_headline(report: Report) -> str:
    """Return the findings on locks and sessions, or their absence, and the unknown."""
    groups = report.finding_groups
    text = _found(groups[0]) if groups else _nothing_found(report)
    if groups[1:]:
        text += f"; also {_join(map(_also, groups[1:]))}"
    if groups:
        text += _other_locks(report)
    if report.interrupted:
        return f"Incomplete ({safe(report.interrupted)}): {text}"
    return text


def how_many(kind: VerdictKind, number: int) -> str:
    """Return a count of locks or findings of one kind: 1 leaked lock, 3 healthy."""
    return count(number, *NOUNS[kind])


def _found(group: tuple[Finding, ...]) -> str:
    blocked, text = _blocked(group), _counted(group)
    if blocked:
        text += f" {blocked}"
    if len(group) > 1:
        text += ", the worst"
    return f"{text}: {', '.join(_facts(group[0]))}"


def _also(group: tuple[Finding, ...]) -> str:
    blocked, worst, text = _blocked(group), group[0].lock, _counted(group)
    if not blocked or not worst:
        return text
    the_worst = "the worst: " if len(group) > 1 else ""
    return f"{text} that {blocked} ({the_worst}{_title(worst)})"


def _blocked(group: tuple[Finding, ...]) -> str:
    blocked = sum(finding.blocks for finding in group)
    if not blocked or group[0].verdict.kind is VerdictKind.BLOCKED_QUEUE:
        return ""
    return f"{'blocks' if len(group) == 1 else 'block'} {count(blocked, 'waiter')}"


def _title(lock: LockReport) -> str:
    return lock_title(lock.lock, BRIEF_WIDTH)


def _place(verdict: Verdict, lock: LockReport) -> str:
    """Return the lock of a verdict, or both locks of a deadlock cycle of two."""
    cycles = [each.ring for each in verdict.evidence if isinstance(each, WaitCycle)]
    others = {edge.waits_for for cycle in cycles for edge in cycle} - {lock.lock.name}
    if len(others) > 1:
        return f"{_title(lock)} and {count(len(others), 'more lock')}"
    return _join([_title(lock), *map(brief, others)])


def _counted(group: tuple[Finding, ...]) -> str:
    verdict = group[0].verdict
    kind, doubt = verdict.kind, ""
    if verdict.confidence is Confidence.LIKELY:
        doubt = "likely "
        if kind is VerdictKind.SUSPECTED_LEAK:
            kind = VerdictKind.LEAKED_LOCK
    elif verdict.confidence is Confidence.POSSIBLE and kind is not VerdictKind.SUSPECTED_LEAK:
        doubt = "possible "
    one, many = NOUNS[kind]
    return count(len(group), doubt + one, doubt + many)


def _facts(finding: Finding) -> Iterator[str]:
    if finding.lock:
        yield _place(finding.verdict, finding.lock)
    leases, evidence = finding.verdict.leases, finding.verdict.evidence
    if finding.verdict.kind is not VerdictKind.BLOCKED_QUEUE:  # else the waiters are the news
        evidence = tuple(each for each in evidence if not isinstance(each, Waiters))
        if len(leases) == 1:
            yield f"lease {hex_id(leases[0])}"
    yield from filter(None, map(clause, evidence))


def _nothing_found(report: Report) -> str:
    old = [lock for lock in report.locks if lock.verdict.kind is VerdictKind.SUSPECTED_LEAK]
    if old:
        return _mentioned(old, report)
    number = len(report.undetermined)
    if number and number == len(report.locks) and not report.accepted:
        text = f"No lock could be judged: {number:,} of {count(number, 'lock')} undetermined"
    elif number:
        nothing = ONLY_ACCEPTED if report.accepted else "No leak found"
        text = f"{nothing}: {number:,} of {count(len(report.locks), 'lock')} undetermined"
    elif not report.locks and not report.accepted:
        text = "No locks found"
    else:
        nothing = ONLY_ACCEPTED if report.accepted else "No leaked locks"
        examined = count(len(report.locks), "lock")
        text = f"{nothing}: {examined} examined, {_join(_counts(report))}"
    return text + _unexamined(report)


def _mentioned(old: list[LockReport], report: Report) -> str:
    """Return the oldest hold of the old ones that exceed no limit: not a finding."""
    oldest = max(old, key=_held_s)
    which = "" if len(old) == 1 else f"{len(old):,} of them suspected, the oldest "
    held = count(metrics.held(report.locks), "lock")
    text = (
        f"No leak proven: {held} held, {which}{_title(oldest)} for at least"
        f" {at_least(_held_s(oldest))} (no limit stated)"
    )
    return text + _other_locks(report) + _unexamined(report)


def _held_s(lock: LockReport) -> float:
    return lock.age.at_least_s if lock.age else 0.0


def _counts(report: Report) -> Iterator[str]:
    """Yield the number of locks per verdict, and of accepted findings."""
    for kind, number in report.counts.most_common():
        yield how_many(kind, number)
    if report.accepted:
        yield _accepted(report)


def _accepted(report: Report) -> str:
    return count(len(report.accepted), "accepted finding")


def _other_locks(report: Report) -> str:
    """Return the undetermined locks and accepted findings; empty without both."""
    undetermined = count(len(report.undetermined), "lock")
    text = f"; {undetermined} undetermined" if report.undetermined else ""
    return f"{text}; {_accepted(report)}" if report.accepted else text


def _unexamined(report: Report) -> str:
    return "; some data was not examined" if report.blind_to else ""


def _join(parts: Iterable[str]) -> str:
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last
