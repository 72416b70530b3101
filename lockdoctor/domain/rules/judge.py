"""Turn everything that one run gathered into its report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from lockdoctor.domain.evidence.sessions import SessionsAlike
from lockdoctor.domain.evidence.verdicts import Confidence, Severity, Verdict, VerdictKind
from lockdoctor.domain.inference.lease_origin import group_by_origin, origin
from lockdoctor.domain.inference.lookup_schedule import needed_window_s
from lockdoctor.domain.inference.renewals import RenewalTrace
from lockdoctor.domain.model.leases import LeaseId, LeaseNotFound, LeaseReading, Reading
from lockdoctor.domain.past.past import PastFinding
from lockdoctor.domain.report.findings import LockReport
from lockdoctor.domain.report.report import Report
from lockdoctor.domain.report.unseen import Part, Unseen
from lockdoctor.domain.rules.deadlock_rules import judge_waits
from lockdoctor.domain.rules.judge_prefix import PrefixView
from lockdoctor.domain.rules.lease_rules import judge_expiry
from lockdoctor.domain.rules.recurring_findings import RecurringFindings
from lockdoctor.domain.rules.scan_facts import ScanFacts
from lockdoctor.domain.rules.session_rules import (
    SessionCase,
    Watch,
    is_renewed,
    judge_sessions,
    report_session,
)

KINDS = tuple(VerdictKind)

MAX_GROUPS = 3
"""The maximum number of groups of leaked sessions that are listed."""


def judge(facts: ScanFacts) -> Report:
    """Return the report on everything that was gathered."""
    reports: list[LockReport] = []
    unseen = [*facts.unseen, *_unread_leases(facts.unread)]
    gave_up: set[LeaseId] = set()
    views = {prefix.prefix: PrefixView(facts, prefix) for prefix in facts.prefixes}
    for view in views.values():
        reports += view.reports()
        unseen += view.unseen()
        gave_up.update(view.gave_up)
    cases = list(_session_cases(facts, gave_up))
    thresholds, watch = facts.policy.thresholds_for(b""), Watch(facts.started_at, facts.watched_s)
    leaks = judge_sessions(cases, thresholds, watch, facts.known_past)
    verdicts = [_with_groups(verdict, facts) for verdict in leaks]
    verdicts += judge_expiry(facts.traces, facts.sessions.keyless, facts.sessions.still_listed)
    recurring = RecurringFindings(facts.known_past, facts.ended_at)
    judged, blocking = judge_waits(
        reports, lambda report, key: views[report.prefix].cases.in_place_s(report, key)
    )
    if not facts.policy.suspects:
        judged = list(map(_calm, judged))
    ranked = _ranked(map(recurring.with_durations, judged))
    return Report(
        started_at=facts.started_at,
        watched_s=facts.watched_s,
        window_s=facts.window_s,
        lookups=facts.lookups,
        interrupted=facts.interrupted,
        cluster=facts.cluster,
        prefixes=tuple(prefix.prefix for prefix in facts.prefixes),
        locks=tuple(ranked),
        blocking=tuple(blocking),
        sessions=tuple(
            report_session(case, origin(case.trace.lease_id, facts.cluster.members, facts.ended_at))
            for case in cases
            if not case.trace.is_gone
        ),
        session_groups=_alike((case.trace for case in cases if is_renewed(case.trace)), facts),
        session_verdicts=tuple(map(recurring.with_duration, verdicts)),
        unseen=tuple(unseen),
        past_runs=facts.past.runs if facts.past else None,
        gone=recurring.gone(ranked, _Ended(facts)),
    )


class _Ended:
    """Decide whether the subject of an earlier run's finding is gone."""

    def __init__(self, facts: ScanFacts) -> None:
        findings = facts.known_past.findings
        wanted = {finding.hold for finding in findings if finding.hold}
        snapshots = [prefix.end for prefix in facts.prefixes] if wanted else []
        keys = (key.hold for snapshot in snapshots for key in snapshot.keys)
        self._holds = {hold for hold in keys if hold in wanted}
        leases = {lease for finding in findings for lease in finding.leases}
        self._leases = {
            lease
            for lease in leases.intersection(facts.sessions.listed)
            if not isinstance(facts.readings.get(lease, (None,))[-1], LeaseNotFound)
        }
        self._knows_leases = facts.sessions.is_counted

    def __call__(self, finding: PastFinding) -> bool:
        """Return whether a finding has ended; if not stored or not read, it has not."""
        if finding.hold is not None:
            return finding.hold not in self._holds
        return (
            self._knows_leases and bool(finding.leases) and not (self._leases & set(finding.leases))
        )


def _calm(report: LockReport) -> LockReport:
    """
    Return the report with a leak that is only possible below the findings.

    This includes a leak that only the waits made possible.
    """
    verdict = report.verdict
    if verdict.kind is not VerdictKind.SUSPECTED_LEAK or verdict.confidence is Confidence.LIKELY:
        return report
    others = sorted(report.verdicts[1:], key=lambda each: -each.severity)
    calm = replace(verdict, severity=Severity.OK)
    at = sum(each.severity > Severity.OK for each in others)
    return replace(report, verdicts=(*others[:at], calm, *others[at:]))


def _alike(traces: Iterable[RenewalTrace], facts: ScanFacts) -> tuple[SessionsAlike, ...]:
    return group_by_origin(traces, facts.cluster.members, facts.ended_at)


def _with_groups(verdict: Verdict, facts: ScanFacts) -> Verdict:
    """Add the origins of leaked sessions to a verdict, for the largest groups only."""
    groups = _alike((facts.traces[lease] for lease in verdict.leases), facts)
    return verdict.with_evidence(*groups[:MAX_GROUPS])


def _session_cases(facts: ScanFacts, gave_up: set[LeaseId]) -> Iterator[SessionCase]:
    """Yield every lease on which the last look-up found no keys."""
    for lease_id in sorted(facts.sessions.keyless):
        found = facts.traces[lease_id]
        last, first = found.last, next(iter(facts.present(lease_id)), None)
        if last is None or last.attached_keys:
            continue
        was_keyless = isinstance(first, LeaseReading) and first.attached_keys == ()
        yield SessionCase(
            trace=found,
            first_listed_at=facts.sessions.first_listed_at.get(lease_id, facts.started_at),
            is_new=lease_id not in facts.sessions.at_start,
            was_keyless=was_keyless,
            keyless_s=_keyless_s(facts, last, first) if was_keyless and first else 0.0,
            gave_up=lease_id in gave_up,
            needed_window_s=needed_window_s(last, 1),
        )


def _keyless_s(facts: ScanFacts, last: LeaseReading, first: Reading) -> float:
    """Return how long every look-up has found a lease without keys, in seconds."""
    since = facts.known_past.keyless_since.get(last.lease_id, first.answered_at)
    return max(0.0, last.asked_at - since)


def _unread_leases(unread: Mapping[LeaseId, str]) -> Iterator[Unseen]:
    for why, count in Counter(unread.values()).most_common():
        yield Unseen(what=Part.LEASES, count=count, why=why, is_failure=True)


def _ranked(reports: Iterable[LockReport]) -> list[LockReport]:
    """Return the worst reports first, equal ones by name; one small number ranks each."""
    ranked = sorted(reports, key=lambda report: report.lock.name)
    ranked.sort(key=_rank)
    return ranked


def _rank(report: LockReport) -> int:
    verdict = report.verdict
    blocks_nobody = verdict.is_finding and not report.lock.waiters
    return (2 * (Severity.CRITICAL - verdict.severity) + blocks_nobody) * len(KINDS) + KINDS.index(
        verdict.kind
    )
