"""What a run keeps for later runs."""

from __future__ import annotations

from dataclasses import replace

from lockdoctor.domain.evidence.verdicts import Severity, VerdictKind
from lockdoctor.domain.model.leases import LeadershipProbe, LeaseId
from lockdoctor.domain.past.past import RevisionMark
from lockdoctor.domain.rules.judge import judge
from lockdoctor.domain.rules.record_run import run_record
from lockdoctor.domain.rules.scan_facts import ScanFacts, SessionFacts
from tests.domain.rules.test_judge import HOLDER, READINGS, a_snapshot, an_examination
from tests.simulated_lease import LEASE

IDLE = LeaseId(0x99)


def facts(**changes: object) -> ScanFacts:
    """A lock whose holder is renewed, and a renewed lease without keys."""
    idle = [each._replace(lease_id=IDLE, attached_keys=()) for each in READINGS]  # type: ignore[union-attr]
    sessions = SessionFacts(
        first_listed_at={LEASE: 0.0, IDLE: 0.0},
        at_start=frozenset({IDLE}),
        listed=(LEASE, IDLE),
        keyless=frozenset({IDLE}),
    )
    gathered = replace(
        an_examination([HOLDER]),
        readings={LEASE: READINGS, IDLE: idle},
        sessions=sessions,
        probes=(LeadershipProbe(44.5, 2, 7),),
    )
    return replace(gathered, **changes)  # type: ignore[arg-type]


def test_a_run_keeps_what_it_was_and_what_it_read() -> None:
    """Its words, its times, one mark for each reading of the keys, and each lease's readings."""
    gathered = facts()

    kept = run_record(gathered, judge(gathered), "scan", "limits")

    assert (kept.command, kept.judged_by) == ("scan", "limits")
    assert (kept.started_at, kept.ended_at) == (0.0, 45.0)
    assert (kept.cluster_id, kept.raft_term, kept.prefixes) == (1, 2, (b"/l/",))
    assert kept.probes == gathered.probes
    assert kept.marks == tuple(
        RevisionMark(asked_at=at, answered_at=at, revision=revision)
        for at, revision in ((0.0, 100), (45.0, 1000))
    )
    assert list(kept.readings) == [LEASE, IDLE]
    assert list(kept.readings[LEASE]) == READINGS


def test_a_run_keeps_what_it_found() -> None:
    """The worst severity, and each finding with its hold."""
    gathered = facts()

    kept = run_record(gathered, judge(gathered), "scan", "limits")

    assert kept.severity is Severity.WARNING
    (finding,) = kept.findings
    assert finding.kind is VerdictKind.SUSPECTED_LEAK
    assert finding.hold == HOLDER.hold


def test_keys_that_were_read_once_have_one_mark() -> None:
    """Whether the second reading failed or none was due."""
    (prefix,) = an_examination([HOLDER]).prefixes
    for last in (None, prefix.first):
        gathered = facts(prefixes=(replace(prefix, last=last),))

        kept = run_record(gathered, judge(gathered), "scan", "limits")

        assert [mark.revision for mark in kept.marks] == [a_snapshot().revision]
        (hold,) = kept.holds
        assert (hold.hold, hold.last_asked_at, hold.held_first_answered_at) == (
            HOLDER.hold,
            0.0,
            0.0,
        )


def test_sessions_are_kept_where_they_could_be_counted() -> None:
    """With the list of leases: the number, the list, and the renewed ones without keys."""
    gathered = facts()
    uncounted = facts(sessions=SessionFacts(is_counted=False))

    kept = run_record(gathered, judge(gathered), "scan", "limits")
    unknown = run_record(uncounted, judge(uncounted), "scan", "limits")

    assert kept.listed is not None
    assert (kept.sessions, kept.listed.sessions) == (1, (IDLE,))
    assert tuple(kept.listed.lease_ids) == (LEASE, IDLE)
    assert (unknown.sessions, unknown.listed) == (None, None)
