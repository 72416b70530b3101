"""The results of a treatment: targets, queues behind them, and returned leaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from lockdoctor.domain.model.actions import Result
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.treatment.journal_entry import Entry, EntryId
from lockdoctor.domain.treatment.plan import RevokePlan, Target
from lockdoctor.domain.treatment.reasons import Change, FailureReason
from lockdoctor.domain.treatment.restore_plan import RestorePlan, SkippedKey

AnyTarget: TypeAlias = Target | Entry | RestorePlan

TargetT_co = TypeVar("TargetT_co", bound=AnyTarget, covariant=True)

SUCCESSFUL = frozenset({Result.DONE, Result.ALREADY_GONE})


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """The holder of a lock after the former holder was treated."""

    lock: bytes
    holder: bytes | None
    """None where the lock has neither holder nor waiter."""
    lease_id: LeaseId
    was_waiting: bool
    """Whether it is the key that the plan named as the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionResult(Generic[TargetT_co]):
    """The result of one action: on a target, or to undo or restore a journal entry."""

    target: TargetT_co
    """The target; the entry of the quarantine to undo; the plan of the restore."""
    result: Result
    entry_id: EntryId | None = None
    """The ID of its journal entry; None where no action was attempted."""
    changed: tuple[Change, ...] = ()
    """The differences from the plan that prevented the action or the rest of it."""
    failure: FailureReason | None = None
    was_looked_up: bool = False
    """No answer came; a reading afterwards showed the result."""
    took_s: float = 0.0
    """Seconds from the first write to the answer of the last."""
    queues: tuple[QueueState, ...] = ()
    undo_until: float | None = None
    """POSIX seconds: a quarantine lasts at least until then."""
    skipped: tuple[SkippedKey, ...] = ()
    """The keys of a restore that are not proven to be back."""
    unrecorded: str | None = None
    """Why this could not be written into the journal, which has only the intent."""

    @property
    def is_fine(self) -> bool:
        """Return whether the planned state is reached."""
        return self.result in SUCCESSFUL

    @property
    def is_complete(self) -> bool:
        """Return whether the planned state is reached, and the journal says so."""
        return self.is_fine and not self.unrecorded


@dataclass(frozen=True, slots=True, kw_only=True)
class Reacquired:
    """Another key that took a freed lock, keeps it and is renewed."""

    lock: bytes
    key: bytes
    lease_id: LeaseId
    was_waiting: bool
    """It was in the queue when the lock was freed: its client might simply be at work."""
    renewals: int
    """The fewest renewals that are proven."""
    held_s: float
    """How long it was seen to hold, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TreatmentReport:
    """The results of one run, and the targets that it did not reach."""

    plan: RevokePlan
    treated: tuple[ActionResult[Target], ...]
    """In order; shorter than the plan's targets where it was stopped."""
    stopped: FailureReason | None = None
    """Why it ended early."""
    watched_s: float | None = None
    """How long it was watched whether the leaks come back, in seconds; None if not requested."""
    relapses: tuple[Reacquired, ...] = ()

    @property
    def is_fine(self) -> bool:
        """Return whether all selected targets are done, and no leak came back."""
        came_back = any(not relapse.was_waiting for relapse in self.relapses)
        refused = any(not refusal.is_gone for refusal in self.plan.refused)
        done = len(self.treated) == len(self.plan.targets)
        return (
            done
            and not (self.stopped or refused or came_back)
            and all(each.is_complete for each in self.treated)
        )
