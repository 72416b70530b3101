"""Accept findings until a date, with a reason, as lockdoctor.toml lists them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from lockdoctor.domain.evidence.age import WithinLimit
from lockdoctor.domain.evidence.verdicts import (
    OF_SESSIONS,
    Accepted,
    Severity,
    Verdict,
    VerdictKind,
)
from lockdoctor.domain.policy.policy import is_below
from lockdoctor.domain.report.findings import LockReport
from lockdoctor.domain.report.notes import AcceptanceWithoutEffect, Note
from lockdoctor.domain.report.report import Report

WEAKER = {
    VerdictKind.LEAKED_LOCK: VerdictKind.SUSPECTED_LEAK,
    VerdictKind.SESSION_PILE_UP: VerdictKind.LEAKED_SESSION,
}
"""
An acceptance of the first verdict accepts the second, too: it has the same content with less proof,
or for fewer sessions.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """
    One entry of lockdoctor.toml.

    It is about one lock, the locks below a prefix, or one key. It names no lock, prefix or key if
    its verdict is one of leases without keys.
    """

    verdict: VerdictKind
    until: date
    """The last day on which it is valid, in UTC."""
    reason: str
    where: str
    """File and line, for the user who has to correct it."""
    lock: bytes | None = None
    prefix: bytes | None = None
    key: bytes | None = None

    def holds_on(self, today: date) -> bool:
        """Return whether it has not expired yet."""
        return today <= self.until

    def fits(self, verdict: Verdict) -> bool:
        """Return whether it accepts a finding."""
        if verdict.kind not in {self.verdict, WEAKER.get(self.verdict)}:
            return False
        if verdict.severity < Severity.WARNING:
            return False
        if verdict.lock is None:
            return self.verdict in OF_SESSIONS
        return self._names(verdict.lock.name, verdict.key)

    def concerns(self, report: LockReport) -> bool:
        """Return whether it is about a lock, whatever the verdict."""
        holder = report.lock.holder
        return self._names(report.lock.name, holder.key if holder else None)

    def is_in_view_of(self, report: Report) -> bool:
        """Return whether all that it is about is below the prefixes of a run."""
        if self.verdict in OF_SESSIONS:
            return report.lists_sessions
        about = next(each for each in (self.lock, self.prefix, self.key) if each is not None)
        return any(is_below(about, prefix) for prefix in report.prefixes)

    def _names(self, lock: bytes, key: bytes | None) -> bool:
        if self.prefix is not None:
            return is_below(lock, self.prefix)
        return lock == self.lock if self.lock is not None else key == self.key


def accept(report: Report, acceptances: Sequence[Acceptance], today: date) -> Report:
    """
    Mark the accepted findings of a report, and note acceptances without effect.

    An expired acceptance accepts no finding, and the report notes it. It also notes an acceptance
    that matches no finding any more, if the run has seen enough to conclude so.

    Args:
        today: In UTC.
    """
    if not acceptances:
        return report
    valid = [each for each in acceptances if each.holds_on(today)]
    locks = [_with_accepted(lock, valid) for lock in report.locks]
    locks.sort(key=lambda lock: not any(verdict.is_finding for verdict in lock.verdicts))
    return replace(
        report,
        locks=tuple(locks),
        session_verdicts=tuple(_accepted(verdict, valid) for verdict in report.session_verdicts),
        notes=(*report.notes, *_notes(report, acceptances, today)),
    )


def _with_accepted(lock: LockReport, valid: Sequence[Acceptance]) -> LockReport:
    return replace(lock, verdicts=tuple(_accepted(verdict, valid) for verdict in lock.verdicts))


def _accepted(verdict: Verdict, valid: Sequence[Acceptance]) -> Verdict:
    """Mark a finding with the fitting acceptance that is valid longest."""
    fitting = [each for each in valid if each.fits(verdict)]
    if not fitting:
        return verdict
    longest = max(fitting, key=lambda each: each.until)
    return replace(verdict, accepted=Accepted(until=longest.until, reason=longest.reason))


def _notes(report: Report, acceptances: Sequence[Acceptance], today: date) -> Iterator[Note]:
    verdicts = [verdict for lock in report.locks for verdict in lock.verdicts]
    verdicts += report.session_verdicts
    for each in acceptances:
        fits = any(map(each.fits, verdicts))
        has_expired = not each.holds_on(today)
        if (has_expired and (fits or each.is_in_view_of(report))) or (
            not fits and _has_seen_enough(report, each)
        ):
            yield AcceptanceWithoutEffect(
                each.where, each.verdict, each.until, has_expired=has_expired, is_found=fits
            )


def _has_seen_enough(report: Report, acceptance: Acceptance) -> bool:
    """Return whether the run would have reached the accepted verdict."""
    proves_nothing = not (report.window_s or report.past_runs)
    if proves_nothing or report.interrupted or any(each.is_failure for each in report.unseen):
        return False
    might_have_it = (lock for lock in report.locks if any(map(_is_open, lock.verdicts)))
    return acceptance.is_in_view_of(report) and not any(map(acceptance.concerns, might_have_it))


def _is_open(verdict: Verdict) -> bool:
    """Return whether another run, or another limit, might lead to a finding instead."""
    return (
        verdict.kind is VerdictKind.UNDETERMINED
        or (verdict.kind is VerdictKind.SUSPECTED_LEAK and verdict.severity is Severity.OK)
        or any(isinstance(each, WithinLimit) for each in verdict.evidence)
    )
