"""Select the holds and sessions of a report to treat; the oldest holds first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lockdoctor.domain.evidence.verdicts import Confidence, Verdict, VerdictKind
from lockdoctor.domain.model.actions import Action
from lockdoctor.domain.model.leases import NO_LEASE, LeaseId
from lockdoctor.domain.model.locks import Basis, Hold, KnownKind, LockKey
from lockdoctor.domain.report.findings import LockReport
from lockdoctor.domain.report.report import Report
from lockdoctor.domain.treatment.plan import JUDGED, NAMEABLE, SESSION_LEAKS, Refusal, Selection
from lockdoctor.domain.treatment.reasons import NotFound, NothingToRelease, RefusalReason, TooYoung


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedKey:
    """One key in the queue of a lock."""

    report: LockReport
    key: LockKey

    @property
    def is_holder(self) -> bool:
        """Return whether it owns the lock, alone or with others."""
        lock = self.report.lock
        return self.key == lock.holder or self.key in lock.sharers

    @property
    def may_be_data(self) -> bool:
        """Return whether a key might be data, by its recipe and by the policy."""
        return self.report.lock.may_be_data(self.key)

    @property
    def known_kind(self) -> KnownKind:
        """Return what the key is for, and how that is known."""
        return self.report.lock.kind_of(self.key)

    @property
    def needs_name(self) -> bool:
        """
        Return whether it is in a plan only where its key or its lease is named.

        The kind of its key is only likely, or it is called leaked without a proof: of its kind, and
        of the leak.
        """
        verdict = self.verdict
        if verdict is None or verdict.kind not in JUDGED:
            return self.known_kind.basis is Basis.LIKELY
        is_proven = verdict.confidence is Confidence.PROVEN
        return not (is_proven and self.known_kind.may_be_planned)

    @property
    def verdict(self) -> Verdict | None:
        """Return the verdict on this key; a waiter rarely has one."""
        own = [verdict for verdict in self.report.verdicts if verdict.key == self.key.key]
        leaks = (verdict for verdict in own if verdict.kind in NAMEABLE)
        return next(leaks, own[0] if own else None)

    @property
    def held_at_least_s(self) -> float:
        """Return how long it is proven to own the lock; 0 for keys that share it."""
        is_first = self.key == self.report.lock.holder
        return self.report.age.at_least_s if is_first and self.report.age else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One lease, or one key without a lease, that was selected."""

    lease_id: LeaseId
    contenders: tuple[QueuedKey, ...]
    """In the order in which they came; empty for a session without keys."""
    session: Verdict | None = None
    """The verdict on a session without keys."""

    @property
    def verdict(self) -> Verdict | None:
        """Return the verdict on its oldest key, or on the session."""
        return self.contenders[0].verdict if self.contenders else self.session

    def refused(self, *reasons: RefusalReason) -> Refusal:
        """Return a refusal of this candidate."""
        first = self.contenders[0] if self.contenders else None
        return Refusal(
            lease_id=self.lease_id,
            lock=first.report.lock.name if first else None,
            key=first.key.key if first else None,
            reasons=reasons,
        )


@dataclass(kw_only=True)
class SelectionResult:
    """The result of a selection from a report."""

    candidates: list[Candidate] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    too_young: int = 0
    beyond_most: int = 0
    unnamed: Counter[VerdictKind] = field(default_factory=Counter)


def select(report: Report, selection: Selection) -> SelectionResult:
    """
    Select what to treat: holds by age, then sessions without keys.

    A holder is always older than the waiters behind it, so it comes before them. Keys on one lease
    are one candidate. A named target that cannot be selected is refused; targets that a filter
    leaves out are counted.
    """
    found = SelectionResult()
    keys = list(
        _named(report, selection, found) if selection.is_named else _judged(report, selection)
    )
    with_keys = {each.key.lease_id for each in keys}
    keyless = [lease_id for lease_id in selection.leases if lease_id not in with_keys]
    candidates = [
        *_by_lease(_old_enough(keys, selection, found)),
        *_sessions(report, selection, keyless, found),
    ]
    found.unnamed = _unnamed(report, selection)
    found.candidates = candidates[: selection.most]
    found.beyond_most = len(candidates) - len(found.candidates)
    return found


