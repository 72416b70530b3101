"""Locks, sessions and findings of a report, the worst first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from lockdoctor.domain.evidence.queue import Blocks
from lockdoctor.domain.evidence.verdicts import Confidence, Verdict, VerdictKind

if TYPE_CHECKING:
    from lockdoctor.domain.inference.hold_age import HoldAge
    from lockdoctor.domain.inference.lease_origin import LeaseOrigin
    from lockdoctor.domain.inference.queue_activity import QueueActivity
    from lockdoctor.domain.inference.renewals import RenewalTrace
    from lockdoctor.domain.model.leases import LeaseId
    from lockdoctor.domain.model.locks import Lock


@dataclass(frozen=True, slots=True, kw_only=True)
class LockReport:
    """Everything about one lock; verdicts[0] is the one that names it."""

    lock: Lock
    prefix: bytes
    """The prefix of the command line under which it was found."""
    verdicts: tuple[Verdict, ...]
    """Worst first; never empty."""
    age: HoldAge | None
    """The age of the hold; None where the lock has no holder."""
    activity: QueueActivity
    waited_s: tuple[float, ...] = ()
    """The minimum time that each waiter was seen in the queue, in seconds."""
    traces: Mapping[LeaseId, RenewalTrace]
    """The traces of leases, with those of its holder and waiters; one mapping for all locks."""
    max_hold_s: float | None = None
    """The longest that a hold may last, in seconds, where an operator has stated it."""

    @property
    def verdict(self) -> Verdict:
        """Return the verdict that names the lock's state."""
        return self.verdicts[0]

    @property
    def holder_trace(self) -> RenewalTrace | None:
        """Return the trace of the holder's lease."""
        return self.traces.get(self.lock.holder.lease_id) if self.lock.holder else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionReport:
    """A lease without keys."""

    trace: RenewalTrace
    verdict: Verdict
    is_new: bool
    """It was granted during the run."""
    gave_up: bool
    """An attempt of this session on a lock was seen to give up during the run."""
    origin: LeaseOrigin | None = None
    """The origin by its ID; None where no member of the cluster gives such IDs."""


class Finding(NamedTuple):
    """A verdict of WARNING or worse, with the lock that it is about."""

    verdict: Verdict
    lock: LockReport | None
    """None where the verdict is on leases without keys."""

    @property
    def blocks(self) -> int:
        """Return the number of waiters behind its key; in a deadlock, for all its locks."""
        if self.verdict.kind in {VerdictKind.DEADLOCK, VerdictKind.SELF_DEADLOCK}:
            return self.blocks_in_all
        return self._waiters

    @property
    def _waiters(self) -> int:
        waiters = [key.key for key in self.lock.lock.waiters] if self.lock else []
        if self.verdict.key in waiters:
            return len(waiters) - 1 - waiters.index(self.verdict.key)
        holds = self.lock and self.verdict.key in {key.key for key in self.lock.lock.keys}
        return len(waiters) if holds else 0

    @property
    def blocks_in_all(self) -> int:
        """Return the number of waiters behind it, with those for locks blocked behind it."""
        found = (each.waiters for each in self.verdict.evidence if isinstance(each, Blocks))
        return next(found, 0) or self._waiters


def rank(finding: Finding) -> tuple[int, bool, int, int, int]:
    """Return the key that sorts the worst finding to the front."""
    verdict = finding.verdict
    kind, sure = list(VerdictKind).index(verdict.kind), list(Confidence).index(verdict.confidence)
    blocks = finding.blocks_in_all
    return (-verdict.severity, not blocks, kind, sure, -blocks)
