"""Undo: put keys in quarantine back onto their old lease before they expire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from lockdoctor.domain.model.actions import Action, Result
from lockdoctor.domain.model.leases import NO_LEASE
from lockdoctor.domain.model.locks import LockKey
from lockdoctor.domain.treatment.journal_entry import Entry, EntryId, Intent, Outcome
from lockdoctor.domain.treatment.preconditions import hold_changes
from lockdoctor.domain.treatment.reasons import Change, KeyGone, KeyRewritten
from lockdoctor.domain.treatment.results import UndoResult
from lockdoctor.errors import JournalError
from lockdoctor.ports import StopRequest
from lockdoctor.workflows.treatment.context import TreatmentContext, read_keys, require_cluster
from lockdoctor.workflows.treatment.guarded_write import Came, GuardedWriter, settled


async def undo(ward: TreatmentContext, entry_id: EntryId, stop: StopRequest) -> UndoResult:
    """
    Put the keys of a quarantine back, each only if it is unchanged since.

    A key that is back already is not written, so a partial undo, or the undo of a partial
    quarantine, can be completed. A key that has changed otherwise does not keep the others in
    quarantine. A requested stop takes effect only before the first write.

    Raises:
        JournalError: There is no such quarantine, or the intent could not be written; no key was
            put back.
        ClusterError: etcd could not be read.
        WrongClusterError: The quarantine is of another cluster, or another one has answered.
    """
    entry = _quarantine(ward, entry_id)
    of = f"entry {entry_id} of the journal"
    await require_cluster(ward.cluster, entry.intent.cluster_id, of)
    found = await read_keys(ward.surgeon, (key.key for key in entry.intent.keys))
    told = UndoResult(
        undone=entry_id,
        lease_id=entry.intent.lease_id,
        locks=entry.intent.locks,
        result=Result.ALREADY_GONE,
        changed=tuple(_changes(entry, found)),
    )
    holds = {key.hold for key in entry.intent.keys}
    ours = entry.intent.new_lease_id
    kept = tuple(key for key in found.values() if key.hold in holds and key.lease_id == ours)
    if not kept:
        return replace(told, result=Result.REFUSED) if told.changed else told
    if stop.reason:
        return replace(told, result=Result.FAILED, failure=f"It was ended by {stop.reason}")
    return await _put_back(ward, entry, kept, told)


def _quarantine(ward: TreatmentContext, entry_id: EntryId) -> Entry:
    entry = ward.journal.find(entry_id)
    if entry is None:
        raise JournalError(
            f"The journal has no entry {entry_id}; `lockdoctor journal` lists those that it has"
        )
    if entry.intent.action is not Action.QUARANTINE:
        raise JournalError(
            f"The entry {entry_id} is no quarantine, so it cannot be undone;"
            f" see `lockdoctor journal restore {entry_id}`"
        )
    return entry


def _changes(entry: Entry, found: Mapping[bytes, LockKey]) -> Iterator[Change]:
    """Yield the keys that are neither in quarantine nor back, and what changed."""
    for shown in entry.intent.keys:
        now = found.get(shown.key)
        if now is None or now.create_revision != shown.create_revision:
            yield from hold_changes(shown, now)
        elif now.lease_id not in {entry.intent.new_lease_id, shown.lease_id}:
            yield KeyRewritten(shown.key)


async def _put_back(
    ward: TreatmentContext, entry: Entry, keys: tuple[LockKey, ...], told: UndoResult
) -> UndoResult:
    old, ours = entry.intent.lease_id, entry.intent.new_lease_id
    intent = Intent(
        entry_id=ward.journal.new_entry_id(),
        at=ward.clock.now(),
        who=ward.who,
        action=Action.UNDO,
        why=entry.intent.why,
        cluster_id=entry.intent.cluster_id,
        lease_id=ours or NO_LEASE,
        granted_ttl_s=entry.intent.new_ttl_s,
        locks=entry.intent.locks,
        keys=keys,
        new_lease_id=old,
        new_ttl_s=entry.intent.granted_ttl_s,
        of=entry.intent.entry_id,
    )
    ward.journal.write(intent)
    hand = GuardedWriter(ward.surgeon, ward.clock, ward.look_up_s)
    came = await settled(
        hand.guarded(
            lambda batch: ward.surgeon.move(batch, old),
            keys,
            lambda _, key: key is not None and key.lease_id == old,
        )
    )
    if came.result is Result.ALREADY_GONE:  # a key that was deleted meanwhile is not back
        came = Came(Result.REFUSED, tuple(KeyGone(key.key) for key in keys))
    if came.result is Result.DONE and told.changed:
        came = replace(came, result=Result.PARTLY)
    told = replace(
        told,
        result=came.result,
        entry_id=intent.entry_id,
        changed=(*told.changed, *came.changed),
        failure=came.failure,
        was_looked_up=hand.was_looked_up,
        took_s=hand.took_s,
    )
    outcome = Outcome(
        entry_id=intent.entry_id,
        at=ward.clock.now(),
        result=told.result,
        detail=ward.words.outcome(told),
        took_s=told.took_s,
    )
    try:
        ward.journal.write(outcome)
    except JournalError as failed:
        return replace(told, unrecorded=str(failed))
    return told
