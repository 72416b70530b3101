"""Select what of a run is stored for later runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from lockdoctor.domain.evidence.verdicts import VerdictKind
from lockdoctor.domain.model.leases import LeaseId, Reading
from lockdoctor.domain.model.locks import KeySnapshot, Lock
from lockdoctor.domain.past.past import RevisionMark
from lockdoctor.domain.past.run_record import HoldSeen, ListedLeases, RunRecord
from lockdoctor.domain.report.report import Report
from lockdoctor.domain.rules.recurring_findings import finding_seen
from lockdoctor.domain.rules.scan_facts import ScanFacts


def run_record(facts: ScanFacts, report: Report, command: str, judged_by: str) -> RunRecord:
    """Return what later runs need of this run."""
    listed = _listed(facts, report)
    return RunRecord(
        command=command,
        judged_by=judged_by,
        started_at=facts.started_at,
        ended_at=facts.ended_at,
        cluster_id=facts.cluster.cluster_id,
        prefixes=report.prefixes,
        raft_term=facts.cluster.raft_term,
        marks=tuple(_mark(snapshot) for snapshot in _snapshots(facts)),
        severity=report.severity,
        probes=facts.probes,
        holds=_Holds(facts),
        readings=_Present(facts),
        findings=tuple(finding_seen(*each) for each in report.located_findings),
        sessions=len(listed.sessions) if listed else None,
        listed=listed,
    )


def _snapshots(facts: ScanFacts) -> Iterator[KeySnapshot]:
    for prefix in facts.prefixes:
        yield prefix.first
        if prefix.last is not None and prefix.last is not prefix.first:
            yield prefix.last


def _mark(snapshot: KeySnapshot) -> RevisionMark:
    return RevisionMark(
        asked_at=snapshot.asked_at, answered_at=snapshot.answered_at, revision=snapshot.revision
    )


@dataclass(frozen=True, slots=True)
class _Holds:
    """Every hold, combined from the readings of the keys during iteration."""

    facts: ScanFacts

    def __iter__(self) -> Iterator[HoldSeen]:
        for prefix in self.facts.prefixes:
            first, last = self.facts.locks[prefix.prefix]
            if prefix.last is None or last is first:
                yield from _holds(prefix.first, first)
                continue
            before = {each.hold: each for each in _holds(prefix.first, first)}
            for each in _holds(prefix.last, last):
                earlier = before.pop(each.hold, None)
                yield each if earlier is None else _together(earlier, each)
            yield from before.values()


class _Present(Mapping[LeaseId, Sequence[Reading]]):
    """The run's own readings of each lease, combined on access."""

    def __init__(self, facts: ScanFacts) -> None:
        self._facts = facts

    def __getitem__(self, lease_id: LeaseId) -> Sequence[Reading]:
        return self._facts.present(lease_id)

    def __iter__(self) -> Iterator[LeaseId]:
        return iter(self._facts.readings)

    def __len__(self) -> int:
        return len(self._facts.readings)


def _holds(snapshot: KeySnapshot, locks: Iterable[Lock]) -> Iterator[HoldSeen]:
    for lock in locks:
        waiting = {key.hold for key in lock.waiters}
        for key in lock.keys[1:] if lock.foreign_holder else lock.keys:
            yield HoldSeen(
                hold=key.hold,
                lease_id=key.lease_id,
                lock=lock.id,
                first_answered_at=snapshot.answered_at,
                last_asked_at=snapshot.asked_at,
                held_first_answered_at=None if key.hold in waiting else snapshot.answered_at,
            )


def _together(earlier: HoldSeen, later: HoldSeen) -> HoldSeen:
    held_at = earlier.held_first_answered_at
    return replace(
        later,
        first_answered_at=earlier.first_answered_at,
        held_first_answered_at=later.held_first_answered_at if held_at is None else held_at,
    )


def _listed(facts: ScanFacts, report: Report) -> ListedLeases | None:
    """Return the list of leases and the sessions among them; None without a list."""
    if not facts.sessions.is_counted:
        return None
    idle = (each for each in report.sessions if each.verdict.kind is VerdictKind.IDLE_SESSION)
    sessions = tuple(each.trace.lease_id for each in idle)
    return ListedLeases(lease_ids=facts.sessions.listed, sessions=sessions)
