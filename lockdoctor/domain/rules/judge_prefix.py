"""Judge the locks of one prefix by everything that the run gathered."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import cached_property, lru_cache
from itertools import chain
from typing import TypeVar

from lockdoctor.domain.evidence.verdicts import Verdict
from lockdoctor.domain.inference.hold_age import (
    HoldAge,
    HoldTimes,
    RevisionRate,
    estimate,
    hold_age_bounds,
    stood_at_least_s,
    was_seen_waiting,
)
from lockdoctor.domain.inference.lease_expiry import CONFIRM_AFTER_S, gone_since
from lockdoctor.domain.inference.lookup_schedule import needed_window_s
from lockdoctor.domain.inference.queue_activity import (
    WatchGap,
    replay,
)
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.model.locks import Hold, Kind, Lock, LockId, LockKey
from lockdoctor.domain.policy.policy import Thresholds
from lockdoctor.domain.recipes.grouping import (
    QueueId,
    data_beside,
    is_plain,
    queue_of,
    recipe_of,
    released_lock,
)
from lockdoctor.domain.report.findings import LockReport
from lockdoctor.domain.report.unseen import Part, Unseen, UnseenReason
from lockdoctor.domain.rules.judge_lock import diagnose
from lockdoctor.domain.rules.lock_case import Dangling, LockCase
from lockdoctor.domain.rules.lock_rules import CONVINCING_RENEWALS
from lockdoctor.domain.rules.scan_facts import PrefixFacts, ScanFacts
from lockdoctor.domain.rules.session_rules import (
    is_renewed,
)

T = TypeVar("T")

CACHE_SIZE = 256
"""The maximum number of different pieces of evidence that are kept, to be shared among locks."""

MANY_DATA_KEYS = 10
"""More keys than this without a lease and without a lock recipe are grouped as data."""


def needed_renewals(kind: Kind, thresholds: Thresholds) -> int:
    """
    Return the number of renewals that settle the question about a lock's lease.

    Where a limit is stated, the age of the hold decides, and one renewal is enough; the same is
    true for keys that are kept by design.
    """
    if kind is not Kind.LOCK or thresholds.stated_limit_s is not None:
        return 1
    return CONVINCING_RENEWALS


class PrefixView:
    """The locks of one prefix, at the beginning and at the end."""

    def __init__(self, facts: ScanFacts, prefix: PrefixFacts) -> None:
        """Group the keys of one prefix of a run into locks."""
        self.facts = facts
        self.prefix = prefix
        self.first, self.last = facts.locks[prefix.prefix]
        self.activity = replay(self.first, prefix.events, prefix.first.answered_at)
        self._first_by_id: dict[LockId, Lock] = {}
        if self.last is not self.first:
            self._first_by_id = {lock.id: lock for lock in self.first}
        self._same_age = lru_cache(CACHE_SIZE)(_itself)
        self._same_evidence = lru_cache(CACHE_SIZE)(_itself)

    @cached_property
    def _first_holds(self) -> dict[Hold, LockKey]:
        """Return the keys at the beginning, by their holds."""
        return {key.hold: key for key in self.prefix.first.keys}

    @property
    def gave_up(self) -> Collection[LeaseId]:
        """Return the leases whose attempt on a lock was seen to give up."""
        return self._gave_up_in.keys()

    @cached_property
    def _gave_up_in(self) -> dict[LeaseId, set[QueueId]]:
        """Return, for each of these leases, the queues that it was seen to leave."""
        left: dict[LeaseId, set[QueueId]] = {}
        for queue, activity in self.activity.moved.items():
            for lease in activity.gave_up_at:
                left.setdefault(lease, set()).add(queue)
        return left

    def reports(self) -> Iterator[LockReport]:
        """Judge every lock that exists now, and every one that was released meanwhile."""
        data = self._data
        for lock in self.last:
            if self._is_judged(lock, data):
                yield self._report(lock, is_released=False)
        for lock in chain(self._released(), self._passing()):
            if self._is_judged(lock, data) and not is_plain(lock):
                yield self._report(lock, is_released=True)

    def _is_judged(self, lock: Lock, data: Collection[LockId]) -> bool:
        return lock.kind is not Kind.IGNORE and lock.id not in data

    def _released(self) -> Iterator[Lock]:
        """Yield the locks that existed at the beginning and are gone."""
        if self.last is not self.first:
            now = {lock.id for lock in self.last}
            yield from (lock for lock in self.first if lock.id not in now)

    def _passing(self) -> Iterator[Lock]:
        """Yield the locks that were taken and released between the readings of the keys."""
        if not self.activity.moved:
            return
        standing = {queue_of(lock) for lock in chain(self.first, self.last)}
        for queue in self.activity.moved.keys() - standing:
            lock = released_lock(queue, self.facts.policy.kind_of)
            if lock.kind is not Kind.UNKNOWN:
                yield lock

    def unseen(self) -> Iterator[Unseen]:
        """Yield what of this prefix was not judged."""
        ignored = sum(lock.kind is Kind.IGNORE for lock in self.last)
        if ignored:
            yield Unseen(what=Part.KEYS, count=ignored, why=UnseenReason.IGNORED)
        beside = data_beside(self.last) if self._data else frozenset()
        for locks, why in (
            (self._data & beside, UnseenReason.DATA_BESIDE_LOCKS),
            (self._data - beside, UnseenReason.LOOKS_LIKE_DATA),
        ):
            if locks:
                count = sum(len(lock.contenders) for lock in self.last if lock.id in locks)
                yield Unseen(what=Part.KEYS_WITHOUT_LEASE, count=count, why=why)
        for event in self.prefix.events:
            if isinstance(event, WatchGap):
                yield Unseen(what=Part.QUEUE_CHANGES, count=None, why=event.why)
        if self.prefix.last is None:
            yield Unseen(
                what=Part.KEYS_AT_END,
                count=None,
                why=UnseenReason.NOT_READ_AGAIN,
                is_failure=True,
            )

    @cached_property
    def _data(self) -> frozenset[LockId]:
        """Return the locks whose keys are likely data rather than locks."""
        plain = [lock for lock in self.last if is_plain(lock)]
        are_many = sum(len(lock.contenders) for lock in plain) > MANY_DATA_KEYS
        if are_many or not self.prefix.prefix:
            return frozenset(lock.id for lock in plain)
        return frozenset(data_beside(self.last)) if plain else frozenset()

    def _report(self, lock: Lock, *, is_released: bool) -> LockReport:
        case = self._case(lock, is_released=is_released)
        return LockReport(
            lock=lock,
            prefix=self.prefix.prefix,
            verdicts=tuple(map(self._lean, diagnose(case))),
            age=self._same_age(case.age),
            activity=case.activity,
            waited_s=case.waited_s,
            traces=self.facts.traces,
            max_hold_s=case.thresholds.stated_limit_s,
        )

    def _lean(self, verdict: Verdict) -> Verdict:
        """
        Return the verdict with evidence shared among locks.

        Most of 100,000 locks have the same evidence.
        """
        return replace(verdict, evidence=self._same_evidence(verdict.evidence))

    def _case(self, lock: Lock, *, is_released: bool) -> LockCase:
        thresholds = self.facts.policy.thresholds_for(lock.name)
        lease_id = lock.holder.lease_id if lock.holder else None
        age = None if is_released else self._age(lock)
        found = self.facts.traces.get(lease_id) if lease_id else None
        return LockCase(
            lock=lock,
            thresholds=thresholds,
            trace=found,
            age=age,
            renewals_of_hold=found.renewals_since(self._held_since(age)) if found and age else 0,
            activity=self.activity.of(queue_of(lock)),
            alone_about_s=_uncontended_estimate_s(lock, age),
            waited_s=self._waited_s(lock),
            rewrites=self._rewrites(lock),
            dangling=None if is_released else self._dangling(lock),
            unclosed=self._unclosed(lock),
            gave_up_elsewhere=self._gave_up_elsewhere(lock),
            is_released=is_released,
            is_new_hold=not is_released and not self._held_throughout(lock),
            unread=self.facts.unread.get(lease_id) if lease_id else None,
            needed_window_s=self._needed_window_s(lock, thresholds),
        )

    def _held_since(self, age: HoldAge) -> float:
        """Return the first moment at which the hold is proven to exist."""
        return (self.prefix.last or self.prefix.first).asked_at - age.at_least_s

    def _held_throughout(self, lock: Lock) -> bool:
        """Return whether the holder held the lock in both snapshots."""
        return self._held_before(lock) is not None

    def _held_before(self, lock: Lock) -> LockKey | None:
        """Return the holder's key in the first snapshot, if it held the lock already."""
        if self.last is self.first:
            return lock.holder
        before = self._first_by_id.get(lock.id)
        if before is None or before.holder is None or lock.holder is None:
            return None
        holding = (before.holder, *before.sharers)
        return next((key for key in holding if key.hold == lock.holder.hold), None)

    def _rewrites(self, lock: Lock) -> int:
        """Return how often the holder's key was written again, if its lease changed."""
        before = self._held_before(lock)
        if before is None or lock.holder is None or before.lease_id == lock.holder.lease_id:
            return 0
        return lock.holder.version - before.version

    def _dangling(self, lock: Lock) -> Dangling | None:
        """
        Return the first key of the lock that outlived its lease, or None.

        The lease must have been found gone before the key was read.
        """
        stands_at = (self.prefix.last or self.prefix.first).asked_at
        for key in lock.keys:
            found = self.facts.traces.get(key.lease_id)
            since = gone_since(found.readings) if found and found.is_gone else None
            if (
                since is not None
                and stands_at - since >= CONFIRM_AFTER_S
                and self._stood_at(key, since)
            ):
                return Dangling(key, stands_at - since)
        return None

    def _stood_at(self, key: LockKey, moment: float) -> bool:
        """Return whether the key existed at a moment, on the lease that it has now."""
        before = self._first_holds.get(key.hold)
        past = self.facts.known_past.holds.get(key.hold)
        if before is None or before.lease_id != key.lease_id:
            return False
        return self.prefix.first.answered_at <= moment or (
            past is not None and past.first_answered_at <= moment
        )

    def _unclosed(self, lock: Lock) -> int:
        """Return the number of sessions that gave up on the lock and are renewed, keyless."""
        left = self.activity.of(queue_of(lock)).gave_up_at.items()
        found = ((self.facts.traces.get(lease), at) for lease, at in left)
        return sum(
            each is not None
            and each.renewals_since(at) > 0
            and is_renewed(each)
            and each.last is not None
            and each.last.attached_keys == ()
            for each, at in found
        )

    def _gave_up_elsewhere(self, lock: Lock) -> bool:
        """Return whether the holder's own session was seen to give up on another lock."""
        queues = self._gave_up_in.get(lock.holder.lease_id) if lock.holder else None
        return bool(queues) and queues != {queue_of(lock)}

    def _age(self, lock: Lock) -> HoldAge | None:
        if lock.holder is None:
            return None
        seen = self._sighting(lock.holder, lock, held_throughout=self._held_throughout(lock))
        at_least_s, at_most_s = hold_age_bounds(seen, self.facts.known_past)
        if was_seen_waiting(lock.holder.hold, self.facts.known_past):  # the key is older
            return HoldAge(at_least_s=at_least_s, at_most_s=at_most_s, stood_at_least_s=at_least_s)
        rate = self._revision_rate()
        written_at = recipe_of(lock).written_at(lock.holder)
        return HoldAge(
            at_least_s=at_least_s,
            at_most_s=at_most_s,
            stood_at_least_s=stood_at_least_s(seen, self.facts.known_past),
            estimate=estimate(lock.holder.create_revision, rate) if rate else None,
            claimed_s=self.facts.ended_at - written_at if written_at is not None else None,
        )

    def _revision_rate(self) -> RevisionRate | None:
        first, last = self.prefix.first, self.prefix.last
        if last is None:
            return None
        return RevisionRate(
            revision=last.revision,
            revisions=last.revision - first.revision,
            over_s=last.answered_at - first.answered_at,
        )

    def _sighting(self, key: LockKey, lock: Lock, *, held_throughout: bool) -> HoldTimes:
        first = self.prefix.first
        last = self.prefix.last or first
        return HoldTimes(
            hold=key.hold,
            first_asked_at=first.asked_at,
            first_answered_at=first.answered_at,
            last_asked_at=last.asked_at,
            last_answered_at=last.answered_at,
            held_throughout=held_throughout,
            can_wait=recipe_of(lock).can_wait,
        )

    def stood_s(self, report: LockReport, key: LockKey) -> float:
        """Return how long a key was seen in its place; 0 if it came or moved up meanwhile."""
        if key is report.lock.holder and not self._held_throughout(report.lock):
            return 0.0
        return self._in_place_s(key, report.lock)

    def _waited_s(self, lock: Lock) -> tuple[float, ...]:
        """Return the minimum time that each waiter was seen in the queue, in seconds."""
        return tuple(self._in_place_s(waiter, lock) for waiter in lock.waiters)

    def _in_place_s(self, key: LockKey, lock: Lock) -> float:
        if not self._stood_at_first(key):
            return 0.0
        seen = self._sighting(key, lock, held_throughout=True)
        return stood_at_least_s(seen, self.facts.known_past)

    def _stood_at_first(self, key: LockKey) -> bool:
        return self.last is self.first or key.hold in self._first_holds

    def _needed_window_s(self, lock: Lock, thresholds: Thresholds) -> float:
        found = self.facts.traces.get(lock.holder.lease_id) if lock.holder else None
        if found is None or found.last is None:
            return 0.0
        return needed_window_s(found.last, needed_renewals(lock.kind, thresholds))


def _uncontended_estimate_s(lock: Lock, age: HoldAge | None) -> float | None:
    """Estimate how long the holder's key existed before the first present waiter."""
    about = age.estimate if age else None
    if about is None or lock.holder is None or not lock.waiters:
        return about.about_s if about else None
    revisions = lock.waiters[0].create_revision - lock.holder.create_revision
    return max(0, revisions) / about.revisions_per_s


def _itself(value: T) -> T:
    return value
