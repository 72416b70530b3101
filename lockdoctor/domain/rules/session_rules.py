"""Judge leases without keys: sessions left by a released lock or a failed attempt."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
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
from lockdoctor.domain.model.leases import LeaseId
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
) -> tuple[Verdict, ...]:
    """
    Judge all leases without keys together: growth without end is a leak.

    Only leases that are new count, not the number without keys at a moment: a pooled session has a
    key at times. Growth makes a leak likely at most, because a service that is scaled up grows,
    too.
    """
    found = (
        _grown(cases, thresholds.pile_up, watch, past),
        _idle(cases, thresholds.max_idle_session_s),
    )
    return tuple(verdict for verdict in found if verdict)


def _grown(cases: Sequence[SessionCase], pile_up: int, watch: Watch, past: Past) -> Verdict | None:
    """Judge the sessions that came from run to run, or while this run watched."""
    over_runs = _over_runs(cases, past)
    growth = over_runs or _within(cases, watch)
    given_up = sum(case.gave_up for case in cases if case.is_new and is_renewed(case.trace))
    if growth is None or (growth.steps == 1 and given_up < MIN_NEW):
        return None
    watched_s = watch.started_at + watch.watched_s - growth.since_at
    others = sum(is_renewed(case.trace) for case in cases) - len(growth.leases)
    evidence: list[Evidence] = [
        SessionsGrew(
            before=others + growth.ended,
            after=others + len(growth.leases),
            watched_s=watched_s,
            steps=growth.steps,
            new=len(growth.leases),
            ended=growth.ended,
            over_runs=over_runs is not None,
        )
    ]
    evidence += [AbandonedSessions(sessions=given_up)] if given_up else []
    piles_up = len(growth.leases) >= pile_up
    return _leak(evidence, growth.leases, is_proven=False, piles_up=piles_up)


def _over_runs(cases: Sequence[SessionCase], past: Past) -> Growth | None:
    """Return the growth since earlier runs, with what came and ended in this run."""
    if not past.listings:
        return None
    *earlier, present = past.listings
    fresh = frozenset(case.trace.lease_id for case in cases if case.is_new)
    closed = sum(not case.is_new and _was_closed(case.trace) for case in cases)
    present = replace(present, new=present.new | fresh, ended=present.ended + closed)
    listings = (*earlier, present)
    new = set(chain.from_iterable(listing.new for listing in listings))
    # One that had a key at this run's first look-up is a session at work, between two locks.
    idle = [c.trace for c in cases if c.trace.lease_id in new and (c.is_new or c.was_keyless)]
    renewed = {trace.lease_id for trace in idle if is_renewed(trace)}
    unproven = {trace.lease_id for trace in idle if _is_open(trace)}
    return growth_over_runs(listings, renewed, unproven)


def _within(cases: Sequence[SessionCase], watch: Watch) -> Growth | None:
    """Return the growth while this run watched."""
    fresh = [c for c in cases if c.is_new and is_renewed(c.trace)]
    growth = Growth(
        leases=frozenset(case.trace.lease_id for case in fresh),
        ended=sum(not case.is_new and _was_closed(case.trace) for case in cases),
        since_at=watch.started_at,
        steps=_parts(fresh, watch),
    )
    return growth if growth.net >= MIN_NEW else None


def _idle(cases: Sequence[SessionCase], limit_s: float | None) -> Verdict | None:
    """Judge sessions without a key that were watched for longer than the idle limit."""
    if limit_s is None:
        return None
    idle_s = {
        case.trace.lease_id: case.keyless_s
        for case in cases
        if is_renewed(case.trace) and case.keyless_s >= limit_s
    }
    if not idle_s:
        return None
    evidence = SessionsIdle(len(idle_s), max(idle_s.values()), limit_s)
    return _leak([evidence], idle_s, is_proven=True, piles_up=False)


def _leak(
    evidence: list[Evidence], leases: Iterable[LeaseId], *, is_proven: bool, piles_up: bool
) -> Verdict:
    return Verdict(
        kind=VerdictKind.SESSION_PILE_UP if piles_up else VerdictKind.LEAKED_SESSION,
        severity=Severity.CRITICAL if piles_up else Severity.WARNING,
        confidence=Confidence.PROVEN if is_proven else Confidence.LIKELY,
        lock=None,
        key=None,
        leases=tuple(sorted(leases)),
        evidence=tuple(evidence),
        remedy=Advice.CLOSE_SESSIONS if is_proven else Advice.CLOSE_SESSIONS_UNLESS_SCALED_UP,
    )


def is_renewed(trace: RenewalTrace) -> bool:
    """Return whether the lease is proven renewed, without a sign of its end."""
    return trace.renewals > 0 and not trace.is_gone and not is_overdue(trace)


def _is_open(trace: RenewalTrace) -> bool:
    """Return whether the lease is too new to be proven renewed."""
    return not (trace.renewals or trace.is_gone or is_overdue(trace))


def _was_closed(trace: RenewalTrace) -> bool:
    """
    Return whether a session was ended, not expired.

    python-etcd3 leaves many sessions that expire.
    """
    return trace.ended_early or (trace.is_gone and trace.renewals > 0)


def _parts(fresh: Iterable[SessionCase], watch: Watch) -> int:
    """Return the number of parts of the window in which a new session came."""
    share = max(watch.watched_s, 1e-9) / PARTS
    return len({min(PARTS - 1, int((c.first_listed_at - watch.started_at) / share)) for c in fresh})


def _verdict(case: SessionCase) -> Verdict:
    found = case.trace
    last = found.last
    kind, confidence = VerdictKind.UNDETERMINED, Confidence.UNDETERMINED
    remedy: Remedy = Advice.SCAN_AGAIN
    evidence: list[Evidence] = [Keyless()]
    if found.is_gone:
        kind, confidence = VerdictKind.EXPIRING, Confidence.PROVEN
        remedy = Advice.NOTHING_TO_DO_LEASE_ENDED
        evidence.append(LeaseEnded())
    elif is_renewed(found):
        kind, confidence = VerdictKind.IDLE_SESSION, Confidence.PROVEN
        remedy = Advice.NOTHING_TO_DO_FOR_ONE
        evidence.append(renewed(found))
    elif last and is_overdue(found):
        kind, confidence = VerdictKind.EXPIRING, Confidence.LIKELY
        remedy = Advice.NOTHING_TO_DO_EXPIRES
        evidence.append(not_renewed(found, last.granted_ttl_s))
    elif last:
        remedy = WatchLonger(math.ceil(case.needed_window_s))
        evidence.append(Unobservable(needed_s=case.needed_window_s, granted_s=last.granted_ttl_s))
    if found.unconfirmed:
        evidence.append(LeaderChanged(discarded=found.unconfirmed))
    return Verdict(
        kind=kind,
        severity=Severity.OK,
        confidence=confidence,
        lock=None,
        key=None,
        leases=(LeaseId(found.lease_id),),
        evidence=tuple(evidence),
        remedy=remedy,
    )


def renewed(found: RenewalTrace) -> Renewed:
    """Return the renewals that the readings prove."""
    return Renewed(
        renewals=found.renewals, watched_s=found.watched_s, at_most_every_s=found.at_most_every_s
    )


def not_renewed(found: RenewalTrace, granted_s: int) -> NotRenewed:
    """Return the time without a renewal, and the remaining TTL."""
    return NotRenewed(
        unrenewed_for_s=found.unrenewed_for_s, remaining_s=found.left_s, granted_s=granted_s
    )
