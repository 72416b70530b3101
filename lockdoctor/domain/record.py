"""What of a run is kept for those after it."""

from __future__ import annotations

from collections.abc import Iterator

from lockdoctor.domain.examination import Examination, PrefixFacts
from lockdoctor.domain.locks import KeySnapshot
from lockdoctor.domain.past import FindingSeen, HoldSeen, RevisionMark, RunRecord
from lockdoctor.domain.recipes import locks
from lockdoctor.domain.report import Report
from lockdoctor.domain.verdicts import VerdictKind


def run_record(facts: Examination, report: Report, command: str) -> RunRecord:
    """Put together what those who come after this run can build on."""
    return RunRecord(
        command=command,
        started_at=facts.started_at,
        ended_at=facts.ended_at,
        cluster_id=facts.cluster.cluster_id,
        prefixes=report.prefixes,
        raft_term=facts.cluster.raft_term,
        marks=tuple(_mark(snapshot) for snapshot in _snapshots(facts)),
        severity=report.severity,
        probes=facts.probes,
        holds=tuple(seen for prefix in facts.prefixes for seen in _holds(facts, prefix)),
        readings={lease: facts.present(lease) for lease in facts.readings},
        findings=tuple(FindingSeen(each.kind, each.lock) for each in report.findings),
        sessions=_sessions(facts, report),
    )


def _snapshots(facts: Examination) -> Iterator[KeySnapshot]:
    for prefix in facts.prefixes:
        yield prefix.first
        if prefix.last is not None and prefix.last is not prefix.first:
            yield prefix.last


def _mark(snapshot: KeySnapshot) -> RevisionMark:
    return RevisionMark(
        asked_at=snapshot.asked_at, answered_at=snapshot.answered_at, revision=snapshot.revision
    )


def _holds(facts: Examination, prefix: PrefixFacts) -> Iterator[HoldSeen]:
    """Every contender as each reading of the keys saw it."""
    snapshots = (prefix.first, prefix.last) if prefix.last else (prefix.first,)
    for snapshot in dict.fromkeys(snapshots):
        for lock in locks(snapshot.keys, prefix.prefix, facts.policy.kind_of):
            waiting = {key.hold for key in lock.waiters}
            for key in lock.keys[1:] if lock.foreign_holder else lock.keys:
                yield HoldSeen(
                    hold=key.hold,
                    lease_id=key.lease_id,
                    lock=lock.id,
                    is_holder=key.hold not in waiting,
                    asked_at=snapshot.asked_at,
                    answered_at=snapshot.answered_at,
                )


def _sessions(facts: Examination, report: Report) -> int | None:
    """Count the renewed leases without keys; None where the run could not see them all."""
    if not facts.sessions.at_start:
        return None
    return report.session_counts[VerdictKind.IDLE_SESSION]
