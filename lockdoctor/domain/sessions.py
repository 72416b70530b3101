"""Leases without keys: sessions whose lock was released, or whose attempt on one timed out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lockdoctor.domain.evidence import (
    Evidence,
    Forecast,
    FromGivenUpAttempts,
    Keyless,
    LeaderChanged,
    LeaseEnded,
    NotRenewed,
    Renewed,
    SessionsGrew,
    SessionsIdle,
    Unobservable,
)
from lockdoctor.domain.leases import LeaseId
from lockdoctor.domain.origins import Origin
from lockdoctor.domain.past import NO_PAST, Past
from lockdoctor.domain.policy import Thresholds
from lockdoctor.domain.renewals import RenewalTrace
from lockdoctor.domain.report import SessionReport
from lockdoctor.domain.schedule import is_overdue
from lockdoctor.domain.verdicts import Confidence, Severity, Verdict, VerdictKind
from lockdoctor.values import dataclass

FEWEST_NEW = 3
"""Fewer new sessions than this may be one worker's start or one slow request."""

PARTS = 3
"""The window is cut into so many parts; growth in more than one of them is no start-up."""


MANY = 5
"""Growth in so many runs in a row is a pile-up, whatever the number."""


class Watch(NamedTuple):
    """The time in which a run watched."""

    started_at: float
    watched_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCase:
    """What was seen of one lease that had no keys when it was last looked at."""

    trace: RenewalTrace
    first_listed_at: float
    """When the list of leases first had it."""
    is_new: bool
    """The first list of the run did not have it."""
    was_keyless: bool
    """The first look at it found no keys either."""
    keyless_s: float
    """It has been seen without keys, by every look, for at least so long."""
    gave_up: bool
    """An attempt of it on a lock was seen to leave the queue without the lock."""
    needed_window_s: float
    """A window that would show a renewal."""


