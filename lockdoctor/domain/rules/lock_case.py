"""LockCase: everything that one run can say of one lock, for the rules to judge."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from lockdoctor.domain.evidence import Evidence
from lockdoctor.domain.evidence.age import ClaimedAge, Held
from lockdoctor.domain.evidence.keys import (
    ForeignHolder,
    OtherKeys,
)
from lockdoctor.domain.evidence.queue import (
    GaveUp,
    HandedOver,
    PossibleAbandonedKey,
    Waiters,
)
from lockdoctor.domain.evidence.renewals import (
    LeaderChanged,
)
from lockdoctor.domain.evidence.verdicts import Confidence, Severity, Verdict, VerdictKind
from lockdoctor.domain.inference.hold_age import HoldAge
from lockdoctor.domain.inference.queue_activity import QueueActivity
from lockdoctor.domain.inference.renewals import RenewalTrace
from lockdoctor.domain.model.locks import Kind, Lock, LockKey, Recipe
from lockdoctor.domain.policy.policy import Thresholds
from lockdoctor.domain.rules.session_rules import is_renewed, renewed


class Dangling(NamedTuple):
    """A key of the lock whose lease is gone."""

    key: LockKey
    for_s: float
    """So long after a look had found the lease gone the key still stood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockCase:
    """Everything a rule may look at: one lock as it was at the end of the run."""

    lock: Lock
    thresholds: Thresholds
    trace: RenewalTrace | None
    """Of the holder's lease; None where it was not read."""
    age: HoldAge | None
    """Of the holder's hold; None where it is not known to have stood at both ends of the run."""
    renewals_of_hold: int
    """The fewest renewals proven since this hold was first seen; its lease may be older."""
    activity: QueueActivity
    alone_about_s: float | None = None
    """
    By the same estimate as the age: how long the holder's key stood before the first of those
    came who wait now; all of its age where nobody waits. None where there is no estimate.
    """
    waited_s: tuple[float, ...] = ()
    """How long each waiter was seen to wait, at least."""
    dangling: Dangling | None = None
    unclosed: int = 0
    """So many sessions of attempts on it that gave up live on, without keys."""
    gave_up_elsewhere: bool = False
    """The holder's own session was seen to give up on another lock."""
    rewrites: int = 0
    """So often was the holder's key written again while we watched, onto a fresh lease."""
    is_released: bool = False
    """Nobody holds it any more: the lock stood at the beginning and is gone at the end."""
    is_new_hold: bool = False
    """Its holder came, or moved up, while we watched."""
    unread: str | None = None
    """Why the holder's lease could not be read."""
    needed_window_s: float = 0.0
    """A window that would have shown enough renewals."""

    @property
    def holder(self) -> LockKey | None:
        """The key that owns the lock."""
        return self.lock.holder

    @property
    def longest_wait_s(self) -> float:
        """How long the waiter who has waited longest was seen to wait."""
        return max(self.waited_s, default=0.0)

    @property
    def is_blocking(self) -> bool:
        """Whether others wait for it, or gave up waiting while we watched."""
        return bool(self.lock.waiters or self.activity.gave_up)

    @property
    def limit_s(self) -> float:
        """From which age on the hold is long."""
        return self.thresholds.limit_s

    @property
    def is_within_limit(self) -> bool:
        """Whether the hold is proven to be younger than the longest that one may last."""
        at_most_s = self.age.at_most_s if self.age else None
        return at_most_s is not None and at_most_s <= self.limit_s

    @property
    def is_judged_by_age(self) -> bool:
        """Whether a long hold is wrong: lock and holder are one, and the whole queue is in view."""
        is_lock = self.lock.kind is Kind.LOCK and self.lock.queue_is_whole
        return is_lock and (not self.lock.foreign_holder or self.lock.foreign_kind is Kind.LOCK)

    @property
    def is_renewed(self) -> bool:
        """Whether the holder's lease was proven to be renewed, and nothing says that it ended."""
        return self.trace is not None and is_renewed(self.trace)


BY_DESIGN = frozenset({Kind.ELECTION, Kind.REGISTRATION})
"""Held as long as the process lives; age alone says nothing about them."""


MAX_OTHER_KEYS = 20
"""So many of the keys that a lease carries outside a lock are named; the rest is counted."""


Rule = Callable[[LockCase], "Verdict | None"]


def verdict_on(
    case: LockCase,
    kind: VerdictKind,
    severity: Severity,
    confidence: Confidence,
    evidence: list[Evidence],
    remedy: str,
    key: LockKey | None = None,
) -> Verdict:
    """Return a verdict on the lock; on a key of it where one is given."""
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


def hold_evidence(case: LockCase) -> list[Evidence]:
    """Return how long the lock is held, as far as it is known."""
    evidence: list[Evidence] = []
    if case.age and not case.is_released:
        evidence.append(Held(at_least_s=case.age.at_least_s, at_most_s=case.age.at_most_s))
        if case.age.claimed_s is not None:
            evidence.append(ClaimedAge(claimed_s=case.age.claimed_s))
    if case.lock.foreign_holder and case.holder:
        evidence.append(ForeignHolder(key=case.holder.key))
    return evidence


def other_keys_evidence(case: LockCase) -> list[Evidence]:
    """The keys outside the lock, as the last look that was told of keys saw them."""
    attached = case.trace.attached_keys if case.trace else ()
    if len(attached) <= 1 or case.lock.foreign_holder:
        return []
    if case.lock.recipe is Recipe.RW_MUTEX:  # each attempt has a key of its own
        below = case.lock.name + b"/"
        attached = tuple(key for key in attached if not key.startswith(below))
    own = {key.key for key in case.lock.keys}
    count = len(attached) - sum(_has(attached, key) for key in own)
    others = islice((key for key in attached if key not in own), MAX_OTHER_KEYS)
    return [OtherKeys(count=count, keys=tuple(others))] if count else []


def _has(keys: Sequence[bytes], key: bytes) -> bool:
    """Whether a key is among others, which are sorted."""
    at = bisect_left(keys, key)
    return at < len(keys) and keys[at] == key


def abandoned_key_evidence(case: LockCase) -> list[Evidence]:
    """Return that the holder may be an abandoned key, where attempts left sessions."""
    if not (case.unclosed or case.gave_up_elsewhere):
        return []
    return [PossibleAbandonedKey(unclosed=case.unclosed, gave_up_elsewhere=case.gave_up_elsewhere)]


def renewal_evidence(case: LockCase) -> list[Evidence]:
    """Return how often the lease was renewed, where a renewal is proven."""
    return [renewed(case.trace)] if case.trace and case.trace.renewals else []


def queue_evidence(case: LockCase) -> list[Evidence]:
    """Return who waits, and which attempts gave up."""
    evidence: list[Evidence] = []
    if case.lock.waiters:
        evidence.append(
            Waiters(waiters=len(case.lock.waiters), longest_at_least_s=case.longest_wait_s)
        )
    if case.activity.gave_up:
        evidence.append(GaveUp(attempts=case.activity.gave_up, watched_s=case.activity.watched_s))
    return evidence


def release_evidence(case: LockCase) -> list[Evidence]:
    """Return how often the lock was released while it was watched."""
    activity = case.activity
    if not activity.releases:
        return []
    return [HandedOver(releases=activity.releases, watched_s=activity.watched_s)]


def leader_change_evidence(case: LockCase) -> list[Evidence]:
    """Return that a new leader reset the TTL, where a rise is not confirmed."""
    unconfirmed = case.trace.unconfirmed if case.trace else 0
    return [LeaderChanged(discarded=unconfirmed)] if unconfirmed else []
