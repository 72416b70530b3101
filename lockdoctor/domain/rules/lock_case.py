"""LockCase: everything that one run gathered on one lock, for the rules to judge."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from lockdoctor.domain.evidence import Evidence
from lockdoctor.domain.evidence.age import ClaimedAge, Held
from lockdoctor.domain.evidence.keys import ForeignHolder, OtherKeys
from lockdoctor.domain.evidence.queue import GaveUp, HandedOver, PossibleAbandonedKey, Waiters
from lockdoctor.domain.evidence.remedies import Remedy
from lockdoctor.domain.evidence.renewals import LeaderChanged
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
    """
    The time for which the key still existed after a look-up had found the lease gone, in seconds.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class LockCase:
    """The input of every rule: one lock as it was at the end of the run."""

    lock: Lock
    thresholds: Thresholds
    trace: RenewalTrace | None
    """Of the holder's lease; None where it was not read."""
    age: HoldAge | None
    """
    Of the holder's hold; None where it is not certain that it existed at both ends of the run.
    """
    renewals_of_hold: int
    """The fewest renewals proven since this hold was first seen; its lease might be older."""
    activity: QueueActivity
    alone_about_s: float | None = None
    """
    The time, in seconds and by the same estimate as the age, for which the holder's key existed
    before the first present waiter; all of its age without waiters. None where there is no
    estimate.
    """
    waited_s: tuple[float, ...] = ()
    """The minimum time that each waiter was seen to wait, in seconds."""
    dangling: Dangling | None = None
    unclosed: int = 0
    """The number of sessions that live on without keys, of attempts on it that gave up."""
    gave_up_elsewhere: bool = False
    """The holder's own session was seen to give up on another lock."""
    rewrites: int = 0
    """How often the holder's key was written again during the run, onto a fresh lease."""
    is_released: bool = False
    """It has no holder any more: the lock existed at the beginning and is gone at the end."""
    is_new_hold: bool = False
    """Its holder came, or became the holder, during the run."""
    unread: str | None = None
    """Why the holder's lease could not be read."""
    needed_window_s: float = 0.0
    """A window, in seconds, that would have shown enough renewals."""

    @property
    def holder(self) -> LockKey | None:
        """Return the key that owns the lock."""
        return self.lock.holder

    @property
    def longest_wait_s(self) -> float:
        """Return how long the longest waiter was seen to wait, in seconds."""
        return max(self.waited_s, default=0.0)

    @property
    def is_blocking(self) -> bool:
        """Return whether others wait for it, or gave up waiting during the run."""
        return bool(self.lock.waiters or self.activity.gave_up)

    @property
    def limit_s(self) -> float:
        """Return the age from which the hold is long, in seconds."""
        return self.thresholds.limit_s

    @property
    def is_within_limit(self) -> bool:
        """Return whether the hold is proven to be younger than the stated limit."""
        at_most_s = self.age.at_most_s if self.age else None
        return at_most_s is not None and at_most_s <= self.limit_s

    @property
    def is_judged_by_age(self) -> bool:
        """
        Return whether a long hold is wrong.

        Its kind and its holder's kind must be a lock, and the scanned range must have the whole
        queue.
        """
        is_lock = self.lock.kind is Kind.LOCK and self.lock.queue_is_whole
        return is_lock and (not self.lock.foreign_holder or self.lock.foreign_kind is Kind.LOCK)

    @property
    def is_renewed(self) -> bool:
        """Return whether the holder's lease is proven renewed, without a sign of its end."""
        return self.trace is not None and is_renewed(self.trace)


BY_DESIGN = frozenset({Kind.ELECTION, Kind.REGISTRATION})
"""Held as long as the process lives; for these, age alone proves no leak."""


MAX_OTHER_KEYS = 20
"""The maximum number of a lease's keys outside a lock that are named; the rest is counted."""


Rule = Callable[[LockCase], "Verdict | None"]


def verdict_on(
    case: LockCase,
    kind: VerdictKind,
    severity: Severity,
    confidence: Confidence,
    evidence: list[Evidence],
    remedy: Remedy,
    key: LockKey | None = None,
) -> Verdict:
    """Return a verdict on the lock, or on one of its keys if a key is given."""
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
    """Return how long the lock is held, as far the readings show."""
    evidence: list[Evidence] = []
    if case.age and not case.is_released:
        evidence.append(Held(at_least_s=case.age.at_least_s, at_most_s=case.age.at_most_s))
        if case.age.claimed_s is not None:
            evidence.append(ClaimedAge(claimed_s=case.age.claimed_s))
    if case.lock.foreign_holder and case.holder:
        evidence.append(ForeignHolder(key=case.holder.key))
    return evidence


def other_keys_evidence(case: LockCase) -> list[Evidence]:
    """Return the keys outside the lock, as the last look-up with keys has them."""
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
    """Return whether a key is among others, which are sorted."""
    at = bisect_left(keys, key)
    return at < len(keys) and keys[at] == key


def abandoned_key_evidence(case: LockCase) -> list[Evidence]:
    """Return that the holder might be an abandoned key, where attempts left sessions."""
    if not (case.unclosed or case.gave_up_elsewhere):
        return []
    return [PossibleAbandonedKey(unclosed=case.unclosed, gave_up_elsewhere=case.gave_up_elsewhere)]


def renewal_evidence(case: LockCase) -> list[Evidence]:
    """Return how often the lease was renewed, where a renewal is proven."""
    return [renewed(case.trace)] if case.trace and case.trace.renewals else []


def queue_evidence(case: LockCase) -> list[Evidence]:
    """Return the waiters, and the attempts that gave up."""
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
