"""How much memory a large scan takes for each lock: 100,000 have to fit into 200 MB, all in all."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from io import TextIOBase
from typing import TextIO, cast

import pytest

from lockdoctor.domain.policy.policy import Policy
from lockdoctor.domain.report.report import Report
from lockdoctor.outputs.json.report import JsonOutput
from lockdoctor.ports import ScanProgress, StopRequest
from lockdoctor.workflows.scan.request import ScanRequest
from lockdoctor.workflows.scan.scan import scan
from tests.eventually import run
from tests.fakes.cluster import FakeClock, FakeCluster

COUNT = 4_500
"""So many that fixed costs, and the 2,000 freed tuples that Python keeps, do not count."""

MAX_BYTES_PER_LOCK = 1_200
"""
At the peak of a scan, over and above the keys themselves, which take some 250 bytes each.

Python with grpc and rich takes 60 MB, so 1,400 bytes for each lock are what there is.
"""

MAX_BYTES_PER_WAITER = 700

MAX_BYTES_PER_ROW = 150
"""JSON is written piece by piece: what that adds to the scan's own peak for each lock."""


class _Nobody(TextIOBase):
    """Takes progress, and text, and keeps nothing."""

    encoding = "utf-8"

    def update(self, progress: ScanProgress) -> None:
        """Take no notice."""

    def write(self, text: str) -> int:
        """Throw it away."""
        return len(text)


def snapshot(key: Callable[[int, int], bytes]) -> tuple[Report, int]:
    """Look once at so many keys, each on a lease; and tell the bytes at the peak for each key."""
    clock = FakeClock()
    cluster = FakeCluster(clock)
    for number in range(COUNT):
        lease = cluster.session(600)
        cluster.put(key(number, lease), b"", lease)
    request = ScanRequest(prefixes=(b"/large/",), policy=Policy(), window_s=0, sessions=True)

    async def measured() -> tuple[Report, int]:
        tracemalloc.start()
        report = await scan(cluster, clock, request, _Nobody(), StopRequest())
        _, peak = tracemalloc.get_traced_memory()
        return report, peak // COUNT

    return run(measured())


def added_by_json(report: Report) -> int:
    """Tell the bytes for each key that writing takes on top of what there is."""
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    JsonOutput().render(report, cast("TextIO", _Nobody()))
    _, peak = tracemalloc.get_traced_memory()
    return (peak - before) // COUNT


@pytest.fixture(autouse=True)
def _stop_tracing() -> Iterator[None]:
    yield
    tracemalloc.stop()


@pytest.mark.slow
def test_a_lock_takes_little_memory() -> None:
    """Neither traces, names nor equal evidence are kept for each lock; JSON keeps nothing."""
    report, peak = snapshot(lambda number, lease: b"/large/job-%06d/%x" % (number, lease))
    assert len(report.locks) == COUNT
    assert peak < MAX_BYTES_PER_LOCK
    assert added_by_json(report) < MAX_BYTES_PER_ROW


@pytest.mark.slow
def test_a_waiter_takes_little_memory() -> None:
    """A queue is written piece by piece as well, though it is one lock."""
    report, peak = snapshot(lambda _, lease: b"/large/job/%x" % lease)
    assert len(report.locks[0].lock.waiters) == COUNT - 1
    assert peak < MAX_BYTES_PER_WAITER
    assert added_by_json(report) < MAX_BYTES_PER_ROW
