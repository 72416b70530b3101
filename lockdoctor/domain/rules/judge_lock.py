"""One small rule per verdict on a lock; diagnose() asks them all."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import islice

from lockdoctor.domain.evidence import (
    ByDesign,
    ClaimedAge,
    Evidence,
    Expired,
    ForeignHolder,
    GaveUp,
    HandedOver,
    Held,
    LateRenewal,
    LeaderChanged,
    LeaseEnded,
    LongTtl,
    LostItsLease,
    NoHandOver,
    NoLease,
    OtherKeys,
    PossiblePhantom,
    QueueCut,
    Rewritten,
    UnknownShape,
    Unobservable,
    Unread,
    Waiting,
    WithinLimit,
)
from lockdoctor.domain.evidence.verdicts import Confidence, Severity, Verdict, VerdictKind
from lockdoctor.domain.inference.lease_expiry import REVOKES_FAIL, expired_for_s
from lockdoctor.domain.inference.lookup_schedule import LATE_SHARE, is_overdue
from lockdoctor.domain.model.locks import CONTENDED_FOR, Kind, LockKey, Recipe
from lockdoctor.domain.rules.leak_score import weigh
from lockdoctor.domain.rules.lock_case import LockCase
from lockdoctor.domain.rules.session_rules import not_renewed, renewed

BY_DESIGN = frozenset({Kind.ELECTION, Kind.REGISTRATION})
"""Held as long as the process lives; age alone says nothing about them."""

MOST_OTHER_KEYS = 20
"""So many of the keys that a lease carries outside a lock are named; the rest is counted."""

CONVINCING_RENEWALS = 2
"""So often must a hold be renewed in front of our eyes to be suspected without a known age."""


Rule = Callable[[LockCase], "Verdict | None"]


def diagnose(case: LockCase) -> tuple[Verdict, ...]:
    """
    Judge one lock.

    Returns:
        The verdict on its state, and those on what else is wrong with it; the worst first.
    """
    state = next(verdict for rule in STATE_RULES if (verdict := rule(case)))
    others = [verdict for rule in OTHER_RULES if (verdict := rule(case, state))]
    return tuple(sorted([state, *others], key=lambda verdict: -verdict.severity))


def eternal_lock(case: LockCase) -> Verdict | None:
    """A key of a lock or an election without a lease: only a client will ever delete it."""
    bare = next((key for key in case.lock.keys if not key.has_lease), None)
    if bare is None or case.lock.kind not in CONTENDED_FOR or not case.lock.queue_is_whole:
        return None
    may_be_data = case.lock.may_be_data(bare)
    # Those who stand by to lead may leave no keys: they are kept out all the same.
    blocks = bare is case.holder and (case.lock.waiters or case.lock.kind is Kind.ELECTION)
    return _verdict(
        case,
        VerdictKind.ETERNAL_LOCK,
        Severity.CRITICAL if blocks else Severity.WARNING,
        Confidence.PROVEN,
        [NoLease(in_lock_shape=not may_be_data), *_hold(case), *_queue(case)],
        "Find out what the key is for: it might be data. The queue moves once it is gone."
        if may_be_data
        else "If the process that wrote the key is gone, delete the key; a client that writes its"
        " key on a lease leaves none behind.",
        key=bare,
    )


def dangling_holder(case: LockCase) -> Verdict | None:
    """The holder's lease is gone, but its key stands: nothing ends this hold."""
    return _dangling(case) if case.dangling and case.dangling.key is case.holder else None


def overdue(case: LockCase) -> Verdict | None:
    """The holder's time is over, but etcd does not end its lease."""
    for_s = expired_for_s(case.trace.readings) if case.trace else None
    if for_s is None or case.is_released:
        return None
    return _verdict(
        case,
        VerdictKind.OVERDUE,
        Severity.CRITICAL if case.lock.waiters else Severity.WARNING,
        Confidence.PROVEN,
        [Expired(leases=1, for_s=for_s), *_queue(case), *_hold(case)],
        f"{REVOKES_FAIL} Until then revoke the lease by hand, as a user who may; that frees it.",
    )


