"""
Leases that etcd failed to end, lost, or lists though they are gone.

Under churn a lease and its keys vanish between any two answers, a member lags behind another for a
moment, and a crowd of leases that run out at once is ended with a delay of seconds. So nothing
here speaks before the same was seen twice, with time in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile

from lockdoctor.domain.evidence import Evidence, Expired, ListedButGone
from lockdoctor.domain.evidence.verdicts import Confidence, Severity, Verdict, VerdictKind
from lockdoctor.domain.inference.renewals import RenewalTrace, is_usable
from lockdoctor.domain.model.leases import LeaseGone, LeaseId, Observation, Reading

AGAIN_S = 5.0
"""
So far apart must two readings of something odd be.

When 4,800 leases ran out at once, etcd 3.4 and 3.5 were three seconds late with the last of them.
"""

REVOKES_FAIL = (
    "Look into the members' logs for revokes that fail, and at their versions: a role or token"
    " that may not revoke (etcd issues 13172 and 14616) and stepped clocks of 3.4 (12291) do this."
)


def expired_for_s(readings: Sequence[Reading]) -> float | None:
    """
    Say for how long etcd has failed to end a lease, at least, when last read.

    Returns:
        None where it has not, or where it was not seen twice.
    """
    last = readings[-1] if readings else None
    if not isinstance(last, Observation) or not is_late(last):
        return None
    first = _earliest(takewhile(is_late, reversed(readings)))
    return float(-last.remaining_ttl_s) if last.asked_at - first.answered_at >= AGAIN_S else None


def gone_since(readings: Sequence[Reading]) -> float | None:
    """
    Say since when a lease is known to be gone, where two readings with time in between found so.

    Returns:
        When the first of them was answered.
    """
    last = readings[-1] if readings else None
    if not isinstance(last, LeaseGone):
        return None
    first = _earliest(takewhile(_is_gone, reversed(readings)))
    return first.answered_at if last.asked_at - first.answered_at >= AGAIN_S else None


def is_late(reading: Reading) -> bool:
    """Tell whether the lease's time was over, though etcd had it still."""
    return isinstance(reading, Observation) and is_usable(reading) and reading.remaining_ttl_s < 0


def judge_lost(
    traces: Mapping[LeaseId, RenewalTrace],
    keyless: Iterable[LeaseId],
    still_listed: Mapping[LeaseId, float],
) -> tuple[Verdict, ...]:
    """
    Judge the leases without keys: those that etcd does not end, and those that only a list has.

    Args:
        still_listed: Of leases that a look found gone, when the last list was asked for that had
            them all the same.
    """
    late = {
        lease: found
        for lease in keyless
        if lease in traces and (found := expired_for_s(traces[lease].readings)) is not None
    }
    ghosts = {
        lease: listed_at - since
        for lease, listed_at in still_listed.items()
        if lease in traces and (since := gone_since(traces[lease].readings)) is not None
        if listed_at - since >= AGAIN_S
    }
    verdicts = []
    if late:
        expired = Expired(leases=len(late), for_s=max(late.values()))
        verdicts.append(_of_many(VerdictKind.OVERDUE, late, expired, REVOKES_FAIL))
    if ghosts:
        listed = ListedButGone(leases=len(ghosts), for_s=max(ghosts.values()))
        remedy = (
            "Ask each member for its list and compare: one of them has lost track of its leases"
            " (etcd issue 14019). Revoking does not help; replace that member."
        )
        verdicts.append(_of_many(VerdictKind.GHOST_LEASE, ghosts, listed, remedy))
    return tuple(verdicts)


def _of_many(
    kind: VerdictKind, leases: Iterable[LeaseId], evidence: Evidence, remedy: str
) -> Verdict:
    return Verdict(
        kind=kind,
        severity=Severity.WARNING,
        confidence=Confidence.PROVEN,
        lock=None,
        key=None,
        leases=tuple(sorted(leases)),
        evidence=(evidence,),
        remedy=remedy,
    )


def _is_gone(reading: Reading) -> bool:
    return isinstance(reading, LeaseGone)


def _earliest(backwards: Iterable[Reading]) -> Reading:
    *_, first = backwards
    return first
