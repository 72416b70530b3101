"""Three members, and a leader that dies while we look."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from lockdoctor.demo.etcd_server import EtcdServer
from tests.etcd_servers import EtcdServers
from tests.lock_clients import GoClient, eventually
from tests.scenarios.run_scan import finish_scan, start_scan

pytestmark = [pytest.mark.etcd, pytest.mark.go, pytest.mark.slow, pytest.mark.timeout(300)]

PREFIX = b"/cluster/"
CRASHED = PREFIX + b"crashed"
LEAKED = PREFIX + b"leaked"


@pytest.fixture
def three(etcd_binary: Path, tmp_path: Path) -> Iterator[EtcdServers]:
    """Three members, of which one may be lost."""
    with EtcdServers(tmp_path, binary=etcd_binary) as servers:
        yield servers


def test_leader_killed_during_a_scan(three: EtcdServers, lockclient: Path) -> None:
    """
    A new leader's fresh TTLs are no renewals.

    The crashed holder's lease outlives its first deadline, because the new leader sets it back
    to its full TTL; nothing has renewed it all the same. The leaked one is still found.
    """
    go = GoClient(lockclient, *three.endpoints)
    with go.start("leak", CRASHED, ttl=9) as crashed, go.start("leak", LEAKED, ttl=6) as leaked:
        (lost,) = crashed.wait_for("locked")
        leaked.wait_for("locked")
        crashed.kill()
        leader = eventually(lambda: list(filter(_leads, three.members)), within_s=20)[0]
        before = _lookups(three)
        running = start_scan(",".join(three.endpoints), PREFIX, "--format=json", "--window=40s")
        eventually(lambda: _lookups(three) > before, within_s=30)
        leader.kill()
        found = finish_scan(running)

    cluster = found.document["cluster"]
    assert (found.status, found.document["run"]["partial"]) == (1, False)
    assert cluster["leader_changes"] >= 1
    assert found.verdicts[LEAKED] == "suspected-leak"
    assert found.verdicts[CRASHED] != "suspected-leak"
    holder = found.lock(CRASHED)["holder"]
    assert (holder["lease"], holder["renewals"]) == (lost["lease"], 0)


def _leads(member: EtcdServer) -> bool:
    return "\netcd_server_is_leader 1\n" in _metrics(member)


def _lookups(servers: EtcdServers) -> int:
    """Count the look-ups of leases that the members have answered."""
    counted = 'grpc_server_handled_total{grpc_code="OK",grpc_method="LeaseTimeToLive"'
    lines = [line for m in servers.members for line in _metrics(m).splitlines()]
    return sum(int(line.rpartition(" ")[2]) for line in lines if line.startswith(counted))


def _metrics(member: EtcdServer) -> str:
    url = f"{member.endpoint}/metrics"
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  # our own server
        text: str = answer.read().decode()
    return text
