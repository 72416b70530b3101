"""Witnesses beside a scan: heard at both ends, and never in its way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from lockdoctor.domain.evidence.processes import KeptAliveBy
from lockdoctor.domain.evidence.verdicts import VerdictKind
from lockdoctor.domain.processes.comparison import ProcessData, ProcessSnapshot
from lockdoctor.domain.report.processes import MemberCounters
from lockdoctor.domain.report.report import Report
from lockdoctor.domain.report.unseen import Part, SourcePart, Unseen
from lockdoctor.ports import ProcessSource, StopRequest
from lockdoctor.workflows.scan.scan import scan
from tests.eventually import run
from tests.factories.processes import goroutine_counts
from tests.fakes.cluster import START, FakeClock, FakeCluster
from tests.workflows.scan.test_scan import REQUEST, Steps, leak


class FakeWitness:
    """Says what it was told to, at the clock's moment; takes its time."""

    name = "fake witness"

    def __init__(self, clock: FakeClock, says: Sequence[ProcessData], takes_s: float = 0.5) -> None:
        """Say the first thing first, and the last thing at the end."""
        self.heard_at: list[tuple[float, bool]] = []
        self._clock = clock
        self._says = says
        self._takes_s = takes_s

    async def poll(self, *, is_last: bool) -> ProcessData:
        """Say it."""
        self.heard_at.append((self._clock.now() - START, is_last))
        await self._clock.sleep(self._takes_s)
        return self._says[-1 if is_last else 0]


class Scanned:
    """A scan of a leaked lock, with a witness."""

    def __init__(
        self, *, window_s: float = 60.0, takes_s: float = 0.5, stop_at: float | None = None
    ) -> None:
        """Scan."""
        self.report: Report = run(self._story(window_s, takes_s, stop_at))

    async def _story(self, window_s: float, takes_s: float, stop_at: float | None) -> Report:
        clock = FakeClock()
        cluster = FakeCluster(clock)
        self.lease = leak(cluster)
        counters = _counters(START)
        process = ProcessSnapshot(
            name="p",
            source="p",
            seen_at=START,
            counts=goroutine_counts(words=frozenset({self.lease})),
        )
        first = ProcessData(processes=(process,), counters=(counters,))
        last = ProcessData(
            processes=(replace(process, seen_at=START + 40),),
            counters=(replace(counters, read_at=START + 40, granted=5),),
        )
        self.witness = FakeWitness(clock, (first, last), takes_s)
        witnesses: list[ProcessSource] = [self.witness]
        stop = StopRequest()
        if stop_at is not None:
            cluster.at(START + stop_at, lambda: stop.request("Ctrl-C"))
        request = replace(REQUEST, window_s=window_s)
        report = await scan(cluster, clock, request, Steps(), stop, None, witnesses)
        self.took_s = clock.now() - START
        return report


class BrokenWitness:
    """Fails in a way that nobody has foreseen, or says what makes no sense."""

    name = "broken witness"

    def __init__(self, says: Any) -> None:
        """Raise what it says, or return it."""
        self._says = says

    async def poll(self, *, is_last: bool) -> ProcessData:  # noqa: ARG002 - both ends are alike
        """Break."""
        if isinstance(self._says, Exception):
            raise self._says
        heard: ProcessData = self._says
        return heard


def scanned_with(*witnesses: ProcessSource) -> Report:
    """A scan of a leaked lock."""

    async def story() -> Report:
        clock = FakeClock()
        cluster = FakeCluster(clock)
        leak(cluster)
        return await scan(cluster, clock, REQUEST, Steps(), StopRequest(), None, witnesses)

    return run(story())


@pytest.mark.foresees_failures
def test_a_witness_that_breaks_is_not_seen(caplog: pytest.LogCaptureFixture) -> None:
    """Its failure is named without what it says, which may be secret; the others are heard."""
    process = ProcessSnapshot(name="p", source="p", seen_at=START, counts=goroutine_counts())
    sound = FakeWitness(FakeClock(), (ProcessData(processes=(process,)),), takes_s=0.0)
    report = scanned_with(BrokenWitness(OverflowError("http://bob:s3cret@x")), sound)

    (lock,) = report.locks
    assert lock.verdict.kind is VerdictKind.SUSPECTED_LEAK
    assert [each.name for each in report.processes] == ["p"]
    assert report.unseen == (
        Unseen(
            what=SourcePart("broken witness"),
            count=None,
            why="internal error: OverflowError. Please report it; --debug shows the traceback",
        ),
    )
    assert report.interrupted is None
    assert "s3cret" in caplog.text  # with --debug alone


@pytest.mark.foresees_failures
@pytest.mark.parametrize(
    "says",
    [
        None,
        ProcessData(processes=(None,)),  # type: ignore[arg-type]
        ProcessData(counters=("a", "b")),  # type: ignore[arg-type]
    ],
)
def test_a_witness_whose_words_make_no_sense_loses_no_report(says: Any) -> None:
    """Nor does what fails where the answers are put together."""
    report = scanned_with(BrokenWitness(says))

    (lock,) = report.locks
    assert lock.verdict.kind is VerdictKind.SUSPECTED_LEAK
    (unseen,) = report.unseen
    assert (unseen.what, unseen.is_failure) == (Part.OTHER_SOURCES, False)
    assert isinstance(unseen.why, str)
    assert unseen.why.startswith("internal error: ")


def _counters(read_at: float) -> MemberCounters:
    return MemberCounters(
        member="a",
        read_at=read_at,
        started_at=1.0,
        is_leader=True,
        granted=0,
        revoked=0,
        expired=0,
        renewed=0,
        leader_changes=0,
        keepalive_streams=1,
    )


def test_both_ends_of_the_window() -> None:
    """A witness is heard when the run begins and when all looks are over; it adds to the report."""
    scanned = Scanned()

    (first_at, first_is_last), (last_at, last_is_last) = scanned.witness.heard_at
    assert (first_is_last, last_is_last) == (False, True)
    assert first_at < 1
    assert last_at >= scanned.report.watched_s
    assert scanned.report.server is not None
    assert scanned.report.server.granted == 5
    (lock,) = scanned.report.locks
    assert lock.verdict.kind is VerdictKind.SUSPECTED_LEAK
    assert KeptAliveBy(process="p", kept=1, of=1, saved=False) in lock.verdict.evidence


def test_slow_witness_delays_no_look() -> None:
    """A witness that takes its time makes the run no different but for its end."""
    slow, quick = Scanned(takes_s=30.0), Scanned(takes_s=0.0)

    assert slow.report.watched_s == quick.report.watched_s
    assert slow.report.lookups == quick.report.lookups
    assert len(slow.report.processes) == 1


def test_one_reading_hears_them_too() -> None:
    """Without a window a process is compared all the same."""
    assert [each.name for each in Scanned(window_s=0.0).report.processes] == ["p"]


def test_who_asks_to_end_does_not_wait() -> None:
    """After Ctrl-C nobody is asked any more: what was heard until then is told."""
    asked = Scanned(stop_at=10.0)
    assert len(asked.witness.heard_at) == 1
    assert [each.name for each in asked.report.processes] == ["p"]
    assert asked.report.interrupted == "Ctrl-C"

    unseen = Scanned(stop_at=10.0, takes_s=100.0)
    assert unseen.report.processes == ()
    assert unseen.took_s < 20


def test_ctrl_c_while_the_last_word_is_heard() -> None:
    """A run that waits for nothing else but a witness ends at once, with its report."""
    scanned = Scanned(takes_s=40.0, stop_at=70.0)

    assert [each.name for each in scanned.report.processes] == ["p"]
    assert scanned.took_s < 75
