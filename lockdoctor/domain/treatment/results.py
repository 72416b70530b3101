"""What a treatment did: to each target, to the queues behind it, and whether the leak came back."""

from __future__ import annotations

from dataclasses import dataclass

from lockdoctor.domain.model.actions import Result
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.treatment.journal_entry import EntryId
from lockdoctor.domain.treatment.plan import RevokePlan, Target
from lockdoctor.domain.treatment.reasons import Change

SUCCESSFUL = frozenset({Result.DONE, Result.ALREADY_GONE})


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """Who holds a lock after its holder was treated."""

    lock: bytes
    holder: bytes | None
    """None where nobody wants it."""
    lease_id: LeaseId
    was_waiting: bool
    """Whether it is the one that was said to be the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetResult:
    """What became of one target."""

    target: Target
    result: Result
    entry_id: EntryId | None = None
    """In the journal; None where nothing was attempted."""
    changed: tuple[Change, ...] = ()
    """What differs from the plan, and kept us from it or from the rest of it."""
    failure: str | None = None
    """What etcd, or the way to it, said."""
    was_looked_up: bool = False
    """No answer came; a look afterwards told."""
    took_s: float = 0.0
    """From the first write to the answer of the last."""
    queues: tuple[QueueState, ...] = ()
    undo_until: float | None = None
    """POSIX seconds: so long a quarantine lasts at the least."""
    unrecorded: str | None = None
    """Why this could not be written into the journal, which has only the intent."""

    @property
    def is_fine(self) -> bool:
        """Whether what was planned is so now."""
        return self.result in SUCCESSFUL


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoResult:
    """What became of keys in quarantine that were to be put back."""

    undone: EntryId
    """The entry of the quarantine."""
    lease_id: LeaseId
    """The old lease, onto which they go."""
    locks: tuple[bytes, ...]
    result: Result
    entry_id: EntryId | None = None
    changed: tuple[Change, ...] = ()
    failure: str | None = None
    was_looked_up: bool = False
    took_s: float = 0.0
    unrecorded: str | None = None

    @property
    def is_fine(self) -> bool:
        """Whether the keys are back where they were."""
        return self.result in SUCCESSFUL and not self.unrecorded


@dataclass(frozen=True, slots=True, kw_only=True)
class Reacquired:
    """Somebody else who took a lock that was freed, keeps it and renews."""

    lock: bytes
    key: bytes
    lease_id: LeaseId
    was_waiting: bool
    """It stood in the queue when the lock was freed: it may simply be at work."""
    renewals: int
    """The fewest that are proven."""
    held_s: float
    """It was seen to hold for so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TreatmentReport:
    """What one run did, and what it did not get to."""

    plan: RevokePlan
    treated: tuple[TargetResult, ...]
    """In order; shorter than the plan's targets where it was stopped."""
    stopped: str | None = None
    """Why it ended before its end."""
    watched_s: float | None = None
    """So long it was watched whether the leaks come back; None where nobody asked."""
    relapses: tuple[Reacquired, ...] = ()

    @property
    def is_fine(self) -> bool:
        """Whether all that was selected is done, and nothing came back."""
        came_back = any(not relapse.was_waiting for relapse in self.relapses)
        refused = any(not refusal.is_gone for refusal in self.plan.refused)
        done = len(self.treated) == len(self.plan.targets)
        return (
            done
            and not (self.stopped or refused or came_back)
            and all(each.is_fine and not each.unrecorded for each in self.treated)
        )
