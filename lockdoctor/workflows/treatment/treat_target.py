"""Treat one target: read it, write the intent, act, find the result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from lockdoctor.domain.model.actions import Action, Result
from lockdoctor.domain.model.leases import (
    NO_LEASE,
    FailedReading,
    LeaseId,
    LeaseNotFound,
    LeaseReading,
)
from lockdoctor.domain.model.locks import LockKey
from lockdoctor.domain.model.write_result import WriteOutcome
from lockdoctor.domain.treatment.journal_entry import Intent, Reason
from lockdoctor.domain.treatment.plan import ApprovedHold, RevokePlan, Target
from lockdoctor.domain.treatment.preconditions import CurrentState, changes, find_lock, hold_changes
from lockdoctor.domain.treatment.reasons import (
    Change,
    Failure,
    FailureKind,
    KeyAdded,
    KeyGone,
    KeysUnseen,
)
from lockdoctor.domain.treatment.results import ActionResult, QueueState
from lockdoctor.errors import NO_ANSWER, ClusterError
from lockdoctor.workflows.treatment.context import (
    TreatmentContext,
    queue_snapshot,
    queues_of,
    read_keys,
    read_lease,
    reread,
)
from lockdoctor.workflows.treatment.guarded_write import GuardedWriter, is_hold_gone


async def treat(
    context: TreatmentContext, plan: RevokePlan, target: Target
) -> ActionResult[Target]:
    """
    Treat one target if it is unchanged since the plan, and return its result.

    One gap remains, as long as one request: etcd cannot revoke a lease on a condition. A key that
    is put onto the lease between the last look-up and the revocation is deleted with it. Deleting
    and moving a hold have no gap: those writes are guarded.

    Raises:
        JournalError: The intent could not be written, so no action was done.
        WrongClusterError: Another cluster has answered before the intent was written.
    """
    try:
        now = await reread(context, target)
    except ClusterError as failed:
        return ActionResult(target=target, result=Result.FAILED, failure=str(failed))
    if isinstance(now.lease, FailedReading):
        why = Failure(FailureKind.LEASE_NOT_READ, now.lease.reason)
        return ActionResult(target=target, result=Result.FAILED, failure=why)
    if now.is_gone(target):
        return ActionResult(target=target, result=Result.ALREADY_GONE)
    changed = changes(target, plan, now)
    if changed:
        return ActionResult(target=target, result=Result.REFUSED, changed=changed)
    try:
        return await _Operation(context, plan, target, now).run()
    except ClusterError as failed:  # before any write except the grant of an empty lease
        return ActionResult(target=target, result=Result.FAILED, failure=str(failed))


class _Operation:
    """The action on a target that was found unchanged."""

    def __init__(
        self, context: TreatmentContext, plan: RevokePlan, target: Target, now: CurrentState
    ) -> None:
        self.context = context
        self.plan = plan
        self.target = target
        self.now = now
        self.writer = GuardedWriter(context, target)

    async def run(self) -> ActionResult[Target]:
        undo_until, new = None, None
        if self.target.action is Action.QUARANTINE:
            undo_until = self.context.clock.now() + self.plan.quarantine_s
            new = await self.context.key_writer.grant(self.plan.quarantine_s)

        async def act() -> ActionResult[Target]:
            result = await self.writer.settled(self._act(new))
            return replace(result, undo_until=undo_until if result.result is Result.DONE else None)

        result = await self.writer.recorded(self._intent(new), act)
        return replace(result, queues=await self._queues_after() if result.is_fine else ())

    async def _act(self, new: LeaseId | None) -> ActionResult[Target]:
        if new is not None:
            return await self.writer.guarded(
                lambda keys: self.context.key_writer.move(keys, new),
                self.target.holds,
                lambda _, key: key is not None and key.lease_id == new,
            )
        if self.target.action is Action.REVOKE:
            return await self._revoke()
        return await self._release()

    async def _release(self) -> ActionResult[Target]:
        return await self.writer.guarded(
            self.context.key_writer.delete, self.target.holds, is_hold_gone
        )

    async def _revoke(self) -> ActionResult[Target]:
        if self.target.approved_holds:
            released = await self._release()
            if released.result is Result.ALREADY_GONE:
                return await self._was_faster()
            if released.result is not Result.DONE:
                return released
        try:
            changed = await self._unapproved()
            if changed is None:
                return self.writer.result(Result.DONE)
            if changed:
                return self.writer.result(self.writer.partial_or(Result.REFUSED), changed)
            return await self._end_lease()
        except NO_ANSWER as failed:
            return self.writer.result(self.writer.partial_or(Result.FAILED), failure=str(failed))

    async def _was_faster(self) -> ActionResult[Target]:
        """Return ALREADY_GONE if the lease ended, or REFUSED if its client unlocked."""
        try:
            if await self._lease_is_gone():
                return self.writer.result(Result.ALREADY_GONE)
        except NO_ANSWER as failed:
            return self.writer.result(Result.FAILED, failure=str(failed))
        return self.writer.result(
            Result.REFUSED, tuple(KeyGone(key.key) for key in self.target.holds)
        )

    async def _unapproved(self) -> tuple[Change, ...] | None:
        """
        Return the keys on the lease that were not approved; None if the lease is gone.

        The approved holds are deleted by now: a key of the same name is a new hold.
        """
        others = {key.key: key for key in self.target.others}
        now = await read_keys(self.context.key_writer, others)
        changed = [c for key in others.values() for c in hold_changes(key, now.get(key.key))]
        lease = await read_lease(self.context.cluster, self.target.lease_id)
        match lease:
            case LeaseNotFound():
                return None
            case LeaseReading(attached_keys=tuple(attached)):
                return (*changed, *(KeyAdded(key) for key in attached if key not in others))
            case FailedReading(reason=reason):
                return (KeysUnseen(reason),)
            case _:
                return (KeysUnseen(None),)

    async def _end_lease(self) -> ActionResult[Target]:
        written = self.writer.note(await self.context.key_writer.revoke(self.target.lease_id))
        if written.effect is WriteOutcome.UNCLEAR and not await self.writer.poll_until(
            self._lease_is_gone
        ):
            return self.writer.result(Result.UNKNOWN, failure=written.why)
        return self.writer.result(Result.DONE)

    async def _lease_is_gone(self) -> bool:
        return isinstance(
            await read_lease(self.context.cluster, self.target.lease_id), LeaseNotFound
        )

    async def _queues_after(self) -> tuple[QueueState, ...]:
        """
        Return who holds each lock now; leave out locks that cannot be read.

        The action is done already, so a failed read must not fail it.
        """
        if self.target.action is Action.QUARANTINE:
            return ()
        try:
            return tuple(
                [
                    await self._queue_after(each)
                    for each in self.target.approved_holds
                    if each.is_holder
                ]
            )
        except NO_ANSWER:
            return ()

    async def _queue_after(self, approved_hold: ApprovedHold) -> QueueState:
        snapshot = await queue_snapshot(self.context, approved_hold.lock)
        lock = find_lock(queues_of(self.context, approved_hold.lock, snapshot), approved_hold)
        holder = lock.holder if lock else None
        return QueueState(
            lock=approved_hold.lock.name,
            holder=holder.key if holder else None,
            lease_id=holder.lease_id if holder else NO_LEASE,
            was_waiting=holder is not None and holder.key == approved_hold.next_key,
        )

    def _intent(self, new: LeaseId | None) -> Intent:
        target, plan = self.target, self.plan
        return Intent(
            entry_id=self.context.journal.new_entry_id(),
            at=self.context.clock.now(),
            who=self.context.who,
            action=target.action,
            why=Reason(
                verdict=target.verdict.value if target.verdict else "",
                confidence=target.confidence.value,
                evidence=target.evidence,
            ),
            cluster_id=plan.cluster_id,
            lease_id=target.lease_id,
            granted_ttl_s=target.granted_ttl_s,
            locks=tuple(
                dict.fromkeys(approved_hold.lock.name for approved_hold in target.approved_holds)
            ),
            keys=tuple(_as_read(target.affected_keys, self.now.keys)),
            new_lease_id=new,
            new_ttl_s=None if new is None else plan.quarantine_s,
            treated_under=target.treated_under,
        )


def _as_read(keys: Sequence[LockKey], now: Mapping[bytes, LockKey]) -> Iterator[LockKey]:
    """Yield the keys with their values, as they were read right before."""
    return (now[key.key] for key in keys)
