"""Check after check of healthy clients, without one finding, and of sessions that leak."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import Any

import pytest

from lockdoctor.demo.etcd_server import EtcdServer
from tests.lock_clients import GoClient, Locker, eventually, python_lock
from tests.scenarios.run_check import Checked, Checker

pytestmark = [pytest.mark.etcd, pytest.mark.go, pytest.mark.slow, pytest.mark.timeout(300)]

TTL_S = 3
POOL = 5
SOAK_S = 35.0
EXPIRES_TIMEOUT_S = 3.0
"""etcd looks for expired leases twice a second."""
LIMIT = "--max-hold=20s"


@pytest.fixture
def checker(etcd: EtcdServer, prefix: bytes, tmp_path: Path) -> Checker:
    """Checks a prefix of the shared server, and all leases of it."""
    return Checker(endpoint=etcd.endpoint, prefix=prefix, history=tmp_path / "history.sqlite3")


def test_healthy_clients(checker: Checker, go: GoClient, etcd: EtcdServer) -> None:
    """
    A pool that locks now and then, idle sessions, a session for each lock, an election, Python.

    The sessions of the pool put their keys down one after the other: from check to check more
    leases have no keys, and all of them are the same as before.
    """
    found: list[Checked] = []
    job = checker.prefix + b"job"
    brief = {"hold": "1s", "pause": "500ms", "session_per_lock": True}
    with contextlib.ExitStack() as clients:

        def start(command: str, name: bytes = b"", **flags: object) -> Locker:
            return clients.enter_context(go.start(command, name, ttl=TTL_S, **flags))

        others = [
            (start("work", job, **brief), "locked", 1),
            (start("pool", n=3), "session", 3),
            (start("elect", checker.prefix + b"leader", n=2), "leader", 1),
        ]
        for worker in range(POOL):
            start("work", b"%s-%d" % (job, worker), hold="6s", pause="6s").wait_for("locked")
            time.sleep(1.0)
        for client, event, count in others:
            client.wait_for(event, count)
        until = time.monotonic() + SOAK_S
        while time.monotonic() < until:
            with python_lock(etcd.address, f"soak-{len(found)}", ttl=TTL_S) as python:
                python.wait_for("locked")
                found.append(checker.here(LIMIT))
            time.sleep(0.3)

    assert len(found) > 10
    assert [each.stdout for each in found if each.status] == []
    assert not any("Ended since" in each.stdout for each in found)


def test_sessions_that_leak_from_check_to_check(checker: Checker, go: GoClient) -> None:
    """Likely, of new sessions alone; once their process has stopped, the leak has ended."""
    with go.start("pool", ttl=TTL_S, n=4) as pool:
        pool.wait_for("session", 4)
        checker.here(LIMIT)
        with go.start("requests", checker.prefix + b"orders", ttl=TTL_S, rate=2) as requests:
            leaked = eventually(lambda: finding(a_while_later(checker)), within_s=60)
            pooled = {event["lease"] for event in pool.events}

            assert (leaked["verdict"], leaked["confidence"]) == ("leaked-session", "likely")
            assert len(leaked["leases"]) >= 3
            assert not pooled & set(leaked["leases"])
            requests.stop()
        time.sleep(TTL_S + EXPIRES_TIMEOUT_S)
        after = json.loads(checker.here(LIMIT, "--format=json").stdout)

    assert (after["findings"], [each["verdict"] for each in after["gone"]]) == (
        [],
        ["leaked-session"],
    )


def a_while_later(checker: Checker) -> Checked:
    """Check once leases have had the time to be renewed."""
    time.sleep(TTL_S / 2)
    return checker.here(LIMIT, "--format=json")


def finding(checked: Checked) -> dict[str, Any]:
    """Give the first finding of a check; nothing where there is none."""
    findings = json.loads(checked.stdout)["findings"]
    return dict(findings[0]) if findings else {}