def _judged(report: Report, selection: Selection) -> Iterator[QueuedKey]:
    """Yield every key with a requested verdict; no key if only sessions are asked for."""
    if selection.sessions and not selection.whole_prefix:
        return
    for contender in _contenders(report):
        verdict = contender.verdict
        if (selection.whole_prefix and contender.is_holder) or (
            verdict
            and verdict.kind in selection.verdicts
            and not (verdict.accepted or contender.needs_name)
        ):
            yield contender


def _unnamed(report: Report, selection: Selection) -> Counter[VerdictKind]:
    """Count what another --verdict would have selected, without other criteria."""
    if selection.is_named or selection.sessions or selection.whole_prefix:
        return Counter()
    verdicts = [each.verdict for each in _contenders(report) if not each.needs_name]
    return Counter(
        verdict.kind
        for verdict in verdicts
        if verdict and not verdict.accepted and verdict.kind in set(NAMEABLE) - selection.verdicts
    )


def _named(report: Report, selection: Selection, found: SelectionResult) -> Iterator[QueuedKey]:
    """
    Yield the named keys: of a lease, those that own a lock, else its waiters.

    Keys beside them that might be data are not yielded: they are other keys on the lease.
    """
    everyone = _contenders(report)
    for lease_id in selection.leases:
        on_lease = [each for each in everyone if each.key.lease_id == lease_id]
        owning = [each for each in on_lease if each.is_holder]
        yield from [each for each in owning if not each.may_be_data] or owning or on_lease
    for key in selection.keys:
        matching = [each for each in everyone if each.key.key == key]
        yield from sorted(matching, key=lambda each: not each.is_holder)[:1]
        if not matching:
            refusal = Refusal(lease_id=NO_LEASE, lock=None, key=key, reasons=(NotFound(None),))
            found.refused.append(refusal)


def _contenders(report: Report) -> list[QueuedKey]:
    return [QueuedKey(report=lock, key=key) for lock in report.locks for key in lock.lock.keys]


def _old_enough(
    keys: Iterable[QueuedKey], selection: Selection, found: SelectionResult
) -> Iterator[QueuedKey]:
    for each in keys:
        if each.held_at_least_s >= selection.min_held_s:
            yield each
        elif selection.is_named:
            alone = Candidate(lease_id=each.key.lease_id, contenders=(each,))
            reason = TooYoung(each.held_at_least_s, selection.min_held_s)
            found.refused.append(alone.refused(reason))
        else:
            found.too_young += 1


def _by_lease(chosen: Iterable[QueuedKey]) -> Iterator[Candidate]:
    """
    Group keys by lease, in the order of the oldest key of each.

    A key that blocks two queues is taken once, as the holder of its own lock.
    """
    once: dict[Hold, QueuedKey] = {}
    for each in sorted(chosen, key=_oldest_first):
        once.setdefault(each.key.hold, each)
    groups: dict[LeaseId | bytes, list[QueuedKey]] = {}
    for each in once.values():
        groups.setdefault(each.key.lease_id or each.key.key, []).append(each)
    for group in groups.values():
        yield Candidate(lease_id=group[0].key.lease_id, contenders=tuple(group))


def _oldest_first(each: QueuedKey) -> tuple[int, bool]:
    return each.key.create_revision, each.report.lock.foreign_holder


def _sessions(
    report: Report, selection: Selection, named: list[LeaseId], found: SelectionResult
) -> Iterator[Candidate]:
    """Yield leases without keys: the named ones, and with `sessions` the leaked ones."""
    judged = {
        lease_id: verdict
        for verdict in report.session_verdicts
        if verdict.kind in SESSION_LEAKS and not verdict.accepted
        for lease_id in verdict.leases
    }
    alone = {session.trace.lease_id: session.verdict for session in report.sessions}
    wanted = set(named)
    if selection.sessions:
        wanted |= judged.keys()
    if selection.sessions and selection.even_if_healthy:
        wanted |= {each for each, v in alone.items() if v.kind is VerdictKind.IDLE_SESSION}
    for lease_id in sorted(wanted):
        verdict = judged.get(lease_id) or alone.get(lease_id)
        candidate = Candidate(lease_id=lease_id, contenders=(), session=verdict)
        if selection.action is Action.REVOKE:
            yield candidate
        else:
            found.refused.append(candidate.refused(NothingToRelease()))
