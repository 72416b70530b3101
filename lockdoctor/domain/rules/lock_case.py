"""LockCase: everything that one run gathered on one lock, for the rules to judge."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from lockdoctor.domain.evidence import Evidence
from lockdoctor.domain.evidence.age import ClaimedAge, Held
from lockdoctor.domain.evidence.keys import ForeignHolder, OtherKeys
from lockdoctor.domain.evidence.kinds import capped
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

MAX_OTHER_KEYS = 20
"""The maximum number of a lease's keys outside a lock that are named; the rest is counted."""


class Dangling(NamedTuple):
    """A key of the lock whose lease is gone."""

    key: LockKey
    for_s: float
    """The time for which the key existed after its lease had been found gone, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockCase:
    """The input of every rule: one lock as it was at the end of the run."""

    lock: Lock
    thresholds: Thresholds
    trace: RenewalTrace | None
    """Of the holder's lease; None where it was not read."""
    age: HoldAge | None
    """Of the holder's hold; None where it might not have existed at both ends of the run."""
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
    def longest_wait_s(self) -> float:
        """Return how long the longest waiter was seen to wait, in seconds."""
        return max(self.waited_s, default=0.0)

    @property
    def is_blocking(self) -> bool:
        """Return whether others wait for it, or gave up waiting during the run."""
        return bool(self.lock.waiters or self.activity.gave_up)

    @property
    def is_within_limit(self) -> bool:
        """Return whether the hold is proven to be younger than the stated limit."""
        at_most_s = self.age.at_most_s if self.age else None
        return at_most_s is not None and at_most_s <= self.thresholds.limit_s

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

    def verdict(
        self,
        kind: VerdictKind,
        severity: Severity,
        evidence: Sequence[Evidence],
        remedy: Remedy,
        *,
        confidence: Confidence = Confidence.PROVEN,
        key: LockKey | None = None,
    ) -> Verdict:
        """
        Return a verdict on the lock, about its holder's key if no key is given.

        It is never more confident than the kind of the lock.
        """
        subject = key or self.lock.holder
        return Verdict(
            kind=kind,
            severity=severity,
            confidence=capped(confidence, self.lock.judged_kind),
            lock=self.lock.id,
            key=subject.key if subject else None,
            leases=(subject.lease_id,) if subject and subject.has_lease else (),
            evidence=tuple(evidence),
            remedy=remedy,
        )

    def hold_evidence(self) -> Iterator[Evidence]:
        """Yield how long the lock is held, as far as the readings show."""
        if self.age and not self.is_released:
            yield Held(at_least_s=self.age.at_least_s, at_most_s=self.age.at_most_s)
            if self.age.claimed_s is not None:
                yield ClaimedAge(claimed_s=self.age.claimed_s)
        if self.lock.foreign_holder and self.lock.holder:
            yield ForeignHolder(key=self.lock.holder.key)

    def renewal_evidence(self) -> Iterator[Evidence]:
        """Yield how often the lease was renewed, where a renewal is proven."""
        if self.trace and self.trace.renewals:
            yield renewed(self.trace)

    def leader_change_evidence(self) -> Iterator[Evidence]:
        """Yield that a new leader reset the TTL, where a rise is not confirmed."""
        if self.trace and self.trace.unconfirmed:
            yield LeaderChanged(discarded=self.trace.unconfirmed)

    def queue_evidence(self) -> Iterator[Evidence]:
        """Yield the waiters, and the attempts that gave up."""
        if self.lock.waiters:
            yield Waiters(len(self.lock.waiters), longest_at_least_s=self.longest_wait_s)
        if self.activity.gave_up:
            yield GaveUp(self.activity.gave_up, watched_s=self.activity.watched_s)

    def release_evidence(self) -> Iterator[Evidence]:
        """Yield how often the lock was released while it was watched."""
        if self.activity.releases:
            yield HandedOver(self.activity.releases, watched_s=self.activity.watched_s)

    def abandoned_key_evidence(self) -> Iterator[Evidence]:
        """Yield that the holder might be an abandoned key, where attempts left sessions."""
        if self.unclosed or self.gave_up_elsewhere:
            yield PossibleAbandonedKey(self.unclosed, self.gave_up_elsewhere)

    def other_keys_evidence(self) -> Iterator[Evidence]:
        """Yield the keys outside the lock, as the last look-up with keys has them."""
        attached = self.trace.attached_keys if self.trace else ()
        if len(attached) <= 1 or self.lock.foreign_holder:
            return
        if self.lock.recipe is Recipe.RW_MUTEX:  # each attempt has a key of its own
            below = self.lock.name + b"/"
            attached = tuple(key for key in attached if not key.startswith(below))
        own = {key.key for key in self.lock.keys}
        count = len(attached) - sum(_has(attached, key) for key in own)
        if count:
            others = islice((key for key in attached if key not in own), MAX_OTHER_KEYS)
            yield OtherKeys(count=count, keys=tuple(others))


def _has(keys: Sequence[bytes], key: bytes) -> bool:
    """Return whether a key is among others, which are sorted."""
    at = bisect_left(keys, key)
    return at < len(keys) and keys[at] == key


Rule = Callable[[LockCase], "Verdict | None"]
