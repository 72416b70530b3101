"""The process behind a leak: real Go clients that show their goroutines, and what etcd counted."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lockdoctor.demo.etcd_server import EtcdServer
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.report.processes import GoroutineCounts
from lockdoctor.processes.goroutine_profile import counts_of
from tests.lock_clients import GoClient, Locker, eventually
from tests.scenarios.run_scan import Scanned, scan

pytestmark = [pytest.mark.etcd, pytest.mark.go, pytest.mark.slow, pytest.mark.timeout(300)]

TTL_S = 3
SHOWN = "127.0.0.1:0"


@pytest.fixture(scope="module")
def fresh(etcd_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EtcdServer]:
    """An etcd of which nobody else takes leases."""
    with EtcdServer(tmp_path_factory.mktemp("fresh"), binary=etcd_binary) as server:
        yield server


@pytest.fixture
def alone(lockclient: Path, fresh: EtcdServer) -> GoClient:
    """The Go lock client, on that etcd."""
    return GoClient(lockclient, fresh.endpoint)


def address(locker: Locker) -> str:
    """Where a client shows its goroutines."""
    (shown,) = locker.wait_for("pprof")
    return shown["address"]


def happened(locker: Locker, event: str) -> int:
    return sum(seen["event"] == event for seen in locker.events)


def counts(shown: str, query: str) -> GoroutineCounts:
    url = f"http://{shown}/debug/pprof/goroutine{query}"
    with urllib.request.urlopen(url, timeout=30) as answer:  # our own client
        return counts_of(answer.read())


def evidence(found: Scanned, verdict: str, kind: str) -> list[dict[str, Any]]:
    return [each for each in found.finding(verdict)["evidence"] if each["kind"] == kind]


def test_program_of_the_story_and_the_service_that_piles_up(
    alone: GoClient, fresh: EtcdServer, prefix: bytes
) -> None:
    """Each finding names its process; the count of sessions is the true one, and etcd's agrees."""
    name = prefix + b"orders"
    with (
        alone.start("leak", name, ttl=TTL_S, pprof=SHOWN) as leak,
        alone.start("requests", name, ttl=TTL_S, timeout="1s", rate=3, pprof=SHOWN) as requests,
    ):
        holder, service = address(leak), address(requests)
        requests.wait_for("gave-up", 4)
        before = happened(requests, "session")
        asked = [f"--pprof=holder={holder}", f"--pprof=orders-7f={service}"]
        found = scan(fresh.endpoint, prefix, *asked, f"--metrics={fresh.endpoint}")
        after = happened(requests, "session")

        assert found.findings == ["suspected-leak", "leaked-session"]
        (kept,) = evidence(found, "suspected-leak", "kept-alive-by")
        assert (kept["process"], kept["kept"]) == ("holder", 1)
        (live,) = evidence(found, "leaked-session", "live-sessions")
        assert live["process"] == "orders-7f"
        assert before < live["sessions"] <= after
        assert live["kept"] == live["keyless_leases"] >= 4
        assert "This process leaks them" in live["text"]

        process = {each["name"]: each for each in found.document["processes"]}["orders-7f"]
        assert process["sessions_before"] < process["sessions"]
        assert process["callers"][0]["function"] == "main.request"

        (counted,) = evidence(found, "leaked-session", "server-counted")
        assert 0 < counted["granted"] <= after
        assert counted["revoked"] == 0
        assert found.document["server"]["keepalive_streams"] == 2
        assert found.document["server"]["renewed"] > 0


def test_forms_of_a_profile_agree(alone: GoClient, prefix: bytes) -> None:
    """Text, text of each goroutine and protobuf of one process give the same numbers, the true."""
    with alone.start("wait", prefix + b"queue", ttl=30, n=40, pprof=SHOWN) as queue:
        shown = address(queue)
        queue.wait_for("session", 40)
        eventually(lambda: counts(shown, "?debug=1").lock_waiters == 39, within_s=20)
        summed, each, packed = (counts(shown, form) for form in ("?debug=1", "?debug=2", ""))

        for found in (summed, each, packed):
            assert (found.sessions, found.keepalives, found.clients) == (40, 40, 1)
            assert (found.lock_waiters, found.candidates, found.is_whole) == (39, 0, True)
        leases = {LeaseId(int(event["lease"], 16)) for event in queue.wait_for("session", 40)}
        assert leases <= each.words
        (caller,) = [each for each in each.callers if each.call == "Lock"]
        assert (caller.goroutines, caller.frame) == (39, summed.callers[0].frame)
        assert summed.callers == packed.callers


def test_lease_kept_alive_without_a_session(alone: GoClient, prefix: bytes) -> None:
    """A raw keep-alive is told from a session, and its lease is named all the same."""
    with alone.start("keepalive", prefix + b"mine", ttl=30, pprof=SHOWN) as rogue:
        (put,) = rogue.wait_for("put")
        found = counts(address(rogue), "?debug=2")

        assert (found.sessions, found.beyond_sessions, found.clients) == (0, 1, 1)
        assert LeaseId(int(put["lease"], 16)) in found.words
