"""Leaks by Go's own lock client: found while they last, gone from the report when they end."""

from __future__ import annotations

import pytest

from lockdoctor.demo.etcd_server import EtcdServer
from tests.lock_clients import GoClient, eventually
from tests.scenarios.run_scan import scan

pytestmark = [pytest.mark.etcd, pytest.mark.go, pytest.mark.slow, pytest.mark.timeout(300)]

TTL_S = 3


def test_first_look_at_the_program_of_the_story(
    go: GoClient, etcd: EtcdServer, prefix: bytes
) -> None:
    """One leaked session with one mutex, and no flag but the prefix, end in suspected-leak."""
    with go.start("leak", prefix + b"orders", ttl=TTL_S) as leak:
        (locked,) = leak.wait_for("locked")
        found = scan(etcd.endpoint, prefix)

        assert (found.status, found.verdicts) == (1, {prefix + b"orders": "suspected-leak"})
        finding = found.finding("suspected-leak")
        assert (finding["confidence"], finding["lease"]) == ("possible", locked["lease"])
        assert found.lock(prefix + b"orders")["holder"]["renewals"] >= 2

        leak.stop()
        eventually(lambda: not scan(etcd.endpoint, prefix, "--window=0").verdicts, within_s=20)


def test_leaked_lock_with_workers_behind_it(go: GoClient, etcd: EtcdServer, prefix: bytes) -> None:
    """A hold proven too long, with others waiting, is critical; once it is gone, all is healthy."""
    name = prefix + b"orders"
    with (
        go.start("leak", name, ttl=TTL_S) as leak,
        go.start("work", name, ttl=TTL_S, n=2, hold="100ms", pause="50ms") as work,
    ):
        leak.wait_for("locked")
        work.wait_for("session", 2)
        found = scan(etcd.endpoint, prefix, "--max-hold=3s")

        assert (found.status, found.verdicts) == (1, {name: "leaked-lock"})
        finding = found.finding("leaked-lock")
        assert (finding["severity"], finding["confidence"]) == ("critical", "proven")
        assert len(found.lock(name)["waiters"]) == 2

        leak.kill()
        work.wait_for("locked")
        after = scan(etcd.endpoint, prefix, "--max-hold=3s")

        assert (after.status, after.findings) == (0, [])


def test_crash_is_no_leak(go: GoClient, etcd: EtcdServer, prefix: bytes) -> None:
    """A holder that was killed renews no more: expiring, and nothing to alarm about."""
    with go.start("leak", prefix + b"orders", ttl=6) as crash:
        crash.wait_for("locked")
        crash.kill()
        found = scan(etcd.endpoint, prefix)

        assert (found.status, found.verdicts) == (0, {prefix + b"orders": "expiring"})


def test_session_for_each_request_that_times_out(
    go: GoClient, etcd: EtcdServer, prefix: bytes
) -> None:
    """Requests that give up behind a leaked lock, and never close their sessions, are found."""
    name = prefix + b"orders"
    with (
        go.start("leak", name, ttl=TTL_S) as leak,
        go.start("requests", name, ttl=TTL_S, timeout="1s", rate=3) as requests,
    ):
        leak.wait_for("locked")
        requests.wait_for("gave-up", 2)
        found = scan(etcd.endpoint, prefix)

        assert found.status == 1
        assert found.findings == ["suspected-leak", "leaked-session"]
        assert found.finding("suspected-leak")["confidence"] == "likely"
        assert len(found.document["sessions"]) >= 3

        requests.stop()
        leak.stop()
        after = scan(etcd.endpoint, prefix)

        assert (after.status, after.findings) == (0, [])


def test_session_for_each_request_that_unlocks(
    go: GoClient, etcd: EtcdServer, prefix: bytes
) -> None:
    """A service that unlocks but forgets to close leaks sessions, though no lock is ever stuck."""
    with go.start("requests", prefix + b"orders", ttl=TTL_S, rate=3) as requests:
        requests.wait_for("unlocked", 2)
        found = scan(etcd.endpoint, prefix)

        assert (found.status, found.findings) == (1, ["leaked-session"])
        assert found.finding("leaked-session")["confidence"] == "likely"

        requests.stop()
        after = scan(etcd.endpoint, prefix)

        assert (after.status, after.findings) == (0, [])


def test_raw_lease_kept_alive(go: GoClient, etcd: EtcdServer, prefix: bytes) -> None:
    """A key that no recipe knows is judged only once somebody says what it is for."""
    with go.start("keepalive", prefix + b"mine", ttl=TTL_S) as rogue:
        rogue.wait_for("put")
        unsaid = scan(etcd.endpoint, prefix)
        said = scan(etcd.endpoint, prefix, "--kind=lock")

        assert (unsaid.status, unsaid.verdicts) == (0, {prefix + b"mine": "undetermined"})
        assert (said.status, said.verdicts) == (1, {prefix + b"mine": "suspected-leak"})
