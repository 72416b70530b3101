"""Locks of etcdctl and python-etcd3, and keys that somebody typed."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

import lockdoctor.etcd.protos  # noqa: F401  # makes etcd3 load on today's protobuf
from lockdoctor.demo.etcd_server import EtcdServer
from tests.lock_clients import GoClient, etcdctl_lock, eventually, python_lock
from tests.scenarios.run_scan import scan

import etcd3  # isort: skip

pytestmark = [pytest.mark.etcd, pytest.mark.slow, pytest.mark.timeout(300)]

TTL_S = 3


def test_etcdctl_lock_left_running(etcdctl: Path, etcd: EtcdServer, prefix: bytes) -> None:
    """`etcdctl lock` in a forgotten terminal is a suspected leak until it ends."""
    name = prefix + b"deploy"
    with etcdctl_lock(etcdctl, etcd.endpoint, name.decode(), ttl=TTL_S) as forgotten:
        forgotten.wait_for("locked")
        found = scan(etcd.endpoint, prefix)

        assert (found.status, found.verdicts) == (1, {name: "suspected-leak"})
        assert found.lock(name)["recipe"] == "mutex"

        forgotten.stop()
        after = scan(etcd.endpoint, prefix)

        assert (after.status, after.verdicts) == (0, {})


def test_python_etcd3_lock(etcd: EtcdServer, prefix: bytes) -> None:
    """A python-etcd3 lock is known by its value; renewed, it is suspected, and then released."""
    name = prefix.strip(b"/") + b"/report"
    place = b"/locks/" + prefix.strip(b"/") + b"/"
    with python_lock(etcd.address, name.decode(), ttl=TTL_S) as holder:
        holder.wait_for("locked")
        found = scan(etcd.endpoint, place)

        assert (found.status, found.verdicts) == (1, {b"/locks/" + name: "suspected-leak"})
        assert found.lock(b"/locks/" + name)["recipe"] == "python-etcd3"

        holder.stop()
        holder.wait_for("unlocked")
        after = scan(etcd.endpoint, place)

        assert (after.status, after.verdicts) == (0, {})


def test_python_etcd3_lock_whose_process_died(etcd: EtcdServer, prefix: bytes) -> None:
    """A python-etcd3 lock that nobody renews any more is about to be freed."""
    name = prefix.strip(b"/") + b"/report"
    with python_lock(etcd.address, name.decode(), ttl=10) as holder:
        holder.wait_for("locked")
        holder.kill()
        found = scan(etcd.endpoint, b"/locks/" + prefix.strip(b"/"))

        assert (found.status, found.verdicts) == (0, {b"/locks/" + name: "expiring"})


def test_python_etcd3_attempts_drop_their_leases(etcd: EtcdServer, prefix: bytes) -> None:
    """
    Each attempt of python-etcd3 behind a holder leaves a lease that counts down: no leaked session.

    With a current tenacity such an attempt even ends in a TypeError; its lease is left as well.
    """
    name = (prefix.strip(b"/") + b"/report").decode()
    ended = threading.Event()

    def attempt() -> None:
        host, port = etcd.address.split(":")
        client: Any = etcd3.client(host=host, port=int(port), timeout=10)
        while not ended.wait(0.3):
            with contextlib.suppress(TypeError):
                client.lock(name, ttl=4).acquire(timeout=0.2)
        client.close()

    with python_lock(etcd.address, name, ttl=TTL_S) as holder:
        holder.wait_for("locked")
        attempts = threading.Thread(target=attempt)
        attempts.start()
        try:
            found = scan(etcd.endpoint, b"/locks/" + prefix.strip(b"/"))
        finally:
            ended.set()
            attempts.join()

    assert found.findings == ["suspected-leak"]
    assert len(found.document["sessions"]) >= 3
    assert {session["verdict"] for session in found.document["sessions"]} <= {
        "expiring",
        "undetermined",
    }


@pytest.mark.go
def test_lock_without_a_lease(go: GoClient, etcdctl: Path, etcd: EtcdServer, prefix: bytes) -> None:
    """A lock key without a lease blocks its queue for ever; deleted, it is gone from the report."""
    name = prefix + b"orders"
    key = name.decode() + "/694d81f4d5c1a00b"
    _etcdctl(etcdctl, etcd, "put", key, "")
    with go.start("wait", name, ttl=TTL_S) as waiter:
        waiter.wait_for("session")
        found = eventually(
            lambda: [
                seen
                for seen in [scan(etcd.endpoint, prefix, "--window=0")]
                if seen.lock(name)["waiters"]
            ],
            within_s=20,
        )[0]

        assert (found.status, found.verdicts) == (1, {name: "eternal-lock"})
        assert found.finding("eternal-lock")["severity"] == "critical"

        _etcdctl(etcdctl, etcd, "del", key)
        waiter.wait_for("locked")
        after = scan(etcd.endpoint, prefix, "--window=0")

        assert "eternal-lock" not in after.findings


def _etcdctl(etcdctl: Path, etcd: EtcdServer, *words: str) -> None:
    command = [str(etcdctl), "--endpoints", etcd.endpoint, *words]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