def leaked_lock(case: LockCase) -> Verdict | None:
    """A hold that is kept alive and has lasted longer than the operator's limit."""
    limit_s = case.thresholds.stated_limit_s
    if not (case.is_judged_by_age and case.is_renewed and case.age and case.renewals_of_hold):
        return None
    if limit_s is None or case.age.at_least_s < limit_s:
        return None
    critical_s = case.thresholds.critical_hold_s
    is_past_critical = critical_s is not None and case.age.at_least_s >= critical_s
    return _verdict(
        case,
        VerdictKind.LEAKED_LOCK,
        Severity.CRITICAL if case.is_blocking or is_past_critical else Severity.WARNING,
        Confidence.PROVEN,
        [
            *_hold(case),
            *_renewals(case),
            NoHandOver(case.age.at_least_s),
            *_queue(case),
            *_phantom(case),
            *_other_keys(case),
        ],
        "Restart the process that holds it, or revoke the lease; then mend the code: every"
        " Lock needs its Unlock, every NewSession its Close.",
    )


def suspected_leak(case: LockCase) -> Verdict | None:
    """
    A hold that is kept alive and is not proven to exceed a stated limit.

    A health check mentions only holds that are old, and alarms only where a leak is likely. Where
    a limit is stated it leaves the verdict to its next run, which will know.
    """
    if not (case.is_judged_by_age and case.is_renewed and case.age):
        return None
    if case.is_new_hold:
        return None
    is_stated, suspects = case.thresholds.stated_limit_s is not None, case.thresholds.suspects
    if not suspects and (is_stated or case.age.at_least_s < case.limit_s):
        return None
    if case.renewals_of_hold < (1 if is_stated else CONVINCING_RENEWALS):
        return None
    if is_stated and case.is_within_limit:
        return None
    about, weighed = case.age.estimate, weigh(case)
    is_likely = weighed.points >= weighed.needed
    if is_stated and not is_likely:
        return None
    return _verdict(
        case,
        VerdictKind.SUSPECTED_LEAK,
        Severity.WARNING if suspects or is_likely else Severity.OK,
        Confidence.LIKELY if is_likely else Confidence.POSSIBLE,
        [
            *_renewals(case),
            NoHandOver(case.age.at_least_s),
            *_queue(case),
            *_hold(case),
            *([about] if about else []),
            *([weighed] if weighed.weights else []),
            *_phantom(case),
            *_other_keys(case),
        ],
        "Find out whether its holder is still at work; say how long a hold may last"
        " (--max-hold) and scan again: a hold that lasts longer is proven leaked.",
    )


def expiring(case: LockCase) -> Verdict | None:
    """The holder's lease counts down: etcd will free the lock by itself."""
    found = case.trace
    if found is None or found.last is None or case.is_new_hold:
        return None
    granted_s = found.last.granted_ttl_s
    if found.is_gone and case.is_released and not found.ended_early:
        return _verdict(
            case,
            VerdictKind.EXPIRING,
            Severity.OK,
            Confidence.PROVEN,
            [not_renewed(found, granted_s), LeaseEnded(), *_renewals(case), *_changes(case)],
            "Nothing to do: etcd has ended the lease and freed the lock.",
        )
    if found.is_gone or case.is_released or not is_overdue(found):
        return None
    return _verdict(
        case,
        VerdictKind.EXPIRING,
        Severity.OK,
        Confidence.LIKELY,
        [not_renewed(found, granted_s), *_renewals(case), *_queue(case), *_changes(case)],
        "Nothing to do: etcd frees the lock when the time is up, unless its client renews it.",
    )


def healthy(case: LockCase) -> Verdict | None:
    """Seen to be released, within its limit, or kept by design."""
    evidence = _health(case)
    if evidence is None:
        return None
    return _verdict(
        case,
        VerdictKind.HEALTHY,
        Severity.OK,
        Confidence.PROVEN,
        evidence,
        "Nothing to do.",
    )


def undetermined(case: LockCase) -> Verdict:
    """Not enough evidence, and what would decide."""
    evidence, remedy = _what_is_missing(case)
    return _verdict(
        case,
        VerdictKind.UNDETERMINED,
        Severity.OK,
        Confidence.UNDETERMINED,
        [*evidence, *_renewals(case), *_queue(case), *_hold(case)],
        remedy,
    )


def blocked_queue(case: LockCase, state: Verdict) -> Verdict | None:
    """Somebody has waited too long behind a holder that is not itself judged."""
    if case.lock.kind is not Kind.LOCK or state.is_finding or not case.lock.waiters:
        return None
    if case.longest_wait_s < case.thresholds.max_wait_s:
        return None
    return _verdict(
        case,
        VerdictKind.BLOCKED_QUEUE,
        Severity.WARNING,
        Confidence.PROVEN,
        [*_queue(case), *_releases(case), *_hold(case)],
        "Find out what the holder is doing; if it is at work, its job is too long for this"
        " queue or the queue too long for its job.",
        key=case.lock.waiters[0],
    )


