"""Builds the case of one lock from everything that the run gathered."""

from __future__ import annotations

from functools import cached_property

from lockdoctor.domain.evidence.age import EstimatedAge
from lockdoctor.domain.inference.hold_age import (
    HoldAge,
    HoldTimes,
    estimate,
    hold_age_bounds,
    stood_at_least_s,
    was_seen_waiting,
)
from lockdoctor.domain.inference.lease_expiry import CONFIRM_AFTER_S, gone_since
from lockdoctor.domain.inference.lookup_schedule import needed_window_s
from lockdoctor.domain.inference.queue_activity import QueueActivityIndex
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.model.locks import Hold, Kind, Lock, LockId, LockKey
from lockdoctor.domain.policy.policy import Thresholds
from lockdoctor.domain.recipes.grouping import QueueId, queue_of, recipe_of
from lockdoctor.domain.report.findings import LockReport
from lockdoctor.domain.rules.lock_case import Dangling, LockCase
from lockdoctor.domain.rules.lock_rules import CONVINCING_RENEWALS
from lockdoctor.domain.rules.scan_facts import PrefixFacts, ScanFacts
from lockdoctor.domain.rules.session_rules import is_renewed


def needed_renewals(kind: Kind, thresholds: Thresholds) -> int:
    """
    Return the number of renewals that settle the question about a lock's lease.

    Where a limit is stated, the age of the hold decides, and one renewal is enough; the same is
    true for keys that are kept by design.
    """
    if kind is not Kind.LOCK or thresholds.stated_limit_s is not None:
        return 1
    return CONVINCING_RENEWALS


