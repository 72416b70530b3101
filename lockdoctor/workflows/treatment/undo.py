"""Undo: put keys in quarantine back onto their old lease before they expire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from lockdoctor.domain.model.actions import Action, Result
from lockdoctor.domain.model.leases import NO_LEASE
from lockdoctor.domain.model.locks import LockKey
from lockdoctor.domain.treatment.journal_entry import Entry, EntryId, Intent
from lockdoctor.domain.treatment.preconditions import hold_changes
from lockdoctor.domain.treatment.reasons import Change, Failure, FailureKind, KeyGone, KeyRewritten
from lockdoctor.domain.treatment.results import ActionResult
from lockdoctor.errors import JournalError
from lockdoctor.ports import StopRequest
from lockdoctor.workflows.treatment.context import TreatmentContext, read_keys, require_cluster_of
from lockdoctor.workflows.treatment.guarded_write import GuardedWriter


async def undo(
    context: TreatmentContext, entry_id: EntryId, stop: StopRequest
) -> ActionResult[Entry]:
    """
    Put the keys of a quarantine back, each only if it is unchanged since.

    A key that is back already is not written, so a partial undo, or the undo of a partial
    quarantine, can be completed. A key that has changed otherwise does not keep the others in
    quarantine. A requested stop takes effect only before the first write.

    Raises:
        JournalError: There is no such quarantine, or the intent could not be written; no key was
            restored.
        ClusterError: etcd could not be read.
        WrongClusterError: The quarantine is of another cluster, or another one has answered.
    """
    entry = _quarantine(context, entry_id)
    await require_cluster_of(context.cluster, entry)
    found = await read_keys(context.key_writer, (key.key for key in entry.intent.keys))
    changed = tuple(_changes(entry, found))
    holds = {key.hold for key in entry.intent.keys}
    quarantine_lease = entry.intent.new_lease_id
    quarantined = tuple(
        key for key in found.values() if key.hold in holds and key.lease_id == quarantine_lease
    )
    if not quarantined:
        result = Result.REFUSED if changed else Result.ALREADY_GONE
        return ActionResult(target=entry, result=result, changed=changed)
    if stop.reason:
        why = Failure(FailureKind.STOPPED, stop.reason)
        return ActionResult(target=entry, result=Result.FAILED, changed=changed, failure=why)
    return await _put_back(context, entry, quarantined, changed)


def _quarantine(context: TreatmentContext, entry_id: EntryId) -> Entry:
    entry = context.journal.find(entry_id)
    if entry is None:
        raise JournalError(f"The journal has no entry {entry_id}. See `lockdoctor journal list`")
    if entry.intent.action is not Action.QUARANTINE:
        raise JournalError(
            f"The entry {entry_id} is no quarantine, so it cannot be undone. Use"
            f" `lockdoctor journal restore {entry_id}`"
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
    context: TreatmentContext, entry: Entry, keys: tuple[LockKey, ...], changed: tuple[Change, ...]
) -> ActionResult[Entry]:
    old, quarantine_lease = entry.intent.lease_id, entry.intent.new_lease_id
    intent = Intent(
        entry_id=context.journal.new_entry_id(),
        at=context.clock.now(),
        who=context.who,
        action=Action.UNDO,
        why=entry.intent.why,
        cluster_id=entry.intent.cluster_id,
        lease_id=quarantine_lease or NO_LEASE,
        granted_ttl_s=entry.intent.new_ttl_s,
        locks=entry.intent.locks,
        keys=keys,
        new_lease_id=old,
        new_ttl_s=entry.intent.granted_ttl_s,
        of=entry.intent.entry_id,
    )
    writer = GuardedWriter(context, entry)

    async def put_back() -> ActionResult[Entry]:
        result = await writer.settled(
            writer.guarded(
                lambda batch: context.key_writer.move(batch, old),
                keys,
                lambda _, key: key is not None and key.lease_id == old,
            )
        )
        if result.result is Result.ALREADY_GONE:  # a key that was deleted meanwhile is not back
            gone = tuple(KeyGone(key.key) for key in keys)
            result = replace(result, result=Result.REFUSED, changed=gone)
        if result.result is Result.DONE and changed:
            result = replace(result, result=Result.PARTLY)
        return replace(result, changed=(*changed, *result.changed))

    return await writer.recorded(intent, put_back)
