"""The counters of etcd's members, from pages good and bad."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockdoctor.clients.server_metrics import NAMES, MemberMetrics, counters_of
from lockdoctor.clients.web import parse_address
from lockdoctor.domain.server_view import MemberCounters
from lockdoctor.domain.witnesses import Heard
from lockdoctor.errors import WitnessError
from tests.clients.serving import http, serving
from tests.fakes import FakeClock
from tests.waiting import run

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


def read(page: str) -> MemberCounters:
    return counters_of(page.encode(), "a", 10.0)


def test_a_page_of_etcd() -> None:
    """Each counter by its name; streams are those begun without those that have ended."""
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
    with pytest.raises(WitnessError, match="not the metrics of an etcd member"):
        read(page)


def test_endless_page() -> None:
    """So many lines of one name no etcd has."""
    with pytest.raises(WitnessError, match="not the metrics of an etcd member"):
        read('etcd_server_is_leader{a=""} 1\n' * 10_001)


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
    with contextlib.suppress(WitnessError):
        found = counters_of(page, "a", 0.0)
        assert all((getattr(found, name) or 0) >= 0 for name in NAMES)


def hear_twice(url: str, *, are_named: bool) -> tuple[Heard, Heard]:
    """Hear a member at both ends of a window."""
    witness = MemberMetrics(
        [parse_address(url, "--metrics")], None, FakeClock(), are_named=are_named
    )

    async def both() -> tuple[Heard, Heard]:
        return await witness.hear(is_last=False), await witness.hear(is_last=True)

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
        assert last == Heard()
        told = [(each.what, each.why) for each in first.unheard]
        why = "these are not the metrics of an etcd member"
        assert told == [(f"metrics of {server.url}/metrics", why)] * are_named