class LockCaseBuilder:
    """Builds the cases of the locks of one prefix, from its first and last reading."""

    def __init__(self, facts: ScanFacts, prefix: PrefixFacts, activity: QueueActivityIndex) -> None:
        """Index the locks of the first reading."""
        self.facts = facts
        self.prefix = prefix
        self.activity = activity
        self.first, self.last = facts.locks[prefix.prefix]
        self._first_by_id: dict[LockId, Lock] = {}
        if self.last is not self.first:
            self._first_by_id = {lock.id: lock for lock in self.first}

    @cached_property
    def _first_holds(self) -> dict[Hold, LockKey]:
        """Return the keys at the beginning, by their holds."""
        return {key.hold: key for key in self.prefix.first.keys}

    @cached_property
    def gave_up_in(self) -> dict[LeaseId, set[QueueId]]:
        """Return the queues that each lease was seen to leave without the lock."""
        left: dict[LeaseId, set[QueueId]] = {}
        for queue, activity in self.activity.moved.items():
            for lease in activity.gave_up_at:
                left.setdefault(lease, set()).add(queue)
        return left

    def case(self, lock: Lock, *, is_released: bool) -> LockCase:
        """Return everything that the run gathered on one lock."""
        thresholds = self.facts.policy.thresholds_for(lock.name)
        lease_id = lock.holder.lease_id if lock.holder else None
        age = None if is_released else self._age(lock)
        trace = self.facts.traces.get(lease_id) if lease_id else None
        last, needed = trace.last if trace else None, needed_renewals(lock.kind, thresholds)
        return LockCase(
            lock=lock,
            thresholds=thresholds,
            trace=trace,
            age=age,
            renewals_of_hold=trace.renewals_since(self._held_since(age)) if trace and age else 0,
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
            needed_window_s=needed_window_s(last, needed) if last else 0.0,
        )

    def _held_since(self, age: HoldAge) -> float:
        """Return the first moment at which the hold is proven to exist."""
        return self.prefix.end.asked_at - age.at_least_s

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
        """Return the first key that was read after its lease had been found gone, or None."""
        read_at = self.prefix.end.asked_at
        for key in lock.keys:
            trace = self.facts.traces.get(key.lease_id)
            since = gone_since(trace.readings) if trace and trace.is_gone else None
            if (
                since is not None
                and read_at - since >= CONFIRM_AFTER_S
                and self._existed_at(key, since)
            ):
                return Dangling(key, read_at - since)
        return None

    def _existed_at(self, key: LockKey, moment: float) -> bool:
        """Return whether the key existed at a moment, on the lease that it has now."""
        before = self._first_holds.get(key.hold)
        past = self.facts.known_past.holds.get(key.hold)
        if before is None or before.lease_id != key.lease_id:
            return False
        return self.prefix.first.answered_at <= moment or (
            past is not None and past.first_answered_at <= moment
        )

    def _unclosed(self, lock: Lock) -> int:
        """Count the sessions that gave up on the lock and are renewed without keys."""
        gave_up_at = self.activity.of(queue_of(lock)).gave_up_at.items()
        traces = ((self.facts.traces.get(lease), at) for lease, at in gave_up_at)
        return sum(
            trace is not None
            and trace.renewals_since(at) > 0
            and is_renewed(trace)
            and trace.last is not None
            and trace.last.attached_keys == ()
            for trace, at in traces
        )

    def _gave_up_elsewhere(self, lock: Lock) -> bool:
        """Return whether the holder's own session was seen to give up on another lock."""
        queues = self.gave_up_in.get(lock.holder.lease_id) if lock.holder else None
        return bool(queues) and queues != {queue_of(lock)}

    def _age(self, lock: Lock) -> HoldAge | None:
        if lock.holder is None:
            return None
        times = self._times(lock.holder, lock, held_throughout=self._held_throughout(lock))
        at_least_s, at_most_s = hold_age_bounds(times, self.facts.known_past)
        if was_seen_waiting(lock.holder.hold, self.facts.known_past):  # the key is older
            return HoldAge(at_least_s=at_least_s, at_most_s=at_most_s, stood_at_least_s=at_least_s)
        written_at = recipe_of(lock, self.facts.policy.recipes).written_at(lock.holder)
        return HoldAge(
            at_least_s=at_least_s,
            at_most_s=at_most_s,
            stood_at_least_s=stood_at_least_s(times, self.facts.known_past),
            estimate=self._estimate(lock.holder),
            claimed_s=self.facts.ended_at - written_at if written_at is not None else None,
        )

    def _estimate(self, key: LockKey) -> EstimatedAge | None:
        first, last = self.prefix.first, self.prefix.last
        if last is None:
            return None
        return estimate(
            key.create_revision,
            now=last.revision,
            written=last.revision - first.revision,
            over_s=last.answered_at - first.answered_at,
        )

    def _times(self, key: LockKey, lock: Lock, *, held_throughout: bool) -> HoldTimes:
        first, last = self.prefix.first, self.prefix.end
        return HoldTimes(
            hold=key.hold,
            first_asked_at=first.asked_at,
            first_answered_at=first.answered_at,
            last_asked_at=last.asked_at,
            last_answered_at=last.answered_at,
            held_throughout=held_throughout,
            can_wait=recipe_of(lock, self.facts.policy.recipes).can_wait,
        )

    def in_place_s(self, report: LockReport, key: LockKey) -> float:
        """Return how long a key was seen in its place; 0 if it came or moved up meanwhile."""
        if key is report.lock.holder and not self._held_throughout(report.lock):
            return 0.0
        return self._in_place_s(key, report.lock)

    def _waited_s(self, lock: Lock) -> tuple[float, ...]:
        """Return the minimum time that each waiter was seen in the queue, in seconds."""
        return tuple(self._in_place_s(waiter, lock) for waiter in lock.waiters)

    def _in_place_s(self, key: LockKey, lock: Lock) -> float:
        if self.last is not self.first and key.hold not in self._first_holds:
            return 0.0
        times = self._times(key, lock, held_throughout=True)
        return stood_at_least_s(times, self.facts.known_past)


def _uncontended_estimate_s(lock: Lock, age: HoldAge | None) -> float | None:
    """Estimate how long the holder's key existed before the first present waiter."""
    about = age.estimate if age else None
    if about is None or lock.holder is None or not lock.waiters:
        return about.about_s if about else None
    revisions = lock.waiters[0].create_revision - lock.holder.create_revision
    return max(0, revisions) / about.revisions_per_s