def late_renewal(case: LockCase, _: Verdict) -> Verdict | None:
    """Renewals come so late that the lock may be lost while its holder works."""
    found = case.trace
    if found is None or found.late_by is None or found.last is None:
        return None
    if case.lock.kind is Kind.UNKNOWN:
        return None
    granted_s = found.last.granted_ttl_s
    if found.late_by > granted_s * LATE_SHARE:
        return None
    return _verdict(
        case,
        VerdictKind.LATE_RENEWAL,
        Severity.WARNING,
        Confidence.PROVEN,
        [LateRenewal(remaining_at_most_s=found.late_by, granted_s=granted_s), *_renewals(case)],
        "Renew earlier, every third of the TTL, or ask for a longer TTL; look for pauses of the"
        " client or a slow way to etcd.",
    )


def long_ttl(case: LockCase, _: Verdict) -> Verdict | None:
    """A crash of the holder would keep the lock for long."""
    granted_s = case.trace.granted_ttl_s if case.trace else None
    limit_s = case.thresholds.max_ttl_s
    if case.lock.kind is not Kind.LOCK or granted_s is None or granted_s <= limit_s:
        return None
    return _verdict(
        case,
        VerdictKind.LONG_TTL,
        Severity.WARNING,
        Confidence.PROVEN,
        [LongTtl(granted_s=granted_s, limit_s=limit_s)],
        "Ask for a shorter TTL and keep it alive: a minute is Go's default.",
    )


def dangling_waiter(case: LockCase, _: Verdict) -> Verdict | None:
    """Somebody waits whose lease is gone: when its turn comes, nothing will end its hold."""
    return _dangling(case) if case.dangling and case.dangling.key is not case.holder else None


def shared_lease(case: LockCase, _: Verdict) -> Verdict | None:
    """Revoking the holder's lease would delete keys outside the lock."""
    others = _other_keys(case)
    if not others or case.is_released or case.lock.kind not in {Kind.LOCK, Kind.ELECTION}:
        return None
    return _verdict(
        case,
        VerdictKind.SHARED_LEASE,
        Severity.OK,
        Confidence.PROVEN,
        others,
        "Nothing to do; before you revoke the lease, know that these keys go with it.",
    )


STATE_RULES: tuple[Rule, ...] = (
    eternal_lock,
    dangling_holder,
    overdue,
    leaked_lock,
    suspected_leak,
    expiring,
    healthy,
    undetermined,
)
"""Exactly one of them names the state; the first that fits, and the last always does."""

OTHER_RULES = (blocked_queue, dangling_waiter, late_renewal, long_ttl, shared_lease)
"""What else can be wrong, whatever the state."""


def _verdict(
    case: LockCase,
    kind: VerdictKind,
    severity: Severity,
    confidence: Confidence,
    evidence: list[Evidence],
    remedy: str,
    key: LockKey | None = None,
) -> Verdict:
    subject = key or case.holder
    return Verdict(
        kind=kind,
        severity=severity,
        confidence=confidence,
        lock=case.lock.id,
        key=subject.key if subject else None,
        leases=(subject.lease_id,) if subject and subject.has_lease else (),
        evidence=tuple(evidence),
        remedy=remedy,
    )


def _health(case: LockCase) -> list[Evidence] | None:
    """What proves the lock healthy; None where nothing does."""
    if case.is_released or (case.is_new_hold and case.lock.queue_is_whole):
        return [*_releases(case), *_changes(case)] or [HandedOver(1, case.activity.watched_s)]
    if case.lock.kind in BY_DESIGN and case.is_renewed:
        return [ByDesign(case.lock.kind.value), *_renewals(case), *_changes(case)]
    if case.lock.kind in BY_DESIGN and case.rewrites:
        rewritten = Rewritten(times=case.rewrites, watched_s=case.age.at_least_s if case.age else 0)
        return [ByDesign(case.lock.kind.value), rewritten]
    # Only a stated limit tells what is right for this lock.
    limit_s = case.thresholds.stated_limit_s
    if case.is_judged_by_age and limit_s is not None and case.is_within_limit:
        return [WithinLimit(limit_s=limit_s), *_hold(case), *_renewals(case)]
    return None