def report_session(case: SessionCase, origin: Origin | None = None) -> SessionReport:
    """Judge one lease without keys by itself: a renewed one may be a pooled session."""
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
    Judge all leases without keys together: a number that grows is a leak.

    Only leases that were granted while we watched count as growth: a pooled session goes from
    key to no key and back without being a new one. And one worker more is no leak: it takes
    several, in several parts of the window or from run to run, or several whose attempt on a lock
    was seen to give up.
    """
    count = sum(is_renewed(case.trace) for case in cases)
    growth = _from_run_to_run(count, watch, past) or _within(cases, watch)
    fresh = [case for case in cases if case.is_new and is_renewed(case.trace)]
    given_up = sum(case.gave_up for case in fresh)
    idle = _idle(cases, thresholds.max_idle_session_s)
    evidence: list[Evidence] = []
    is_proven = bool(idle)
    if growth and (growth.steps > 1 or given_up >= FEWEST_NEW):
        evidence.append(growth)
        is_proven = is_proven or growth.steps > 1
        evidence += [FromGivenUpAttempts(sessions=given_up)] if given_up else []
    piles_up = False
    if evidence and growth:
        piles_up = count >= thresholds.pile_up or growth.steps >= MANY
        evidence += [_forecast(count, growth)] if piles_up else []
    evidence += idle
    if not evidence:
        return ()
    # One that had a key at our first look is a session at work, between two locks.
    stale = [case for case in cases if case.is_new or case.was_keyless]
    leases = tuple(case.trace.lease_id for case in stale if is_renewed(case.trace))
    return (_leak(evidence, leases, is_proven=is_proven, piles_up=piles_up),)


def _within(cases: Sequence[SessionCase], watch: Watch) -> SessionsGrew | None:
    """Growth while this run watched."""
    standing = [c for c in cases if not c.is_new and c.was_keyless and is_renewed(c.trace)]
    fresh = [c for c in cases if c.is_new and is_renewed(c.trace)]
    closed = [c for c in cases if not c.is_new and _was_closed(c.trace)]
    if len(fresh) - len(closed) < FEWEST_NEW:
        return None
    return SessionsGrew(
        before=len(standing) + len(closed),
        after=len(standing) + len(fresh),
        watched_s=watch.watched_s,
        steps=_parts(fresh, watch),
    )


def _from_run_to_run(count: int, watch: Watch, past: Past) -> SessionsGrew | None:
    """Growth over the runs before this one, as far back as the number never fell."""
    since, low, steps = watch.started_at, count, 0
    for earlier in reversed(past.session_counts):
        if earlier.sessions > low:
            break
        steps += earlier.sessions < low
        since, low = earlier.at, earlier.sessions
    if count - low < FEWEST_NEW or steps < 2:  # noqa: PLR2004 - one step may be a start-up
        return None
    watched_s = watch.started_at + watch.watched_s - since
    return SessionsGrew(before=low, after=count, watched_s=watched_s, steps=steps)


def _idle(cases: Sequence[SessionCase], limit_s: float | None) -> list[Evidence]:
    """Sessions that were watched for longer than one may be idle, and never had a key."""
    if limit_s is None:
        return []
    idle_s = [
        case.keyless_s for case in cases if is_renewed(case.trace) and case.keyless_s >= limit_s
    ]
    return [SessionsIdle(len(idle_s), max(idle_s), limit_s)] if idle_s else []


def _forecast(count: int, growth: SessionsGrew) -> Forecast:
    per_hour = (growth.after - growth.before) / growth.watched_s * 3600
    return Forecast(per_hour=per_hour, sessions_in_a_day=count + round(24 * per_hour))


def _leak(
    evidence: list[Evidence], leases: tuple[LeaseId, ...], *, is_proven: bool, piles_up: bool
) -> Verdict:
    return Verdict(
        kind=VerdictKind.SESSION_PILE_UP if piles_up else VerdictKind.LEAKED_SESSION,
        severity=Severity.CRITICAL if piles_up else Severity.WARNING,
        confidence=Confidence.PROVEN if is_proven else Confidence.LIKELY,
        lock=None,
        key=None,
        leases=leases,
        evidence=tuple(evidence),
        remedy="Some client opens sessions and never closes them: look for a NewSession"
        " without Close (also on the path where Lock times out), mend it, and restart the"
        " process; its leases end by themselves once it has stopped.",
    )


def is_renewed(trace: RenewalTrace) -> bool:
    """Tell whether the lease was proven to be renewed, and nothing says that this has ended."""
    return trace.renewals > 0 and not trace.is_gone and not is_overdue(trace)


def _was_closed(trace: RenewalTrace) -> bool:
    """Tell a session that was ended from one that ran out, as python-etcd3 leaves many."""
    return trace.ended_early or (trace.is_gone and trace.renewals > 0)


def _parts(fresh: Iterable[SessionCase], watch: Watch) -> int:
    """Count the parts of the window in which a session came up."""
    share = max(watch.watched_s, 1e-9) / PARTS
    return len({min(PARTS - 1, int((c.first_listed_at - watch.started_at) / share)) for c in fresh})


def _verdict(case: SessionCase) -> Verdict:
    found = case.trace
    last = found.last
    kind, confidence, remedy = VerdictKind.UNDETERMINED, Confidence.UNDETERMINED, ""
    evidence: list[Evidence] = [Keyless()]
    if found.is_gone:
        kind, confidence = VerdictKind.EXPIRING, Confidence.PROVEN
        remedy = "Nothing to do: the lease is gone."
        evidence.append(LeaseEnded())
    elif is_renewed(found):
        kind, confidence = VerdictKind.IDLE_SESSION, Confidence.PROVEN
        remedy = "Nothing to do for one of them: it may be a session between two locks."
        evidence.append(renewed(found))
    elif last and is_overdue(found):
        kind, confidence = VerdictKind.EXPIRING, Confidence.LIKELY
        remedy = "Nothing to do: etcd ends the lease by itself."
        evidence.append(not_renewed(found, last.granted_ttl_s))
    elif last:
        remedy = f"Watch longer: --window {math.ceil(case.needed_window_s)}s."
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
        remedy=remedy or "Look again.",
    )


def renewed(found: RenewalTrace) -> Renewed:
    """Say what the readings prove of the renewals."""
    return Renewed(
        renewals=found.renewals,
        watched_s=found.watched_s,
        at_most_every_s=found.at_most_every_s,
    )


def not_renewed(found: RenewalTrace, granted_s: int) -> NotRenewed:
    """Say how long the lease has gone without a renewal, and what is left of it."""
    return NotRenewed(
        unrenewed_for_s=found.unrenewed_for_s, remaining_s=found.left_s, granted_s=granted_s
    )
