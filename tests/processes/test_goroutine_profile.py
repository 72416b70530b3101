"""Goroutine profiles in each form, of each generation of etcd's client, and what is none."""

from __future__ import annotations

import contextlib
import gzip
import json
import time
import tracemalloc
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockdoctor.domain.processes.comparison import (
    ProcessData,
    ProcessSnapshot,
    add_process_evidence,
)
from lockdoctor.domain.report.processes import CallSite, Frame, GoroutineCounts
from lockdoctor.errors import ProcessReadError
from lockdoctor.outputs.json.processes import process_json
from lockdoctor.outputs.text.evidence.processes import process_lines
from lockdoctor.processes.goroutine_profile import MAX_BYTES as MAX_PROFILE_BYTES
from lockdoctor.processes.goroutine_profile import MAX_GOROUTINES, MAX_LINES, counts_of
from lockdoctor.processes.profile_pb2 import MAX_BYTES
from tests.factories.reports import a_report
from tests.processes.mutations import mutated
from tests.processes.recordings import recordings

MAX_CPU_S = 10.0
"""Each takes a second or two; much more would mean a cost that grows faster than the size."""

PROFILES = Path(__file__).parent / "profiles"


def saved(name: str) -> bytes:
    return (PROFILES / name).read_bytes()


def varint(number: int) -> bytes:
    head, rest = number & 0x7F, number >> 7
    return bytes([head | 0x80]) + varint(rest) if rest else bytes([head])


def entry(field: int, value: bytes | int) -> bytes:
    """One field of a protobuf message."""
    if isinstance(value, int):
        return varint(field << 3) + varint(value)
    return varint(field << 3 | 2) + varint(len(value)) + value


def a_protobuf(*, kind: bytes = b"goroutine", count: int = 3, packed: bool = True) -> bytes:
    """Go's own form: three sessions whose frame is inlined into another, and a raw keep-alive."""
    names = [
        b"",
        kind,
        b"count",
        b"go.etcd.io/etcd/client/v3/concurrency.NewSession.func1",
        b"/src/session.go",
        b"main.main",
        b"go.etcd.io/etcd/client/v3.(*lessor).keepAliveCtxCloser",
    ]
    ids = entry(1, varint(1)) if packed else entry(1, 1)
    values = entry(2, varint(count)) if packed else entry(2, count)
    return b"".join(
        [
            entry(11, entry(1, 1) + entry(2, 2)),
            entry(1, entry(1, 1) + entry(2, 2)),
            entry(2, ids + values),
            entry(2, entry(1, varint(2)) + entry(2, varint(1))),
            entry(4, entry(1, 1) + entry(4, entry(1, 1) + entry(2, 73)) + entry(4, entry(1, 2))),
            entry(4, entry(1, 2) + entry(4, entry(1, 3))),
            entry(5, entry(1, 1) + entry(2, 3) + entry(4, 4)),
            entry(5, entry(1, 2) + entry(2, 5)),
            entry(5, entry(1, 3) + entry(2, 6)),
            *(entry(6, name) for name in names),
            varint(9 << 3) + varint(1_790_000_000_000_000_000),
            varint(15 << 3 | 1) + bytes(8),
            varint(15 << 3 | 5) + bytes(4),
        ]
    )


def main_counts(counts: GoroutineCounts) -> tuple[int, ...]:
    """Goroutines, sessions, keep-alives, clients, waiters for a lock and for an election."""
    return (
        counts.goroutines,
        counts.sessions,
        counts.keepalives,
        counts.clients,
        counts.lock_waiters,
        counts.candidates,
    )


def test_vendored_client_of_etcd_3_3() -> None:
    """A vendored copy of the oldest package is known; its waiters' caller is named."""
    counts = counts_of(saved("etcd-3.3-vendored.debug1.txt"))

    assert main_counts(counts) == (11, 3, 4, 1, 2, 0)
    assert (counts.beyond_sessions, counts.waiting, counts.is_whole) == (1, 2, True)
    assert counts.callers == (
        CallSite("Lock", Frame("github.com/acme/jobs/queue.(*Queue).Take", "take.go:48"), 2),
    )
    assert (counts.oldest_keepalive_s, counts.words) == (None, frozenset())


