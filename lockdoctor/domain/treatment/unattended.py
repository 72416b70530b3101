"""
Choose which locks may be freed unattended, and why the others may not.

Each of these is required: a rule of the policy that allows it, the proof of a leak, its age, the
runs before this one, room in what the journal leaves of the day, and a renewal that was seen in
this run, not only inferred from the lease's survival.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from lockdoctor.domain.evidence.age import SeenInEarlierRuns
from lockdoctor.domain.evidence.verdicts import Confidence, VerdictKind
from lockdoctor.domain.inference.lookup_schedule import keep_alive_period_s
from lockdoctor.domain.model.actions import Result
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.policy.policy import Policy, Treatment
from lockdoctor.domain.report.findings import Finding
from lockdoctor.domain.report.report import Report
from lockdoctor.domain.treatment.journal_entry import Entry
from lockdoctor.domain.treatment.plan import Refusal, Target
from lockdoctor.domain.treatment.reasons import FailureReason
from lockdoctor.domain.treatment.results import ActionResult

DAY_S = 86_400.0

MAX_WATCH_S = 120.0
"""
The maximum time to watch the leases to be treated, in seconds.

A client of Go's kind renews a lease of six minutes in that time. One with a longer TTL is judged by
the readings of two checks, which lie less than its TTL apart where checks are frequent.
"""

MAX_WATCHED = 32
"""The maximum number of leases watched, those of the longest holds."""

HARMLESS = frozenset({Result.REFUSED, Result.FAILED, Result.ALREADY_GONE})
"""Results that do not count against the limits, because no write was done."""


class TreatmentSkipReason(enum.Enum):
    """Why a leaked lock below a prefix that may be treated is not treated."""

    RUN_CUT_SHORT = enum.auto()
    NOT_PROVEN = enum.auto()
    NO_CONTENDER = enum.auto()
    HELD_TOO_BRIEFLY = enum.auto()
    IN_TOO_FEW_RUNS = enum.auto()
    RENEWAL_UNSEEN = enum.auto()
    ENOUGH_IN_THIS_RUN = enum.auto()
    ENOUGH_TODAY = enum.auto()


class AllowedLock(NamedTuple):
    """A lock that may be freed now."""

    finding: Finding
    key: bytes
    """The holder's."""
    prefix: bytes
    """The prefix of the rule that allows it."""
    treatment: Treatment


class SkippedLock(NamedTuple):
    """A leaked lock that may not be freed now."""

    finding: Finding
    why: TreatmentSkipReason


