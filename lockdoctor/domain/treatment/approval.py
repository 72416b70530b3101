"""Approve a candidate or refuse it, by its lease and the given safety overrides."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from lockdoctor.domain.evidence import Evidence
from lockdoctor.domain.evidence.deadlock import HolderWaits
from lockdoctor.domain.evidence.verdicts import Confidence
from lockdoctor.domain.model.actions import Action
from lockdoctor.domain.model.alarms import CORRUPT, NOSPACE, ClusterAlarm, is_raised
from lockdoctor.domain.model.leases import (
    NO_LEASE,
    FailedReading,
    LeaseNotFound,
    LeaseReading,
    Reading,
)
from lockdoctor.domain.model.locks import LockKey
from lockdoctor.domain.recipes.registry import RecipeBook
from lockdoctor.domain.treatment.plan import SESSION_LEAKS, ApprovedHold, Refusal, Selection, Target
from lockdoctor.domain.treatment.preconditions import hold_changes
from lockdoctor.domain.treatment.reasons import (
    AcceptedFinding,
    AlarmForbids,
    HolderIsWaiting,
    KeysUnseen,
    KindUnknown,
    LeaseGoneAlready,
    NotFound,
    NotJudged,
    OutsideKeys,
    QueuePositionLost,
    RefusalReason,
    TooManyKeys,
    UnjudgedKeys,
)
from lockdoctor.domain.treatment.selection import Candidate, QueuedKey


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshReadings:
    """The readings of a candidate right before approval."""

    lease: Reading | FailedReading | None
    """With its keys; None where the candidate has no lease."""
    keys: Mapping[bytes, LockKey]
    """Its holds, and the other keys on its lease if they are few enough to be read."""
    alarms: tuple[ClusterAlarm, ...] = ()
    """The alarms of the cluster."""


def approve(
    candidate: Candidate,
    found: FreshReadings,
    selection: Selection,
    prefixes: Sequence[bytes],
    recipes: RecipeBook,
    word: Callable[[Evidence], str],
) -> Target | Refusal:
    """Return the target of a candidate, or a refusal with all its reasons."""
    reasons = tuple(_reasons(candidate, found, selection, prefixes, recipes))
    if reasons:
        return candidate.refused(*reasons)
    action = selection.action
    if action is Action.REVOKE and candidate.lease_id == NO_LEASE:
        action = Action.RELEASE  # there is no lease to end
    others = [key for key in _others(candidate, found) if key in found.keys]
    verdict = candidate.verdict
    return Target(
        action=action,
        lease_id=candidate.lease_id,
        granted_ttl_s=found.lease.granted_ttl_s if isinstance(found.lease, LeaseReading) else None,
        approved_holds=tuple(
            _approved_hold(each, found.keys[each.key.key]) for each in candidate.contenders
        ),
        others=tuple(_bare(found.keys[key]) for key in others),
        outside=tuple(key for key in others if _is_outside(key, prefixes)),
        verdict=verdict.kind if verdict else None,
        confidence=verdict.confidence if verdict else Confidence.UNDETERMINED,
        held_at_least_s=_held_at_least_s(candidate),
        evidence=tuple(word(each) for each in verdict.evidence) if verdict else (),
    )


def attached_keys(lease: Reading | FailedReading | None) -> tuple[bytes, ...]:
    """Return every key on a lease, as far as they were read."""
    return (lease.attached_keys or ()) if isinstance(lease, LeaseReading) else ()


def _reasons(
    candidate: Candidate,
    found: FreshReadings,
    selection: Selection,
    prefixes: Sequence[bytes],
    recipes: RecipeBook,
) -> Iterator[RefusalReason]:
    if isinstance(found.lease, LeaseNotFound):
        yield LeaseGoneAlready()
        return
    if isinstance(found.lease, FailedReading):
        yield KeysUnseen(found.lease.reason)
        return
    yield from _forbidden(selection, found.alarms)
    attached = attached_keys(found.lease)
    if not candidate.contenders and attached:
        yield NotFound(len(attached))
        return
    for each in candidate.contenders:
        yield from hold_changes(each.key, found.keys.get(each.key.key))
    guessed = [
        each.key.key
        for each in candidate.contenders
        if each.may_be_data or not (selection.is_named or each.known_kind.basis.is_certain)
    ]
    yield from map(KindUnknown, guessed[:1]) if guessed else _unjudged(candidate, selection)
    if selection.action is Action.QUARANTINE:
        rules = {recipes.of(each.report.lock.recipe) for each in candidate.contenders}
        if any(each.is_by_write for each in rules):  # a quarantine is a write
            yield QueuePositionLost()
    if selection.action is Action.REVOKE and found.lease is not None:
        yield from _too_much(candidate, found.lease, selection, prefixes)


def _forbidden(selection: Selection, alarms: Sequence[ClusterAlarm]) -> Iterator[RefusalReason]:
    """
    Yield the alarm for which etcd would refuse the action.

    With NOSPACE, leases can be revoked and keys deleted, but leases cannot be granted nor keys
    written, which a quarantine does. With CORRUPT, no write is possible.
    """
    if is_raised(CORRUPT, alarms):
        yield AlarmForbids(CORRUPT)
    elif is_raised(NOSPACE, alarms) and selection.action is Action.QUARANTINE:
        yield AlarmForbids(NOSPACE)


def _unjudged(candidate: Candidate, selection: Selection) -> Iterator[RefusalReason]:
    if selection.even_if_healthy or (selection.whole_prefix and candidate.contenders):
        return
    verdicts = [each.verdict for each in candidate.contenders] or [candidate.session]
    wanted = selection.verdicts if candidate.contenders else SESSION_LEAKS
    for verdict in verdicts:
        if verdict is None or verdict.kind not in wanted:
            yield NotJudged(verdict.kind if verdict else None)
            return
        for each in verdict.evidence:
            if isinstance(each, HolderWaits):
                yield HolderIsWaiting(each.lock)
        if verdict.accepted:
            yield AcceptedFinding(str(verdict.accepted.until), verdict.accepted.reason)


def _too_much(
    candidate: Candidate, lease: LeaseReading, selection: Selection, prefixes: Sequence[bytes]
) -> Iterator[RefusalReason]:
    """Yield what a revocation would delete that was not named."""
    if lease.attached_keys is None:
        yield KeysUnseen(None)
        return
    if len(lease.attached_keys) > selection.most_keys:
        yield TooManyKeys(len(lease.attached_keys), selection.most_keys)
    holds = {each.key.key for each in candidate.contenders}
    others = [key for key in lease.attached_keys if key not in holds]
    outside = [key for key in others if _is_outside(key, prefixes)]
    inside = [key for key in others if key not in set(outside)]
    if outside and not selection.outside_keys:
        yield OutsideKeys(len(outside), outside[0])
    if inside and not (selection.even_if_healthy or selection.whole_prefix):
        yield UnjudgedKeys(len(inside), inside[0])


def _others(candidate: Candidate, found: FreshReadings) -> list[bytes]:
    holds = {each.key.key for each in candidate.contenders}
    return [key for key in attached_keys(found.lease) if key not in holds]


def _is_outside(key: bytes, prefixes: Sequence[bytes]) -> bool:
    return not key.startswith(tuple(prefixes))


def _held_at_least_s(candidate: Candidate) -> float | None:
    first = candidate.contenders[0] if candidate.contenders else None
    return first.held_at_least_s if first and first.is_holder else None


def _approved_hold(each: QueuedKey, key: LockKey) -> ApprovedHold:
    lock = each.report.lock
    if each.is_holder:
        behind = lock.waiters
        is_next = behind[:1] if not lock.sharers else ()
    else:
        behind = lock.waiters[lock.waiters.index(each.key) + 1 :]
        is_next = ()
    return ApprovedHold(
        lock=lock.id,
        hold=_bare(key),
        is_holder=each.is_holder,
        waiters=len(behind),
        next_key=is_next[0].key if is_next else None,
    )


def _bare(key: LockKey) -> LockKey:
    """
    Return the key without its value, which might be a secret.

    A plan is shown and saved.
    """
    return replace(key, value=b"")
