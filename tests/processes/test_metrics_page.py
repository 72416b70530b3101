"""The counters of etcd's members, from pages good and bad."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockdoctor.domain.processes.comparison import ProcessData
from lockdoctor.domain.processes.server_counters import compare
from lockdoctor.domain.report.processes import MemberCounters
from lockdoctor.domain.report.unseen import MetricsPart
from lockdoctor.errors import ProcessReadError
from lockdoctor.outputs.json.processes import server_json
from lockdoctor.outputs.text.evidence.processes import server_line
from lockdoctor.processes.http_client import parse_address
from lockdoctor.processes.metrics_page import (
    MAX_COUNTED,
    NAMES,
    WANTED,
    MemberMetrics,
    counters_of,
)
from tests.eventually import run
from tests.fakes.cluster import FakeClock
from tests.processes.http_server import http, serving
from tests.processes.mutations import mutated

LEASE = 'grpc_method="LeaseKeepAlive",grpc_service="etcdserverpb.Lease",grpc_type="bidi_stream"'
PAGE = f"""\
# HELP etcd_debugging_lease_granted_total The total number of granted leases.
# TYPE etcd_debugging_lease_granted_total counter
etcd_debugging_lease_granted_total 21
etcd_debugging_lease_revoked_total 4
etcd_debugging_lease_renewed_total 1.2e+03
etcd_debugging_server_lease_expired_total 3
etcd_debugging_lease_ttl_total_bucket{{le="1"}} 0
etcd_server_is_leader 1
etcd_server_leader_changes_seen_total 2
grpc_server_handled_total{{grpc_code="Canceled",{LEASE}}} 5
grpc_server_handled_total{{grpc_code="Unavailable",{LEASE}}} 2
grpc_server_handled_total{{grpc_code="OK",grpc_method="Range",grpc_service="etcdserverpb.KV"}} 9e9
grpc_server_started_total{{{LEASE}}} 9
grpc_server_started_total{{grpc_method="Range",grpc_service="etcdserverpb.KV"}} 9e9
process_start_time_seconds 1.7955729828e+09
"""


MAX_CPU_S = 10.0
"""For the biggest page; much more would mean that its cost grows faster than its size."""


def read(page: str) -> MemberCounters:
    return counters_of(page.encode(), "a", 10.0)


def test_a_page_of_etcd() -> None:
    """Each counter by its name; streams are those started without those that have ended."""
    assert read(PAGE) == MemberCounters(
        member="a",
        read_at=10.0,
        started_at=1_795_572_982.8,
        is_leader=True,
        granted=21,
        revoked=4,
        expired=3,
        renewed=1_200,
        leader_changes=2,
        keepalive_streams=2,
    )


def test_labels_are_summed() -> None:
    """A page that a proxy has gathered from several shards is the sum of its parts."""
    name = NAMES["granted"]

    assert (
        read(f'{name}{{shard="a"}} 3\n{name}{{shard="b,}}\\"",x=""}} 4 1700000000\n').granted == 7
    )


def test_what_is_wrong_with_one_line_does_not_matter() -> None:
    """Lines of others, broken, absurd and endless ones are passed over."""
    name = NAMES["granted"]
    lines = ["}{", f"{name}{{", f"{name} x", f"{name} NaN", f"{name} -5", f"{name} +Inf"]
    lines += [f'{name}{{a="{"b" * 5_000}"}} 7', f"{name}_bucket 9", f"{name} 2", "\x00\xff"]
    found = read("\n".join(lines))

    assert (found.granted, found.revoked, found.is_leader) == (2, None, None)


@pytest.mark.parametrize(
    "page", ["", "<html>etcd_server_is_leader 1</html>", "process_start_time_seconds 1\n", "{}"]
)
def test_what_is_no_page_of_etcd(page: str) -> None:
    """A page without any of etcd's counters is not etcd's."""
    with pytest.raises(ProcessReadError, match="not the metrics of an etcd member"):
        read(page)


def test_endless_page() -> None:
    """So many lines of one name no etcd has."""
    with pytest.raises(ProcessReadError, match="not the metrics of an etcd member"):
        read('etcd_server_is_leader{a=""} 1\n' * 5_001)


REAL = (Path(__file__).parent / "profiles" / "etcd.metrics.txt").read_bytes()


def test_a_recorded_page() -> None:
    """What etcd showed after eleven leases, which one client keeps alive, were granted."""
    found = counters_of(REAL, "a", 10.0)

    assert (found.granted, found.revoked, found.expired, found.leader_changes) == (11, 0, 0, 1)
    assert found.is_leader is True
    assert found.keepalive_streams == 0  # the client had ended by then


@pytest.mark.parametrize(
    "value", ["1e308", "1e300", "9" * 400, "NaN", "+Inf", "-Inf", "-1", "1e16"]
)
@pytest.mark.parametrize("name", sorted(WANTED))
def test_numbers_that_count_nothing(name: str, value: str) -> None:
    """Two samples of it once ended the run: what cannot be a count is passed over."""
    labels = LEASE if name.startswith("grpc_") else 'a="1"'
    samples = "".join(f'{name}{{{labels},n="{n}"}} {value}\n' for n in (1, 2))
    found = read(samples + "etcd_debugging_lease_granted_total 3\n")

    assert found.granted == 3
    assert found.started_at is found.is_leader is found.keepalive_streams is None


def test_more_streams_ended_than_began() -> None:
    """Counters that contradict each other give no negative number."""
    ended = f'grpc_server_handled_total{{grpc_code="OK",{LEASE}}} 9\n'
    assert read(f"etcd_server_is_leader 1\ngrpc_server_started_total{{{LEASE}}} 4\n{ended}") == (
        read(f"etcd_server_is_leader 1\ngrpc_server_started_total{{{LEASE}}} 9\n{ended}")
    )


def test_a_series_that_is_given_twice_counts_once() -> None:
    """A page may repeat a series, in whatever order its labels are."""
    name = NAMES["granted"]
    twice = f'{name}{{a="1",b="2"}} 3\n{name}{{b="2",a="1"}} 3\n{name}{{a="2",b="2"}} 4\n'
    assert read(twice).granted == 7
    assert read(f"{name} 5\n{name} 5\n").granted == 5


def test_streams_without_labels_are_nobodys() -> None:
    """A page without labels does not tell streams of leases from others."""
    assert read("etcd_server_is_leader 1\ngrpc_server_started_total 9\n").keepalive_streams is None


@given(st.lists(mutated([REAL]), min_size=2, max_size=2))
def test_mutated_pages_give_counters_that_can_be_told(pages: list[bytes]) -> None:
    """Whatever two readings of a page hold, their comparison is worded, and written as JSON."""
    found = list[MemberCounters]()
    for at, page in enumerate(pages):
        with contextlib.suppress(ProcessReadError):
            found.append(counters_of(page, "a", 10.0 * at))
    for each in found:
        assert all(0 <= (getattr(each, name) or 0) <= MAX_COUNTED * 5_000 for name in NAMES)
    server = compare(found[:1], found[1:])
    if server is not None:
        server_line(server)
        assert json.loads(json.dumps(server_json(server), allow_nan=False))


@pytest.mark.parametrize(
    "page",
    [
        b"\n" * (8 << 20),
        b"etcd_server_is_leader" * (1 << 18),
        (b"etcd_server_is_leader{" + b'"' * 900 + b"\n") * 4_900,
        (b'etcd_server_is_leader{a="' + b'\\"' * 450 + b'"} 1\n') * 4_900,
    ],
    ids=["lines", "one line", "quotes", "escapes"],
)
def test_hostile_pages_are_read_in_little_time(page: bytes) -> None:
    """No page takes more than its size: a few seconds of the processor, for the biggest."""
    began = time.process_time()
    with contextlib.suppress(ProcessReadError):
        counters_of(page, "a", 0.0)
    assert time.process_time() - began < MAX_CPU_S


NAME = st.sampled_from(sorted(NAMES.values())).map(str.encode)


@given(
    st.one_of(
        st.binary(max_size=300),
        st.builds(lambda *parts: b"".join(parts), NAME, st.binary(max_size=60), NAME, st.binary()),
        st.text(alphabet='{}",=\\ \n#_-+.eE0123456789aNinf').map(
            lambda text: b"etcd_server_is_leader" + text.encode()
        ),
    )
)
def test_any_bytes_end_in_counters_or_a_refusal(page: bytes) -> None:
    """Whatever a page holds, it is read or refused, and no counter is negative."""
    with contextlib.suppress(ProcessReadError):
        found = counters_of(page, "a", 0.0)
        assert all((getattr(found, name) or 0) >= 0 for name in NAMES)


def hear_twice(url: str, *, are_named: bool) -> tuple[ProcessData, ProcessData]:
    """Hear a member at both ends of a window."""
    witness = MemberMetrics(
        [parse_address(url, "--metrics")], None, FakeClock(), are_named=are_named
    )

    async def both() -> tuple[ProcessData, ProcessData]:
        return await witness.poll(is_last=False), await witness.poll(is_last=True)

    return run(both())


def test_member_that_answers() -> None:
    """Its counters are read at both ends."""
    with serving(metrics=http(PAGE.encode())) as server:
        for heard in hear_twice(f"{server.url}/metrics", are_named=False):
            (counters,) = heard.counters
            assert (counters.member, counters.granted) == (f"{server.url}/metrics", 21)


@pytest.mark.parametrize("are_named", [True, False])
def test_member_that_does_not_answer(are_named: bool) -> None:  # noqa: FBT001
    """It is asked once; who has not named it is not bothered with it."""
    with serving(metrics=http(b"<html>")) as server:
        first, last = hear_twice(f"{server.url}/metrics", are_named=are_named)
        assert len(server.asked) == 1
        assert last == ProcessData()
        told = [(each.what, each.why) for each in first.unseen]
        why = "these are not the metrics of an etcd member"
        assert told == [(MetricsPart(f"{server.url}/metrics"), why)] * are_named