class TreatmentChoice(NamedTuple):
    """What a run may treat, the longest hold first, and what it may not."""

    chosen: tuple[AllowedLock, ...]
    skipped: tuple[SkippedLock, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnattendedResult:
    """The results of an unattended treatment."""

    treated: tuple[ActionResult[Target], ...] = ()
    refused: tuple[Refusal, ...] = ()
    """Chosen, and not planned, with the reasons."""
    skipped: tuple[SkippedLock, ...] = ()
    failure: FailureReason | None = None
    """Why no lock was treated, or no further lock."""

    @property
    def done(self) -> int:
        """Return the number of holds that were ended, or might have been."""
        return sum(each.result not in HARMLESS for each in self.treated)


def choose(
    report: Report,
    policy: Policy,
    journal: Iterable[Entry],
    renewed: Collection[LeaseId] = (),
) -> TreatmentChoice:
    """
    Return which leaked locks may be freed now, and why others may not.

    An entry of the journal whose outcome is unknown counts as done.

    Args:
        renewed: Leases that were seen to be renewed after the report was made.
    """
    candidates = sorted(_candidates(report, policy), key=lambda each: -_held_s(each.finding))
    today = _used(report, journal)
    in_this_run: Counter[bytes] = Counter()
    chosen, skipped = [], []
    for each in candidates:
        why = _skip_reason(each, report) or _over(
            each, in_this_run[each.prefix], today[each.prefix]
        )
        if not why and not _is_seen_renewed(each.finding, report, renewed):
            why = TreatmentSkipReason.RENEWAL_UNSEEN
        if why:
            skipped.append(SkippedLock(each.finding, why))
        else:
            chosen.append(each)
            in_this_run[each.prefix] += 1
            today[each.prefix] += 1
    return TreatmentChoice(tuple(chosen), tuple(skipped))


def to_watch(choice: TreatmentChoice) -> tuple[LeaseId, ...]:
    """Return the leases that are not treated only because no renewal was seen yet."""
    traces = (
        skipped.finding.lock.holder_trace
        for skipped in choice.skipped
        if skipped.why is TreatmentSkipReason.RENEWAL_UNSEEN and skipped.finding.lock
    )
    leases = (
        found.lease_id
        for found in traces
        if found and found.granted_ttl_s
        if keep_alive_period_s(found.granted_ttl_s) < MAX_WATCH_S
    )
    return tuple(dict.fromkeys(leases))[:MAX_WATCHED]


def _candidates(report: Report, policy: Policy) -> Iterator[AllowedLock]:
    for finding in report.located_findings:
        lock, key = finding.lock, finding.verdict.key
        if finding.verdict.kind is not VerdictKind.LEAKED_LOCK or lock is None or key is None:
            continue
        rule = policy.rule_for(lock.lock.name)
        if rule is not None and rule.treatment is not None:
            yield AllowedLock(finding, key, rule.prefix, rule.treatment)


def _skip_reason(each: AllowedLock, report: Report) -> TreatmentSkipReason | None:
    verdict, lock, treatment = each.finding.verdict, each.finding.lock, each.treatment
    if report.interrupted is not None:
        return TreatmentSkipReason.RUN_CUT_SHORT
    if verdict.confidence is not Confidence.PROVEN:
        return TreatmentSkipReason.NOT_PROVEN
    if lock is None or lock.lock.foreign_holder:
        return TreatmentSkipReason.NO_CONTENDER
    if not lock.lock.known_kind.may_be_planned:
        return TreatmentSkipReason.NOT_PROVEN
    if _held_s(each.finding) < treatment.min_held_s:
        return TreatmentSkipReason.HELD_TOO_BRIEFLY
    if _runs(each.finding) < treatment.min_runs:
        return TreatmentSkipReason.IN_TOO_FEW_RUNS
    return None


def _is_seen_renewed(finding: Finding, report: Report, renewed: Collection[LeaseId]) -> bool:
    found = finding.lock.holder_trace if finding.lock else None
    if found is None:
        return False
    at = found.closely_renewed_at
    return found.lease_id in renewed or (at is not None and at >= report.started_at)


def _over(each: AllowedLock, in_this_run: int, today: int) -> TreatmentSkipReason | None:
    if today >= each.treatment.max_per_day:
        return TreatmentSkipReason.ENOUGH_TODAY
    if in_this_run >= each.treatment.max_per_run:
        return TreatmentSkipReason.ENOUGH_IN_THIS_RUN
    return None


def _used(report: Report, journal: Iterable[Entry]) -> Counter[bytes]:
    """
    Count by prefix the unattended actions on this cluster in the last 24 hours.

    An entry from the future counts, too: some clock is wrong, and this is the safe side.
    """
    since = report.started_at - DAY_S
    return Counter(
        entry.intent.treated_under
        for entry in journal
        if entry.intent.treated_under is not None
        and entry.intent.cluster_id == report.cluster.cluster_id
        and entry.intent.at > since
        and entry.result not in HARMLESS
    )


def _held_s(finding: Finding) -> float:
    age = finding.lock.age if finding.lock else None
    return age.at_least_s if age else 0.0


def _runs(finding: Finding) -> int:
    """Return the number of successive runs with a finding; 1 without earlier runs."""
    return max(
        (e.runs for e in finding.verdict.evidence if isinstance(e, SeenInEarlierRuns)), default=1
    )
