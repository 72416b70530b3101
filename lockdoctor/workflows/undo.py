"""Undo: puts keys that are in quarantine back onto their old lease, while there is time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from lockdoctor.domain.changes import hold_changes
from lockdoctor.domain.journal import Action, Entry, EntryId, Intent, Outcome, Result
from lockdoctor.domain.leases import NO_LEASE
from lockdoctor.domain.locks import LockKey
from lockdoctor.domain.revocation import Change, KeyGone, KeyRewritten
from lockdoctor.domain.treatment import Undone
from lockdoctor.errors import ClusterError, JournalError
from lockdoctor.workflows.hand import Came, Hand
from lockdoctor.workflows.ward import Ward, read_keys


async def undo(ward: Ward, entry_id: EntryId) -> Undone:
    """
    Put the keys of a quarantine back, each only if it still is where the quarantine put it.

    Raises:
        JournalError: There is no such quarantine, or it could not be written down; nothing was
            done.
        ClusterError: It is of another cluster, or etcd could not be read.
    """
    entry = _quarantine(ward, entry_id)
    status = await ward.cluster.status()
    if status.cluster_id != entry.intent.cluster_id:
        raise ClusterError(
            f"The entry {entry_id} is of another cluster ({entry.intent.cluster_id:x}) than this"
            f" one ({status.cluster_id:x}): give the endpoints of that one"
        )
    old = entry.intent.lease_id
    now = await read_keys(ward.surgeon, (key.key for key in entry.intent.keys))
    told = Undone(
        undone=entry_id, lease_id=old, locks=entry.intent.locks, result=Result.ALREADY_GONE
    )
    if all(_is_back(key, now.get(key.key)) for key in entry.intent.keys):
        return told
    changed = tuple(_changes(entry, now))
    if changed:
        return replace(told, result=Result.REFUSED, changed=changed)
    return await _put_back(ward, entry, tuple(now.values()), told)


def _quarantine(ward: Ward, entry_id: EntryId) -> Entry:
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


def _is_back(shown: LockKey, now: LockKey | None) -> bool:
    return now is not None and (now.create_revision, now.lease_id) == (
        shown.create_revision,
        shown.lease_id,
    )


def _changes(entry: Entry, now: Mapping[bytes, LockKey]) -> Iterator[Change]:
    """Compare the keys with what the quarantine made of them: the same holds on its lease."""
    for shown in entry.intent.keys:
        found = now.get(shown.key)
        if found is None or found.create_revision != shown.create_revision:
            yield from hold_changes(shown, found)
        elif found.lease_id != entry.intent.new_lease_id:
            yield KeyRewritten(shown.key)


async def _put_back(ward: Ward, entry: Entry, keys: tuple[LockKey, ...], told: Undone) -> Undone:
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
    hand = Hand(ward.surgeon, ward.clock, ward.look_up_s)
    came = await hand.guarded(
        lambda batch: ward.surgeon.move(batch, old),
        keys,
        lambda _, key: key is not None and key.lease_id == old,
    )
    if came.result is Result.ALREADY_GONE:  # a key that has gone meanwhile is not back
        came = Came(Result.REFUSED, tuple(KeyGone(key.key) for key in keys))
    told = replace(
        told,
        result=came.result,
        entry_id=intent.entry_id,
        changed=came.changed,
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
