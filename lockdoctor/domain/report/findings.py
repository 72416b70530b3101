"""Findings: verdicts that count, the worst first."""

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
    """How long the holder has held; None where nobody holds."""
    activity: QueueActivity
    waited_s: tuple[float, ...] = ()
    """How long each waiter was seen to stand in the queue, at least."""
    traces: Mapping[LeaseId, RenewalTrace]
    """What was seen of leases, those of its holder and waiters among them; one for all locks."""
    max_hold_s: float | None = None
    """The longest that a hold may last, where an operator has stated it."""

    @property
    def verdict(self) -> Verdict:
        """The verdict that names the lock's state."""
        return self.verdicts[0]

    @property
    def holder_trace(self) -> RenewalTrace | None:
        """What was seen of the holder's lease."""
        return self.traces.get(self.lock.holder.lease_id) if self.lock.holder else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionReport:
    """A lease without keys."""

    trace: RenewalTrace
    verdict: Verdict
    is_new: bool
    """It was granted while we watched."""
    gave_up: bool
    """An attempt of this session on a lock was seen to give up while we watched."""
    origin: LeaseOrigin | None = None
    """What its ID tells; None where no member of the cluster gives such IDs."""


class Finding(NamedTuple):
    """A verdict of WARNING or worse, with the lock that it is about."""

    verdict: Verdict
    lock: LockReport | None
    """None where the verdict is of leases without keys."""

    @property
    def blocks(self) -> int:
        """How many wait behind the key that it is about; in a deadlock, for all of its locks."""
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
        """How many wait behind it, those counted in who wait for locks blocked behind it."""
        found = (each.waiters for each in self.verdict.evidence if isinstance(each, Blocks))
        return next(found, 0) or self._waiters


def rank(finding: Finding) -> tuple[int, bool, int, int, int]:
    """Give the key that sorts the worst finding to the front."""
    verdict = finding.verdict
    kind, sure = list(VerdictKind).index(verdict.kind), list(Confidence).index(verdict.confidence)
    blocks = finding.blocks_in_all
    return (-verdict.severity, not blocks, kind, sure, -blocks)