def test_client_of_etcd_3_4_goroutine_by_goroutine() -> None:
    """The text of each goroutine tells ages, candidates, and the IDs of leases, negative too."""
    counts = counts_of(saved("etcd-3.4.debug2.txt"))

    assert main_counts(counts) == (6, 1, 2, 1, 0, 1)
    assert counts.oldest_keepalive_s == 186 * 60
    assert {0x694D71DDACFDA227, -7} <= counts.words
    assert counts.callers == (
        CallSite("Campaign", Frame("orders/leader.(*Watcher).run", "leader.go:77"), 1),
    )


def test_client_of_etcd_3_5_and_who_opened_its_sessions() -> None:
    """An opener that still lives is named by where it is now; borrowed stacks are not counted."""
    counts = counts_of(saved("etcd-3.5.debug2.txt"))
    caller = Frame("main.(*Server).handle[...]", "server.go:12")

    assert main_counts(counts) == (4, 1, 1, 0, 1, 0)
    assert counts.oldest_keepalive_s == 61 * 60
    assert 0x7C10A2107D67AC08 in counts.words
    assert counts.callers == (CallSite("Lock", caller, 1), CallSite("NewSession", caller, 1))


@pytest.mark.parametrize("packed", [True, False])
def test_protobuf_plain_and_packed(packed: bool) -> None:  # noqa: FBT001
    """Go's default form is read, compressed or not, with frames that were inlined."""
    for raw in (a_protobuf(packed=packed), gzip.compress(a_protobuf(packed=packed))):
        assert main_counts(counts_of(raw)) == (4, 3, 1, 0, 0, 0)


def test_text_that_was_cut_off_counts_the_fewest() -> None:
    """A cut text still counts, and says that its numbers are the fewest."""
    summed, each = saved("etcd-3.3-vendored.debug1.txt"), saved("etcd-3.4.debug2.txt")

    assert not counts_of(summed[: len(summed) // 2]).is_whole
    assert not counts_of(each[: len(each) // 2]).is_whole
    assert counts_of(gzip.compress(summed)).is_whole


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "it is empty"),
        (b"\n<!DOCTYPE html><html>Log in</html>", "it is a web page"),
        (b"heap profile: 1: 16 [2: 32] @ heap/1048576\n", "a profile of something else"),
        (b"--- contention:\ncycles/second=1\n", "a profile of something else"),
        (b"etcd_server_has_leader 1\n", "not those of one"),
        (b"goroutine profile: total 5\n", "without a goroutine"),
        (gzip.compress(b"goroutine profile: total 5\n" * 99, mtime=0)[:30], "cut off"),
        (b"\x1f\x8b\x00garbage", "damaged gzip"),
        (a_protobuf(kind=b"space"), "one of something else"),
        (a_protobuf(count=1 << 40), "makes no sense"),
        (a_protobuf()[:-3], "cut off"),
        (a_protobuf() + entry(5, entry(1, 1) + entry(2, 99)), "a name is missing"),
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "damaged"),
        (b"\x0a\x00\x0b", "damaged"),
    ],
)
def test_what_is_no_goroutine_profile(raw: bytes, why: str) -> None:
    """It is refused in one sentence that says what it seems to be."""
    with pytest.raises(ProcessReadError, match=why):
        counts_of(raw)


def test_bomb() -> None:
    """A small file that unpacks to more than the limit is refused."""
    packing = zlib.compressobj(1, wbits=31)
    piece = bytes(1 << 20)
    bomb = b"".join(packing.compress(piece) for _ in range((MAX_PROFILE_BYTES >> 20) + 1))
    with pytest.raises(ProcessReadError, match="bigger than 64 MiB when unpacked"):
        counts_of(bomb + packing.flush())


def test_small_file_that_names_its_calls_again_and_again() -> None:
    """A protobuf whose samples each name all calls of a long location is refused in time."""
    lines = entry(4, entry(1, 1)) * 10_000
    hostile = b"".join(
        [
            entry(1, entry(1, 1)),
            entry(4, entry(1, 1) + lines),
            entry(5, entry(1, 1)),
            entry(6, b""),
            entry(6, b"goroutine"),
            entry(2, entry(1, varint(1) * 1_000) + entry(2, varint(1))) * 1_000,
        ]
    )
    with pytest.raises(ProcessReadError, match="five million calls"):
        counts_of(hostile)


