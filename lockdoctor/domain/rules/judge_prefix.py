"""Judge the locks of one prefix by everything that the run gathered."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import cached_property, lru_cache
from itertools import chain
from typing import TypeVar

from lockdoctor.domain.evidence.verdicts import Verdict
from lockdoctor.domain.inference.queue_activity import GapReason, WatchGap, replay
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.model.locks import Kind, Lock, LockId
from lockdoctor.domain.recipes.grouping import data_beside, is_plain, queue_of, released_lock
from lockdoctor.domain.report.findings import LockReport
from lockdoctor.domain.report.unseen import Part, Unseen, UnseenReason
from lockdoctor.domain.rules.build_case import LockCaseBuilder
from lockdoctor.domain.rules.judge_lock import diagnose
from lockdoctor.domain.rules.scan_facts import PrefixFacts, ScanFacts

T = TypeVar("T")

_GAPS = {
    GapReason.COMPACTED: UnseenReason.COMPACTED,
    GapReason.FELL_BEHIND: UnseenReason.WATCH_FELL_BEHIND,
}

CACHE_SIZE = 256
"""The maximum number of different pieces of evidence that are kept, to be shared among locks."""

MANY_DATA_KEYS = 10
"""More keys than this without a lease and without a lock recipe are grouped as data."""


class PrefixView:
    """The locks of one prefix, at the beginning and at the end."""

    def __init__(self, facts: ScanFacts, prefix: PrefixFacts) -> None:
        """Group the keys of one prefix of a run into locks."""
        self.facts = facts
        self.prefix = prefix
        self.first, self.last = facts.locks[prefix.prefix]
        self.activity = replay(
            self.first, prefix.events, prefix.first.answered_at, facts.policy.recipes
        )
        self.cases = LockCaseBuilder(facts, prefix, self.activity)
        self._same_age = lru_cache(CACHE_SIZE)(_itself)
        self._same_evidence = lru_cache(CACHE_SIZE)(_itself)

    @property
    def gave_up(self) -> Collection[LeaseId]:
        """Return the leases whose attempt on a lock was seen to give up."""
        return self.cases.gave_up_in.keys()

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
            lock = released_lock(queue, self.facts.policy)
            if lock.kind is not Kind.UNKNOWN:
                yield lock

    def unseen(self) -> Iterator[Unseen]:
        """Yield what of this prefix was not judged."""
        ignored = sum(lock.kind is Kind.IGNORE for lock in self.last)
        if ignored:
            yield Unseen(what=Part.KEYS, count=ignored, why=UnseenReason.IGNORED)
        beside = self._beside_locks if self._data else frozenset()
        for locks, why in (
            (self._data & beside, UnseenReason.DATA_BESIDE_LOCKS),
            (self._data - beside, UnseenReason.LOOKS_LIKE_DATA),
        ):
            if locks:
                count = sum(len(lock.contenders) for lock in self.last if lock.id in locks)
                yield Unseen(what=Part.KEYS_WITHOUT_LEASE, count=count, why=why)
        for event in self.prefix.events:
            if isinstance(event, WatchGap):
                gap = _GAPS[event.why] if isinstance(event.why, GapReason) else event.why
                yield Unseen(what=Part.QUEUE_CHANGES, count=None, why=gap)
        if self.prefix.last is None:
            yield Unseen(
                what=Part.KEYS_AT_END, count=None, why=UnseenReason.NOT_READ_AGAIN, is_failure=True
            )

    @cached_property
    def _beside_locks(self) -> frozenset[LockId]:
        """Return the locks that are data beside the keys of a known recipe."""
        return frozenset(data_beside(self.last))

    @cached_property
    def _data(self) -> frozenset[LockId]:
        """Return the locks whose keys are likely data rather than locks."""
        plain = [lock for lock in self.last if is_plain(lock)]
        are_many = sum(len(lock.contenders) for lock in plain) > MANY_DATA_KEYS
        if are_many or not self.prefix.prefix:
            return frozenset(lock.id for lock in plain)
        return self._beside_locks if plain else frozenset()

    def _report(self, lock: Lock, *, is_released: bool) -> LockReport:
        case = self.cases.case(lock, is_released=is_released)
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
        """Return the verdict with shared evidence: most of 100,000 locks have the same."""
        return replace(verdict, evidence=self._same_evidence(verdict.evidence))


def _itself(value: T) -> T:
    return value
