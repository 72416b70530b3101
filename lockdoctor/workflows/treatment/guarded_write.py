"""Write to some keys under a guard, and find the result where no answer came."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Generic, TypeVar

from lockdoctor.domain.model.actions import Result
from lockdoctor.domain.model.locks import LockKey
from lockdoctor.domain.model.write_result import WriteOutcome, WriteResult
from lockdoctor.domain.treatment.journal_entry import Intent, Outcome
from lockdoctor.domain.treatment.plan import Target
from lockdoctor.domain.treatment.preconditions import hold_changes
from lockdoctor.domain.treatment.reasons import (
    Change,
    Failure,
    FailureKind,
    FailureReason,
    LeaseGoneAlready,
)
from lockdoctor.domain.treatment.results import ActionResult, AnyTarget
from lockdoctor.errors import NO_ANSWER, ClusterError, JournalError, WrongClusterError
from lockdoctor.ports import MAX_KEYS_PER_WRITE
from lockdoctor.workflows.treatment.context import TreatmentContext, read_keys

LOOK_INTERVAL_S = 0.5

_T = TypeVar("_T", bound=AnyTarget)

Write = Callable[[Sequence[LockKey]], Awaitable[WriteResult]]
IsDone = Callable[[LockKey, LockKey | None], bool]
"""Finds whether a write was done, from a key as shown in the plan and as it is now."""


class GuardedWriter(Generic[_T]):
    """Write the keys of one action, and record what was written and how long it took."""

    def __init__(self, context: TreatmentContext, target: _T) -> None:
        """Write for one target, undo or restore."""
        self.context = context
        self.target: _T = target
        self.touched: list[bytes] = []
        """Keys that were certainly written to."""
        self._was_looked_up = False
        self._first_asked_at: float | None = None
        self._last_answered_at = 0.0

    def note(self, written: WriteResult) -> WriteResult:
        """Store a write, and return it."""
        if self._first_asked_at is None:
            self._first_asked_at = written.asked_at
        self._last_answered_at = written.answered_at
        return written

    def result(
        self,
        result: Result,
        changed: tuple[Change, ...] = (),
        failure: FailureReason | None = None,
    ) -> ActionResult[_T]:
        """Return the result of the writes so far."""
        began_at = self._first_asked_at
        took_s = 0.0 if began_at is None else max(0.0, self._last_answered_at - began_at)
        return ActionResult(
            target=self.target,
            result=result,
            changed=changed,
            failure=failure,
            was_looked_up=self._was_looked_up,
            took_s=took_s,
        )

    def partial_or(self, otherwise: Result) -> Result:
        """Return the partial result if some keys were written, else the given one."""
        return Result.PARTLY if self.touched else otherwise

    async def guarded(
        self, write: Write, keys: Sequence[LockKey], is_done: IsDone
    ) -> ActionResult[_T]:
        """Write to all keys, in the largest batches etcd takes; stop at the first failure."""
        for batch in _batches(keys):
            try:
                written = self.note(await write(batch))
            except NO_ANSWER as failed:
                return self.result(self.partial_or(Result.FAILED), failure=str(failed))
            if written.effect is WriteOutcome.UNCLEAR:
                if not await self.poll_until(partial(self._are_done, batch, is_done)):
                    return self.result(Result.UNKNOWN, failure=written.why)
            elif written.effect is not WriteOutcome.DONE:
                return await self._not_done(batch, is_last=batch[-1] is keys[-1])
            self.touched += [key.key for key in batch]
        return self.result(Result.DONE)

    async def poll_until(self, is_so: Callable[[], Awaitable[bool]]) -> bool:
        """Look up a write without an answer until it is done or the time is over."""
        clock = self.context.clock
        self._was_looked_up = True
        give_up_at = clock.now() + self.context.look_up_s
        while True:
            try:
                if await is_so():
                    self._last_answered_at = clock.now()
                    return True
            except ClusterError:  # an election, perhaps: the time limit decides
                pass
            except WrongClusterError:  # no answer can be trusted any more
                return False
            if clock.now() >= give_up_at:
                return False
            await clock.sleep(LOOK_INTERVAL_S)

    async def settled(self, step: Awaitable[ActionResult[_T]]) -> ActionResult[_T]:
        """Run a writing step; if it is cut off, return an unknown result."""
        try:
            return await step
        except asyncio.CancelledError:
            return self.result(Result.UNKNOWN, failure=Failure(FailureKind.CUT_OFF))

    async def recorded(
        self, intent: Intent, act: Callable[[], Awaitable[ActionResult[_T]]]
    ) -> ActionResult[_T]:
        """
        Write the intent into the journal, act, and write the outcome.

        Raises:
            JournalError: The intent could not be written, so no action was done.
        """
        context = self.context
        context.journal.write(intent)
        result = replace(await act(), entry_id=intent.entry_id)
        is_partial = result.result is Result.PARTLY and isinstance(self.target, Target)
        outcome = Outcome(
            entry_id=intent.entry_id,
            at=context.clock.now(),
            result=result.result,
            detail=context.words.outcome(result),
            took_s=result.took_s,
            deleted=tuple(self.touched) if is_partial else None,
        )
        try:
            context.journal.write(outcome)
        except JournalError as failed:
            return replace(result, unrecorded=str(failed))
        return result

    async def _not_done(self, batch: Sequence[LockKey], *, is_last: bool) -> ActionResult[_T]:
        """Return why a guarded write was not done."""
        try:
            now = await read_keys(self.context.key_writer, (key.key for key in batch))
        except NO_ANSWER as failed:
            return self.result(self.partial_or(Result.REFUSED), failure=str(failed))
        if not now and not self.touched and is_last:
            return self.result(Result.ALREADY_GONE)
        changed = tuple(c for key in batch for c in hold_changes(key, now.get(key.key)))
        return self.result(self.partial_or(Result.REFUSED), changed or (LeaseGoneAlready(),))

    async def _are_done(self, batch: Sequence[LockKey], is_done: IsDone) -> bool:
        now = await read_keys(self.context.key_writer, (key.key for key in batch))
        return all(is_done(key, now.get(key.key)) for key in batch)


def is_hold_gone(shown: LockKey, now: LockKey | None) -> bool:
    """Return whether a hold has ended, even where its key was created again."""
    return now is None or now.create_revision != shown.create_revision


def _batches(keys: Sequence[LockKey]) -> Iterator[Sequence[LockKey]]:
    for start in range(0, len(keys), MAX_KEYS_PER_WRITE):
        yield keys[start : start + MAX_KEYS_PER_WRITE]
