"""Restore: write again the keys that an action deleted, if they do not exist."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import replace
from functools import partial

from lockdoctor.domain.model.actions import Action, Result
from lockdoctor.domain.model.leases import NO_LEASE, LeaseId
from lockdoctor.domain.model.locks import LockKey
from lockdoctor.domain.model.write_result import WriteOutcome
from lockdoctor.domain.treatment.journal_entry import Entry, Intent, Reason
from lockdoctor.domain.treatment.reasons import Failure, FailureKind, FailureReason
from lockdoctor.domain.treatment.restore_plan import (
    RestorePlan,
    RestoreSkipReason,
    SkippedKey,
    plan_restoration,
)
from lockdoctor.domain.treatment.results import ActionResult
from lockdoctor.errors import NO_ANSWER
from lockdoctor.ports import StopRequest
from lockdoctor.workflows.treatment.context import TreatmentContext, require_cluster_of
from lockdoctor.workflows.treatment.guarded_write import GuardedWriter


async def plan_restore(
    context: TreatmentContext, entry: Entry, wanted: Collection[bytes], ttl_s: int | None
) -> RestorePlan:
    """
    Plan which keys can be restored; write no key or lease.

    Raises:
        ClusterError: The keys could not be read.
        WrongClusterError: The entry is of another cluster.
    """
    await require_cluster_of(context.cluster, entry)
    keys = [key.key for key in entry.perhaps_deleted if not wanted or key.key in wanted]
    existing = {key for key in keys if await context.key_writer.key(key) is not None}
    return plan_restoration(entry, existing, wanted, ttl_s)


async def restore(
    context: TreatmentContext, plan: RestorePlan, stop: StopRequest
) -> ActionResult[RestorePlan]:
    """
    Put the planned keys back in order, each only if it does not exist by then.

    A requested stop takes effect after the current key.

    A new lease is granted before the intent is written to the journal. If the restore then fails,
    the lease expires by itself.

    Raises:
        JournalError: The intent could not be written, so no key was restored.
        ClusterError: etcd could not be read, or no lease could be granted, so no key was restored.
        WrongClusterError: It is no longer the entry's cluster, so no key was restored there.
    """
    await require_cluster_of(context.cluster, plan.entry)
    new = NO_LEASE if plan.ttl_s is None else await context.key_writer.grant(plan.ttl_s)
    restoring = _Restoring(context, plan, new)
    return await restoring.writer.recorded(_intent(context, plan, new), lambda: restoring.run(stop))


class _Restoring:
    """One restore in progress."""

    def __init__(self, context: TreatmentContext, plan: RestorePlan, lease_id: LeaseId) -> None:
        self.writer = GuardedWriter(context, plan)
        self._key_writer = context.key_writer
        self._keys = plan.keys
        self._lease_id = lease_id
        self._skipped: list[SkippedKey] = []
        self._failure: FailureReason | None = None

    async def run(self, stop: StopRequest) -> ActionResult[RestorePlan]:
        """Put the keys back in order; skip those that exist, stop at any other failure."""
        for number, key in enumerate(self._keys):
            if stop.reason or self._failure:
                self._skipped += [
                    SkippedKey(late, RestoreSkipReason.NOT_REACHED) for late in self._keys[number:]
                ]
                break
            try:
                why = await self._why_not(key)
            except asyncio.CancelledError:
                self._failure = Failure(FailureKind.CUT_OFF)
                why = RestoreSkipReason.UNCLEAR
            if why is not None:
                self._skipped.append(SkippedKey(key, why))
        result = self.writer.result(self._result(), failure=self._failure)
        return replace(result, skipped=tuple(self._skipped))

    def _result(self) -> Result:
        if any(skipped.why is RestoreSkipReason.UNCLEAR for skipped in self._skipped):
            return Result.UNKNOWN
        if not self._skipped:
            return Result.DONE
        if len(self._skipped) < len(self._keys):
            return Result.PARTLY
        return Result.FAILED if self._failure else Result.REFUSED

    async def _why_not(self, key: LockKey) -> RestoreSkipReason | None:
        try:
            written = self.writer.note(await self._key_writer.create([key], self._lease_id))
        except NO_ANSWER as failed:
            self._failure = str(failed)
            return RestoreSkipReason.REFUSED
        if written.effect is WriteOutcome.DONE or (
            written.effect is WriteOutcome.UNCLEAR
            and await self.writer.poll_until(partial(self._is_back, key))
        ):
            return None
        if written.effect is WriteOutcome.UNMET:
            return RestoreSkipReason.EXISTS
        self._failure = written.why or Failure(FailureKind.NEW_LEASE_ENDED)
        return (
            RestoreSkipReason.UNCLEAR
            if written.effect is WriteOutcome.UNCLEAR
            else RestoreSkipReason.REFUSED
        )

    async def _is_back(self, key: LockKey) -> bool:
        found = await self._key_writer.key(key.key)
        return found is not None and (found.value, found.lease_id) == (key.value, self._lease_id)


def _intent(context: TreatmentContext, plan: RestorePlan, new: LeaseId) -> Intent:
    of = plan.entry.intent
    return Intent(
        entry_id=context.journal.new_entry_id(),
        at=context.clock.now(),
        who=context.who,
        action=Action.RESTORE,
        why=Reason(verdict="", confidence="", evidence=()),
        cluster_id=of.cluster_id,
        lease_id=of.lease_id,
        granted_ttl_s=of.granted_ttl_s,
        locks=of.locks,
        keys=plan.keys,
        new_lease_id=new or None,
        new_ttl_s=plan.ttl_s,
        of=of.entry_id,
    )