MANY_LINES = a_protobuf() + b"".join(
    entry(4, entry(1, n) + entry(4, entry(1, 1)) * 99) + entry(2, entry(1, n)) for n in range(3_100)
)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"goroutine 1 [select]:\n" * (MAX_GOROUTINES + 1), "too many"),
        (b"goroutine profile: total 1\n" + b"\n" * MAX_LINES, "two million lines"),
        (b"\x0a\x00" * (MAX_BYTES // 2 + 1), "bigger than 8 MiB"),
        (b"\x0a\x00" * 300_002, "300,000 entries"),
        (MANY_LINES, "300,000 lines"),
    ],
    ids=["goroutines", "lines", "bytes", "entries", "lines of code"],
)
def test_more_than_any_process_has(raw: bytes, why: str) -> None:
    """A profile beyond all measure is refused before it takes the memory for itself."""
    with pytest.raises(ProcessReadError, match=why):
        counts_of(raw)


KEPT = b"go.etcd.io/etcd/client/v3.(*lessor).keepAliveCtxCloser("
HOSTILE = {
    "one long line": b"goroutine 1 [a]:\n" + b"/go.etcd.io/etcd/client/v3/concurrency." * (1 << 19),
    "long lines": b"goroutine 1 [a]:\n" + (b"/concurrency." * 400 + b"a.)\n\tx\n") * 2_000,
    "arguments": b"goroutine 1 [a]:\n" + (KEPT + b"0x1," * 1_000 + b")\n\tx:1\n") * 2_000,
    "calls": b"goroutine 1 [a]:\n" + b"main.f()\n\tx:1\n" * 50_000,
    "calls of a sum": b"goroutine profile: total 1\n1 @ 0x1\n" + b"#\t0x1\tf+0x1\tx:1\n" * 50_000,
    "digits": b"goroutine 1" + b"1" * 150 + b" [" + b"a, " * 10 + b"999999999 minutes]:\n",
    "names": b"".join(
        [
            entry(1, entry(1, 1)),
            entry(6, b""),
            entry(6, b"goroutine"),
            entry(6, b"x" * (1 << 20)),
            entry(5, entry(1, 1) + entry(2, 2) + entry(4, 2)),
            *(entry(4, entry(1, n) + entry(4, entry(1, 1)) * 99) for n in range(200)),
            *(entry(2, entry(1, n) + entry(2, 1)) for n in range(200)),
        ]
    ),
    "a function of many fields": b"".join(
        [
            entry(1, entry(1, 1)),
            entry(6, b""),
            entry(6, b"goroutine"),
            entry(5, entry(1, 1) * 50_000),
            *(entry(4, entry(1, n) + entry(4, entry(1, 1)) * 99) for n in range(200)),
            *(entry(2, entry(1, n) + entry(2, 1)) for n in range(200)),
        ]
    ),
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE)
def test_hostile_profiles_are_read_in_little_time_and_memory(raw: bytes) -> None:
    """No profile takes more than its size: it repeats nothing that costs more than it is long."""
    began = time.process_time()
    tracemalloc.start()
    try:
        with contextlib.suppress(ProcessReadError):
            counts_of(raw)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert time.process_time() - began < MAX_CPU_S
    assert most < 100 << 20


SEEDS = [
    saved("etcd-3.3-vendored.debug1.txt"),
    saved("etcd-3.4.debug2.txt"),
    saved("etcd-3.5.debug2.txt"),
    saved("go1.26-etcd-3.6.debug1.txt"),
    *(each.raw for each in recordings()),
    a_protobuf(),
]


@given(
    st.one_of(
        st.binary(max_size=300),
        st.builds(bytes.__add__, st.sampled_from([b"\x0a", b"\x5a", b"\x1f\x8b"]), st.binary()),
        st.builds(bytes.__add__, st.just(b"goroutine profile: total "), st.binary()),
        st.builds(bytes.__add__, st.just(b"goroutine 7 [select]:\n"), st.binary()),
        mutated(SEEDS),
        mutated(SEEDS).map(gzip.compress),
        mutated([gzip.compress(raw) for raw in SEEDS]),
    )
)
def test_any_bytes_end_in_counts_or_a_refusal(raw: bytes) -> None:
    """Whatever a file holds, it is counted or refused; what is counted is told in any report."""
    with contextlib.suppress(ProcessReadError):
        counts = counts_of(raw)
        assert min(main_counts(counts)) >= 0
        assert 0 <= counts.named_keepalives <= counts.keepalives
        seen = ProcessSnapshot(name="p", source="p", seen_at=55.0, counts=counts)
        earlier = replace(seen, seen_at=54.999)
        heard = ProcessData(processes=(seen,))
        (process,) = add_process_evidence(
            a_report(), ProcessData(processes=(earlier,)), heard
        ).processes
        assert all(line.isprintable() for line in process_lines(process))
        assert json.loads(json.dumps(process_json(process), allow_nan=False))
