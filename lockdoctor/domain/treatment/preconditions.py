"""Compare a target with the plan: any change stops its treatment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lockdoctor.domain.model.actions import Action
from lockdoctor.domain.model.leases import FailedReading, LeaseNotFound, LeaseReading, Reading
from lockdoctor.domain.model.locks import Lock, LockKey
from lockdoctor.domain.recipes.grouping import queue_of
from lockdoctor.domain.treatment.plan import ApprovedHold, RevokePlan, Target
from lockdoctor.domain.treatment.reasons import (
    Change,
    HolderChanged,
    KeyAdded,
    KeyGone,
    KeyRecreated,
    KeyRewritten,
    KeysUnseen,
    LeaderChangedSince,
    LeaseGoneAlready,
    TtlChanged,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentState:
    """The state of one target right before it is treated."""

    raft_term: int | None
    """The raft term, the latest of all answers; None where no answer had it."""
    lease: Reading | FailedReading | None
    """With its keys; None where the target has no lease. One that was not read proves no change."""
    keys: Mapping[bytes, LockKey]
    """Those of the target's keys that exist, with their values."""
    locks: Sequence[Lock]
    """The locks of its holds, where their queues still have keys."""

    def is_gone(self, target: Target) -> bool:
        """Return whether no key of the target exists, and it has no lease to end."""
        if any(key.key in self.keys for key in target.affected_keys):
            return False
        return target.action is not Action.REVOKE or isinstance(self.lease, LeaseNotFound)


def find_lock(locks: Sequence[Lock], approved_hold: ApprovedHold) -> Lock | None:
    """
    Return the lock of a hold by its queue, whatever its recipe is now.

    A mutex and an election of one name share a queue. A lock of one key is found by its name,
    even if its lease or neighbors have changed its recipe.
    """
    queue = queue_of(approved_hold.lock)
    is_alone = approved_hold.hold.key == approved_hold.lock.name
    return next(
        (
            lock
            for lock in locks
            if queue_of(lock) == queue or (is_alone and _is_alone(lock, approved_hold.lock.name))
        ),
        None,
    )


def _is_alone(lock: Lock, name: bytes) -> bool:
    """Return whether it is the lock of one key: it has the key's name."""
    return lock.name == name and any(key.key == name for key in lock.contenders)


def changes(target: Target, plan: RevokePlan, now: CurrentState) -> tuple[Change, ...]:
    """Return the differences between a target and the plan; empty if there are none."""
    return tuple(_changes(target, plan, now))


def hold_changes(shown: LockKey, now: LockKey | None) -> Iterator[Change]:
    """Yield the differences between one key and the plan."""
    if now is None:
        yield KeyGone(shown.key)
    elif now.create_revision != shown.create_revision:
        yield KeyRecreated(shown.key)
    elif (now.mod_revision, now.lease_id) != (shown.mod_revision, shown.lease_id):
        yield KeyRewritten(shown.key)


def _changes(target: Target, plan: RevokePlan, now: CurrentState) -> Iterator[Change]:
    if now.raft_term is not None and now.raft_term != plan.raft_term:
        yield LeaderChangedSince(plan.raft_term, now.raft_term)
    yield from _lease_changes(target, now.lease)
    for key in target.affected_keys:
        yield from hold_changes(key, now.keys.get(key.key))
    for approved_hold in target.approved_holds:
        yield from _queue_changes(approved_hold, now)


def _lease_changes(target: Target, lease: Reading | FailedReading | None) -> Iterator[Change]:
    if isinstance(lease, LeaseNotFound):
        yield LeaseGoneAlready()
    elif isinstance(lease, LeaseReading):
        if lease.granted_ttl_s != target.granted_ttl_s:
            yield TtlChanged(target.granted_ttl_s, lease.granted_ttl_s)
        if target.action is Action.REVOKE:
            yield from unapproved(target, lease)


def unapproved(target: Target, lease: LeaseReading) -> Iterator[Change]:
    """Yield the keys on a lease that a revocation would delete without approval."""
    if lease.attached_keys is None:
        yield KeysUnseen(None)
        return
    approved = {key.key for key in target.affected_keys}
    yield from (KeyAdded(key) for key in lease.attached_keys if key not in approved)


def _queue_changes(approved_hold: ApprovedHold, now: CurrentState) -> Iterator[Change]:
    """Yield a change of the key's place in its queue: holder, or waiter."""
    lock = find_lock(now.locks, approved_hold)
    holding = (lock.holder, *lock.sharers) if lock and lock.holder else ()
    holds = any(key.key == approved_hold.hold.key for key in holding)
    if holds is not approved_hold.is_holder:
        yield HolderChanged(approved_hold.lock.name, holding[0].key if holding else None)
