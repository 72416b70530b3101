"""Lock users that do nothing wrong: never a finding."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from lockdoctor.demo.etcd_server import EtcdServer
from tests.lock_clients import GoClient
from tests.scenarios.run_scan import Scanned, scan

pytestmark = [pytest.mark.etcd, pytest.mark.go, pytest.mark.slow, pytest.mark.timeout(300)]

TTL_S = 3


def test_workers_pool_and_election(go: GoClient, etcd: EtcdServer, prefix: bytes) -> None:
    """Workers, idle sessions and an election with its candidates are all fine."""
    brisk = {"ttl": TTL_S, "n": 2, "hold": "200ms", "pause": "100ms"}
    with (
        go.start("work", prefix + b"a", **brisk) as lasting,
        go.start("work", prefix + b"b", **brisk, session_per_lock=True) as fresh,
        go.start("pool", ttl=TTL_S, n=5) as pool,
        go.start("elect", prefix + b"leader", ttl=TTL_S, n=3) as election,
    ):
        lasting.wait_for("locked")
        fresh.wait_for("locked")
        pool.wait_for("session", 5)
        (leader,) = election.wait_for("leader")
        election.wait_for("session", 3)
        found = scan(etcd.endpoint, prefix)

        assert (found.status, found.findings) == (0, [])
        assert found.verdicts[prefix + b"leader"] == "healthy"
        assert found.lock(prefix + b"leader")["holder"]["lease"] == leader["lease"]
        assert len(found.lock(prefix + b"leader")["waiters"]) == 2
        assert len(found.document["sessions"]) >= 5


def test_leader_that_crashes(go: GoClient, etcd: EtcdServer, prefix: bytes) -> None:
    """An election whose leader was killed moves on to a living one and stays healthy."""
    name = prefix + b"leader"
    with (
        go.start("elect", name, ttl=TTL_S) as crash,
        go.start("elect", name, ttl=TTL_S) as heir,
    ):
        crash.wait_for("session")
        heir.wait_for("session")
        crash.kill()
        (leader,) = heir.wait_for("leader")
        found = scan(etcd.endpoint, prefix)

        assert (found.status, found.verdicts) == (0, {name: "healthy"})
        assert found.lock(name)["holder"]["lease"] == leader["lease"]


def test_churn(go: GoClient, etcd: EtcdServer, prefix: bytes) -> None:
    """Twenty scans amid fifty busy workers neither crash nor find anything."""
    brisk = {"ttl": TTL_S, "n": 25, "locks": 5, "hold": "20ms", "pause": "50ms"}
    with (
        go.start("work", prefix + b"a", **brisk) as lasting,
        go.start("work", prefix + b"b", **brisk, session_per_lock=True) as fresh,
    ):
        lasting.wait_for("locked", 25)
        fresh.wait_for("locked", 25)

        def one(_: int) -> Scanned:
            return scan(etcd.endpoint, prefix, "--window=3s")

        with ThreadPoolExecutor(4) as four:
            found = list(four.map(one, range(20)))

        assert [(each.status, each.findings) for each in found] == [(0, [])] * 20