def _what_is_missing(case: LockCase) -> tuple[list[Evidence], str]:
    """Say why the case is open, and what would close it."""
    if case.lock.kind is Kind.UNKNOWN:
        is_bare = case.holder is not None and not case.holder.has_lease
        return (
            [NoLease(in_lock_shape=False) if is_bare else UnknownShape()],
            "If the key is a lock, say so with --kind lock, or in lockdoctor.toml.",
        )
    if not case.lock.queue_is_whole:
        return [QueueCut()], "Scan the whole lock: use its name as the prefix."
    if case.holder is not None and not case.holder.has_lease:
        return [NoLease(in_lock_shape=True)], "Find out whether its service still runs."
    if case.trace is None or case.unread is not None:
        why = case.unread or "the run ended before it was read"
        return [Unread(reason=why)], "Let lockdoctor read the lease, then scan again."
    if case.trace.is_gone:
        return [LeaseEnded()], "Scan again: a key does not outlive its lease for long."
    if case.is_renewed and not case.is_judged_by_age:
        return [], "Find out what the key is for that blocks the queue."
    if case.is_renewed and case.thresholds.stated_limit_s is not None:
        return [], "Scan again once the hold could be older than its limit, or watch that long."
    if case.is_renewed and not case.thresholds.suspects:
        return [], "Nothing to do: the hold is not old, and no limit for it is stated."
    if case.trace.unconfirmed:
        return _changes(case), "Scan again, now that etcd has a steady leader."
    needed_s = case.needed_window_s
    missing = Unobservable(needed_s=needed_s, granted_s=case.trace.granted_ttl_s or 0)
    return [missing], f"Watch longer: --window {math.ceil(needed_s)}s."


def _hold(case: LockCase) -> list[Evidence]:
    evidence: list[Evidence] = []
    if case.age and not case.is_released:
        evidence.append(Held(at_least_s=case.age.at_least_s, at_most_s=case.age.at_most_s))
        if case.age.claimed_s is not None:
            evidence.append(ClaimedAge(claimed_s=case.age.claimed_s))
    if case.lock.foreign_holder and case.holder:
        evidence.append(ForeignHolder(key=case.holder.key))
    return evidence


def _dangling(case: LockCase) -> Verdict | None:
    if case.dangling is None:
        return None
    blocks = bool(case.lock.waiters) and case.dangling.key is case.holder
    return _verdict(
        case,
        VerdictKind.DANGLING,
        Severity.CRITICAL if blocks else Severity.WARNING,
        Confidence.PROVEN,
        [LostItsLease(for_s=case.dangling.for_s), *_hold(case), *_queue(case)],
        "etcd's data contradict themselves: compare the members, then delete the key once its"
        " owner is known to be gone; etcd 3.5.0 to 3.5.2 are known for such damage.",
        key=case.dangling.key,
    )


def _other_keys(case: LockCase) -> list[Evidence]:
    """The keys outside the lock, as the last look that was told of keys saw them."""
    attached = case.trace.attached_keys if case.trace else ()
    if len(attached) <= 1 or case.lock.foreign_holder:
        return []
    if case.lock.recipe is Recipe.RW_MUTEX:  # each attempt has a key of its own
        below = case.lock.name + b"/"
        attached = tuple(key for key in attached if not key.startswith(below))
    own = {key.key for key in case.lock.keys}
    count = len(attached) - sum(_has(attached, key) for key in own)
    others = islice((key for key in attached if key not in own), MOST_OTHER_KEYS)
    return [OtherKeys(count=count, keys=tuple(others))] if count else []


def _has(keys: Sequence[bytes], key: bytes) -> bool:
    """Whether a key is among others, which are sorted."""
    at = bisect_left(keys, key)
    return at < len(keys) and keys[at] == key


def _phantom(case: LockCase) -> list[Evidence]:
    if not (case.unclosed or case.gave_up_elsewhere):
        return []
    return [PossiblePhantom(unclosed=case.unclosed, gave_up_elsewhere=case.gave_up_elsewhere)]


def _renewals(case: LockCase) -> list[Evidence]:
    return [renewed(case.trace)] if case.trace and case.trace.renewals else []


def _queue(case: LockCase) -> list[Evidence]:
    evidence: list[Evidence] = []
    if case.lock.waiters:
        evidence.append(
            Waiting(waiters=len(case.lock.waiters), longest_at_least_s=case.longest_wait_s)
        )
    if case.activity.gave_up:
        evidence.append(GaveUp(attempts=case.activity.gave_up, watched_s=case.activity.watched_s))
    return evidence


def _releases(case: LockCase) -> list[Evidence]:
    activity = case.activity
    if not activity.releases:
        return []
    return [HandedOver(releases=activity.releases, watched_s=activity.watched_s)]


def _changes(case: LockCase) -> list[Evidence]:
    unconfirmed = case.trace.unconfirmed if case.trace else 0
    return [LeaderChanged(discarded=unconfirmed)] if unconfirmed else []
