"""Restore: put back keys that a treatment has deleted, if they do not exist."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from functools import partial

from lockdoctor.domain.model.actions import Action, Result
from lockdoctor.domain.model.leases import NO_LEASE, LeaseId
from lockdoctor.domain.model.locks import LockKey
from lockdoctor.domain.model.write_result import WriteOutcome
from lockdoctor.domain.treatment.journal_entry import Entry, Intent, Outcome, Reason
from lockdoctor.domain.treatment.restore_plan import (
    RestorePlan,
    RestoreResult,
    RestoreSkipReason,
    SkippedKey,
    plan_restoration,
)
from lockdoctor.errors import NO_ANSWER, JournalError
from lockdoctor.ports import Cluster, KeyWriter, StopRequest
from lockdoctor.workflows.treatment.context import TreatmentContext, require_cluster
from lockdoctor.workflows.treatment.guarded_write import CUT_OFF, GuardedWriter


async def plan_restore(
    cluster: Cluster, surgeon: KeyWriter, entry: Entry, wanted: Collection[bytes], ttl_s: int | None
) -> RestorePlan:
    """
    Plan which keys can be put back; write no key or lease.

    Raises:
        ClusterError: The keys could not be read.
        WrongClusterError: The entry is of another cluster.
    """
    await _require_cluster(cluster, entry)
    keys = [key.key for key in entry.perhaps_deleted if not wanted or key.key in wanted]
    existing = {key for key in keys if await surgeon.key(key) is not None}
    return plan_restoration(entry, existing, wanted, ttl_s)


async def restore(ward: TreatmentContext, plan: RestorePlan, stop: StopRequest) -> RestoreResult:
    """
    Put the planned keys back in order, each only if it does not exist by then.

    A requested stop takes effect after the current key.

    A new lease is granted before the intent is written to the journal. If the restore then fails,
    the lease expires by itself.

    Raises:
        JournalError: The intent could not be written, so no key was put back.
        ClusterError: etcd could not be read, or no lease could be granted, so no key was put back.
        WrongClusterError: It is no longer the entry's cluster, so no key was put back there.
    """
    await _require_cluster(ward.cluster, plan.entry)
    new = NO_LEASE if plan.ttl_s is None else await ward.surgeon.grant(plan.ttl_s)
    intent = _intent(ward, plan, new)
    ward.journal.write(intent)
    came = _Restoring(ward, plan.keys, new)
    await came.run(stop)
    outcome = Outcome(
        entry_id=intent.entry_id,
        at=ward.clock.now(),
        result=came.result,
        detail=ward.words.restored(len(came.put), [left.why for left in came.left]),
        took_s=came.hand.took_s,
    )
    unrecorded = None
    try:
        ward.journal.write(outcome)
    except JournalError as failed:
        unrecorded = str(failed)
    return RestoreResult(
        entry_id=intent.entry_id,
        result=came.result,
        put=tuple(came.put),
        left=tuple(came.left),
        failure=came.failure,
        unrecorded=unrecorded,
        took_s=came.hand.took_s,
    )


class _Restoring:
    """One restore in progress."""

    def __init__(
        self, ward: TreatmentContext, keys: tuple[LockKey, ...], lease_id: LeaseId
    ) -> None:
        self.put: list[LockKey] = []
        self.left: list[SkippedKey] = []
        self.failure: str | None = None
        self.hand = GuardedWriter(ward.surgeon, ward.clock, ward.look_up_s)
        self._surgeon = ward.surgeon
        self._keys = keys
        self._lease_id = lease_id

    async def run(self, stop: StopRequest) -> None:
        """Put the keys back in order; skip those that exist, stop at any other failure."""
        for number, key in enumerate(self._keys):
            if stop.reason or self.failure:
                self.left += [
                    SkippedKey(late, RestoreSkipReason.NOT_REACHED) for late in self._keys[number:]
                ]
                return
            try:
                why = await self._why_not(key)
            except asyncio.CancelledError:
                self.failure, why = CUT_OFF, RestoreSkipReason.UNCLEAR
            if why is None:
                self.put.append(key)
            else:
                self.left.append(SkippedKey(key, why))

    @property
    def result(self) -> Result:
        if any(left.why is RestoreSkipReason.UNCLEAR for left in self.left):
            return Result.UNKNOWN
        if not self.left:
            return Result.DONE
        if self.put:
            return Result.PARTLY
        return Result.FAILED if self.failure else Result.REFUSED

    async def _why_not(self, key: LockKey) -> RestoreSkipReason | None:
        try:
            written = self.hand.note(await self._surgeon.create([key], self._lease_id))
        except NO_ANSWER as failed:
            self.failure = str(failed)
            return RestoreSkipReason.REFUSED
        if written.effect is WriteOutcome.DONE or (
            written.effect is WriteOutcome.UNCLEAR
            and await self.hand.poll_until(partial(self._is_back, key))
        ):
            return None
        if written.effect is WriteOutcome.UNMET:
            return RestoreSkipReason.EXISTS
        self.failure = written.why or "the new lease has ended"
        return (
            RestoreSkipReason.UNCLEAR
            if written.effect is WriteOutcome.UNCLEAR
            else RestoreSkipReason.REFUSED
        )

    async def _is_back(self, key: LockKey) -> bool:
        found = await self._surgeon.key(key.key)
        return found is not None and (found.value, found.lease_id) == (key.value, self._lease_id)


async def _require_cluster(cluster: Cluster, entry: Entry) -> None:
    intent = entry.intent
    await require_cluster(cluster, intent.cluster_id, f"entry {intent.entry_id} of the journal")


def _intent(ward: TreatmentContext, plan: RestorePlan, new: LeaseId) -> Intent:
    of = plan.entry.intent
    return Intent(
        entry_id=ward.journal.new_entry_id(),
        at=ward.clock.now(),
        who=ward.who,
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
