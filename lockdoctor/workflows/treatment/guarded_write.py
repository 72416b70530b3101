"""Write to some keys under a guard, and find the result where no answer came."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from lockdoctor.domain.model.actions import Result
from lockdoctor.domain.model.locks import LockKey
from lockdoctor.domain.model.write_result import WriteOutcome, WriteResult
from lockdoctor.domain.treatment.preconditions import hold_changes
from lockdoctor.domain.treatment.reasons import Change, LeaseGoneAlready
from lockdoctor.errors import NO_ANSWER, ClusterError, WrongClusterError
from lockdoctor.ports import MAX_KEYS_PER_WRITE, Clock, KeyWriter
from lockdoctor.workflows.treatment.context import LOOK_UP_S, read_keys

LOOK_INTERVAL_S = 0.5

CUT_OFF = "The run was interrupted a second time before the answer came"

Write = Callable[[Sequence[LockKey]], Awaitable[WriteResult]]
IsDone = Callable[[LockKey, LockKey | None], bool]
"""Finds whether a write was done, from a key as shown in the plan and as it is now."""


@dataclass(frozen=True, slots=True)
class Came:
    """The result of a step."""

    result: Result
    changed: tuple[Change, ...] = ()
    failure: str | None = None


@dataclass(slots=True)
class GuardedWriter:
    """Write keys, and record what was written and how long it took."""

    surgeon: KeyWriter
    clock: Clock
    look_up_s: float = LOOK_UP_S
    """The maximum time to look up a write without an answer, in seconds."""
    touched: list[bytes] = field(default_factory=list)
    """Keys that were certainly written to."""
    was_looked_up: bool = False
    first_asked_at: float | None = None
    last_answered_at: float = 0.0

    @property
    def took_s(self) -> float:
        """Return the seconds from the first write to the answer that settled the last."""
        if self.first_asked_at is None:
            return 0.0
        return max(0.0, self.last_answered_at - self.first_asked_at)

    def note(self, written: WriteResult) -> WriteResult:
        """Store a write, and return it."""
        if self.first_asked_at is None:
            self.first_asked_at = written.asked_at
        self.last_answered_at = written.answered_at
        return written

    def partial_or(self, otherwise: Result) -> Result:
        """Return the partial result if some keys were written, else the given one."""
        return Result.PARTLY if self.touched else otherwise

    async def guarded(self, write: Write, keys: Sequence[LockKey], is_done: IsDone) -> Came:
        """Write to all keys, in the largest batches etcd takes; stop at the first failure."""
        for batch in _batches(keys):
            try:
                written = self.note(await write(batch))
            except NO_ANSWER as failed:
                return Came(self.partial_or(Result.FAILED), failure=str(failed))
            if written.effect is WriteOutcome.UNCLEAR:
                if not await self.poll_until(partial(self._are_done, batch, is_done)):
                    return Came(Result.UNKNOWN, failure=written.why)
            elif written.effect is not WriteOutcome.DONE:
                return await self._not_done(batch, is_last=batch[-1] is keys[-1])
            self.touched += [key.key for key in batch]
        return Came(Result.DONE)

    async def poll_until(self, is_so: Callable[[], Awaitable[bool]]) -> bool:
        """Look up a write without an answer until it is done or the time is over."""
        self.was_looked_up = True
        give_up_at = self.clock.now() + self.look_up_s
        while True:
            try:
                if await is_so():
                    self.last_answered_at = self.clock.now()
                    return True
            except ClusterError:  # an election, perhaps: the time limit decides
                pass
            except WrongClusterError:  # no answer can be trusted any more
                return False
            if self.clock.now() >= give_up_at:
                return False
            await self.clock.sleep(LOOK_INTERVAL_S)

    async def _not_done(self, batch: Sequence[LockKey], *, is_last: bool) -> Came:
        """Return why a guarded write was not done."""
        try:
            now = await read_keys(self.surgeon, (key.key for key in batch))
        except NO_ANSWER as failed:
            return Came(self.partial_or(Result.REFUSED), failure=str(failed))
        if not now and not self.touched and is_last:
            return Came(Result.ALREADY_GONE)
        changed = tuple(c for key in batch for c in hold_changes(key, now.get(key.key)))
        return Came(self.partial_or(Result.REFUSED), changed or (LeaseGoneAlready(),))

    async def _are_done(self, batch: Sequence[LockKey], is_done: IsDone) -> bool:
        now = await read_keys(self.surgeon, (key.key for key in batch))
        return all(is_done(key, now.get(key.key)) for key in batch)


async def settled(step: Awaitable[Came]) -> Came:
    """Run a writing step; if it is cut off, return an unknown result."""
    try:
        return await step
    except asyncio.CancelledError:
        return Came(Result.UNKNOWN, failure=CUT_OFF)


def is_hold_gone(shown: LockKey, now: LockKey | None) -> bool:
    """Return whether a hold has ended, even where its key was created again."""
    return now is None or now.create_revision != shown.create_revision


def _batches(keys: Sequence[LockKey]) -> Iterator[Sequence[LockKey]]:
    for start in range(0, len(keys), MAX_KEYS_PER_WRITE):
        yield keys[start : start + MAX_KEYS_PER_WRITE]
