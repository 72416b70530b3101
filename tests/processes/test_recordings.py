"""What profiles of real programs tell of their leases, by the Go that built them."""

from __future__ import annotations

import re

import pytest

from lockdoctor.domain.evidence.processes import KeptAliveBy, ProcessSessions, UnattributedSessions
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.processes.comparison import (
    ProcessData,
    ProcessSnapshot,
    add_process_evidence,
)
from lockdoctor.domain.report.report import Report
from lockdoctor.outputs.text.evidence.processes import process_lines
from lockdoctor.processes.goroutine_profile import counts_of
from tests.factories.report_examples import a_healthy_lock, leaked_sessions
from tests.factories.reports import a_report, a_session, a_verdict
from tests.processes.recordings import Recording, recordings

HIDE_THE_ID = {"go1.17", "go1.18", "go1.19", "go1.21"}
SHOW_THE_ID = {"go1.22-etcd-3.5", "go1.26-etcd-3.5", "go1.26-etcd-3.6"}
ALL = recordings()
HIDING = [each for each in ALL if each.build not in SHOW_THE_ID]
SHOWING = [each for each in ALL if each.build in SHOW_THE_ID]
STRANGERS = tuple(LeaseId(0x7A00_0000_0000_0000 + n) for n in range(8))
"""Leases of somebody else."""


def heard(*raws: bytes) -> ProcessData:
    """Processes that answer at the end of a run."""
    seen = [
        ProcessSnapshot(name=f"p{n}", source=f"p{n}", seen_at=55.0, counts=counts_of(raw))
        for n, raw in enumerate(raws)
    ]
    return ProcessData(processes=tuple(seen))


def leaking(*keyless: LeaseId) -> Report:
    """A report of sessions that leak."""
    leaks = leaked_sessions()
    verdict = a_verdict(leaks.kind, leases=keyless, evidence=leaks.evidence)
    return a_report(sessions=tuple(map(a_session, keyless)), session_verdicts=(verdict,))


def told(report: Report, kind: type[object]) -> list[object]:
    """Evidence of one kind on the finding that sessions leak."""
    (verdict,) = report.session_verdicts
    return [each for each in verdict.evidence if isinstance(each, kind)]


def test_each_version_was_recorded() -> None:
    """Those that hide the lease's ID, and those that show it."""
    assert {each.build.partition("-")[0] for each in HIDING} == HIDE_THE_ID
    assert {each.build for each in SHOWING} == SHOW_THE_ID


@pytest.mark.parametrize("found", ALL, ids=lambda found: found.build)
def test_counts_are_those_of_the_program(found: Recording) -> None:
    """Whatever Go shows of arguments, goroutines are counted alike."""
    counts = counts_of(found.raw)

    assert (counts.sessions, counts.keepalives, counts.clients) == (10, 11, 1)
    assert (counts.lock_waiters, counts.beyond_sessions, counts.is_whole) == (1, 1, True)


@pytest.mark.parametrize("found", HIDING, ids=lambda found: found.build)
def test_what_go_hides_is_not_taken_for_an_id(found: Recording) -> None:
    """Go 1.17 to 1.21 show something else: numbers are compared, and the culprit is not cleared."""
    counts = counts_of(found.raw)
    assert (counts.named_keepalives, counts.words & found.leases) == (0, frozenset())

    report = add_process_evidence(leaking(*found.keyless), ProcessData(), heard(found.raw))
    assert told(report, UnattributedSessions) == told(report, KeptAliveBy) == []
    (live,) = told(report, ProcessSessions)
    assert isinstance(live, ProcessSessions)
    assert (live.sessions, live.kept, live.agreement) == (10, None, "as-many")
    (process,) = report.processes
    assert (process.keyless_kept, process.locks_held) == (None, None)
    assert "0 of 11 keep-alives show their lease ID" in next(process_lines(process))


@pytest.mark.parametrize("found", HIDING, ids=lambda found: found.build)
def test_not_even_strangers_are_said_to_come_from_elsewhere(found: Recording) -> None:
    """Where no ID is shown, nothing tells whose the leases are."""
    report = add_process_evidence(
        leaking(*found.keyless, *STRANGERS), ProcessData(), heard(found.raw)
    )

    assert told(report, UnattributedSessions) == []


@pytest.mark.parametrize("found", SHOWING, ids=lambda found: found.build)
def test_every_lease_is_attributed(found: Recording) -> None:
    """Go 1.22 and later show the ID of every lease: what is not among them is another's."""
    counts = counts_of(found.raw)
    assert (counts.named_keepalives, counts.words & found.leases) == (11, found.leases)

    report = add_process_evidence(
        leaking(*found.keyless, *STRANGERS), ProcessData(), heard(found.raw)
    )
    (live,) = told(report, ProcessSessions)
    assert isinstance(live, ProcessSessions)
    assert (live.kept, live.keyless_leases) == (len(found.keyless), len(found.keyless) + 8)
    assert told(report, UnattributedSessions) == [UnattributedSessions(leases=8, processes=1)]

    held = a_report(a_healthy_lock(lease_id=found.holder))
    (process,) = add_process_evidence(held, ProcessData(), heard(found.raw)).processes
    assert process.locks_held == 1


@pytest.mark.parametrize("hidden", [1, 5, 11])
@pytest.mark.parametrize("found", SHOWING, ids=lambda found: found.build)
def test_some_ids_hidden(found: Recording, hidden: int) -> None:
    """A hidden ID might be of any lease; those that are shown are attributed all the same."""
    shown = re.compile(rb"(keepAliveCtxCloser\(.*, 0x[0-9a-f]{14,16})(, )")
    raw = shown.sub(rb"\1?\2", found.raw, count=hidden)
    counts = counts_of(raw)
    assert counts.named_keepalives == 11 - hidden

    report = add_process_evidence(leaking(*found.keyless, *STRANGERS), ProcessData(), heard(raw))
    assert told(report, UnattributedSessions) == []
    (live,) = told(report, ProcessSessions)
    assert isinstance(live, ProcessSessions)
    assert live.kept is None
    kept = len(counts.words & set(found.keyless))
    of = len(found.keyless) + 8
    expected = [KeptAliveBy(process="p0", kept=kept, of=of, saved=False)] if kept else []
    assert told(report, KeptAliveBy) == expected


def test_a_process_that_hides_beside_one_that_shows() -> None:
    """One process that hides its IDs is enough: any lease might be its."""
    report = add_process_evidence(
        leaking(*SHOWING[0].keyless, *STRANGERS),
        ProcessData(),
        heard(SHOWING[0].raw, HIDING[0].raw),
    )

    assert told(report, UnattributedSessions) == []
