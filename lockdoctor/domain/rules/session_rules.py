"""Judge leases without keys: sessions left by a released lock or a failed attempt."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import NamedTuple

from lockdoctor.domain.evidence import Evidence
from lockdoctor.domain.evidence.keys import Keyless
from lockdoctor.domain.evidence.remedies import Advice, Remedy, WatchLonger
from lockdoctor.domain.evidence.renewals import (
    LeaderChanged,
    LeaseEnded,
    NotRenewed,
    Renewed,
    Unobservable,
)
from lockdoctor.domain.evidence.sessions import AbandonedSessions, SessionsGrew, SessionsIdle
from lockdoctor.domain.evidence.verdicts import Confidence, Severity, Verdict, VerdictKind
from lockdoctor.domain.inference.lease_origin import LeaseOrigin
from lockdoctor.domain.inference.lookup_schedule import is_overdue
from lockdoctor.domain.inference.renewals import RenewalTrace
from lockdoctor.domain.inference.session_growth import MIN_NEW, Growth, growth_over_runs
from lockdoctor.domain.past.past import NO_PAST, Past
from lockdoctor.domain.policy.policy import Thresholds
from lockdoctor.domain.report.findings import SessionReport

PARTS = 3
"""The number of parts of the window; growth in more than one of them is no start-up."""


class Watch(NamedTuple):
    """The time in which a run watched."""

    started_at: float
    watched_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCase:
    """The data on one lease that had no keys at its last look-up."""

    trace: RenewalTrace
    first_listed_at: float
    """When the list of leases first had it."""
    is_new: bool
    """The first list of the run did not have it."""
    was_keyless: bool
    """Its first look-up found no keys either."""
    keyless_s: float
    """The minimum time that it was without keys, by every look-up, in seconds."""
    gave_up: bool
    """An attempt of it on a lock was seen to leave the queue without the lock."""
    needed_window_s: float
    """A window, in seconds, that would show a renewal."""


def report_session(case: SessionCase, origin: LeaseOrigin | None = None) -> SessionReport:
    """Judge one lease without keys by itself: a renewed one might be a pooled session."""
    return SessionReport(
        trace=case.trace,
        verdict=_verdict(case),
        is_new=case.is_new,
        gave_up=case.gave_up,
        origin=origin,
    )


def judge_sessions(
    cases: Sequence[SessionCase], thresholds: Thresholds, watch: Watch, past: Past = NO_PAST
) -> Iterator[Verdict]:
    """
    Judge all leases without keys together: growth without end is a leak.

    Only leases that are new count, not the number without keys at a moment: a pooled session has a
    key at times. Growth makes a leak likely at most, because a service that is scaled up grows,
    too.
    """
    yield from _grown(cases, thresholds.pile_up, watch, past)
    if thresholds.max_idle_session_s is not None:
        yield from _idle(cases, thresholds.max_idle_session_s)


def _grown(
    cases: Sequence[SessionCase], pile_up: int, watch: Watch, past: Past
) -> Iterator[Verdict]:
    """Judge the sessions that came from run to run, or while this run watched."""
    over_runs = _over_runs(cases, past)
    growth = over_runs or _within(cases, watch)
    gave_up = sum(case.gave_up for case in cases if case.is_new and is_renewed(case.trace))
    if growth and (growth.steps > 1 or gave_up >= MIN_NEW):
        piles_up = len(growth.leases) >= pile_up
        others = sum(is_renewed(case.trace) for case in cases) - len(growth.leases)
        grew = SessionsGrew(
            before=others + growth.ended,
            after=others + len(growth.leases),
            watched_s=watch.started_at + watch.watched_s - growth.since_at,
            steps=growth.steps,
            new=len(growth.leases),
            ended=growth.ended,
            over_runs=over_runs is not None,
        )
        yield Verdict(
            kind=VerdictKind.SESSION_PILE_UP if piles_up else VerdictKind.LEAKED_SESSION,
            severity=Severity.CRITICAL if piles_up else Severity.WARNING,
            confidence=Confidence.LIKELY,
            leases=tuple(sorted(growth.leases)),
            evidence=(grew, AbandonedSessions(gave_up)) if gave_up else (grew,),
            remedy=Advice.CLOSE_SESSIONS_UNLESS_SCALED_UP,
        )


def _idle(cases: Iterable[SessionCase], limit_s: float) -> Iterator[Verdict]:
    """Judge sessions without a key that were watched for longer than the idle limit."""
    idle_s = {
        case.trace.lease_id: case.keyless_s
        for case in cases
        if case.keyless_s >= limit_s and is_renewed(case.trace)
    }
    if idle_s:
        yield Verdict(
            kind=VerdictKind.LEAKED_SESSION,
            severity=Severity.WARNING,
            confidence=Confidence.PROVEN,
            leases=tuple(sorted(idle_s)),
            evidence=(SessionsIdle(len(idle_s), max(idle_s.values()), limit_s),),
            remedy=Advice.CLOSE_SESSIONS,
        )


def _over_runs(cases: Sequence[SessionCase], past: Past) -> Growth | None:
    """Return the growth since earlier runs, with what came and ended in this run."""
    if not past.listings:
        return None
    *earlier, present = past.listings
    fresh = frozenset(case.trace.lease_id for case in cases if case.is_new)
    ended = present.ended + _closed(cases)
    listings = (*earlier, replace(present, new=present.new | fresh, ended=ended))
    new = set(chain.from_iterable(listing.new for listing in listings))
    # One that had a key at this run's first look-up is a session at work, between two locks.
    idle = [c.trace for c in cases if c.trace.lease_id in new and (c.is_new or c.was_keyless)]
    renewed = {trace.lease_id for trace in idle if is_renewed(trace)}
    unproven = {t.lease_id for t in idle if not (t.renewals or t.is_gone or is_overdue(t))}
    return growth_over_runs(listings, renewed, unproven)


def _within(cases: Sequence[SessionCase], watch: Watch) -> Growth | None:
    """Return the growth while this run watched."""
    fresh = [c for c in cases if c.is_new and is_renewed(c.trace)]
    growth = Growth(
        leases=frozenset(case.trace.lease_id for case in fresh),
        ended=_closed(cases),
        since_at=watch.started_at,
        steps=_parts(fresh, watch),
    )
    return growth if growth.net >= MIN_NEW else None


def is_renewed(trace: RenewalTrace) -> bool:
    """Return whether the lease is proven renewed, without a sign of its end."""
    return trace.renewals > 0 and not trace.is_gone and not is_overdue(trace)


def _closed(cases: Iterable[SessionCase]) -> int:
    """Count the sessions that were ended; those of python-etcd3 mostly expire."""
    old = (case.trace for case in cases if not case.is_new)
    return sum(trace.ended_early or (trace.is_gone and trace.renewals > 0) for trace in old)


def _parts(fresh: Iterable[SessionCase], watch: Watch) -> int:
    """Return the number of parts of the window in which a new session came."""
    share = max(watch.watched_s, 1e-9) / PARTS
    return len({min(PARTS - 1, int((c.first_listed_at - watch.started_at) / share)) for c in fresh})


def _verdict(case: SessionCase) -> Verdict:
    trace = case.trace
    kind, confidence = VerdictKind.UNDETERMINED, Confidence.UNDETERMINED
    remedy: Remedy = Advice.SCAN_AGAIN
    evidence: list[Evidence] = [Keyless()]
    if trace.is_gone:
        kind, confidence = VerdictKind.EXPIRING, Confidence.PROVEN
        remedy = Advice.NOTHING_TO_DO_LEASE_ENDED
        evidence.append(LeaseEnded())
    elif is_renewed(trace):
        kind, confidence = VerdictKind.IDLE_SESSION, Confidence.PROVEN
        remedy = Advice.NOTHING_TO_DO_FOR_ONE
        evidence.append(renewed(trace))
    elif trace.last and is_overdue(trace):
        kind, confidence = VerdictKind.EXPIRING, Confidence.LIKELY
        remedy = Advice.NOTHING_TO_DO_EXPIRES
        evidence.append(not_renewed(trace, trace.last.granted_ttl_s))
    elif trace.last:
        remedy = WatchLonger(math.ceil(case.needed_window_s))
        evidence.append(Unobservable(case.needed_window_s, trace.last.granted_ttl_s))
    if trace.unconfirmed:
        evidence.append(LeaderChanged(discarded=trace.unconfirmed))
    return Verdict(
        kind=kind,
        severity=Severity.OK,
        confidence=confidence,
        leases=(trace.lease_id,),
        evidence=tuple(evidence),
        remedy=remedy,
    )


def renewed(trace: RenewalTrace) -> Renewed:
    """Return the renewals that the readings prove."""
    return Renewed(trace.renewals, trace.watched_s, trace.at_most_every_s)


def not_renewed(trace: RenewalTrace, granted_s: int) -> NotRenewed:
    """Return the time without a renewal, and the remaining TTL."""
    return NotRenewed(trace.unrenewed_for_s, trace.left_s, granted_s)
