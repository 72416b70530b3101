"""LockCase: everything that one run can say of one lock, for the rules to judge."""

from __future__ import annotations

from typing import NamedTuple

from lockdoctor.domain.inference.hold_age import Age
from lockdoctor.domain.inference.queue_activity import QueueActivity
from lockdoctor.domain.inference.renewals import RenewalTrace
from lockdoctor.domain.model.locks import Kind, Lock, LockKey
from lockdoctor.domain.policy.policy import Thresholds
from lockdoctor.domain.rules.session_rules import is_renewed
from lockdoctor.values import dataclass


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
    age: Age | None
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
