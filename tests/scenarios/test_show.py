"""`lockdoctor show` on a lock that a Go client has leaked."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from lockdoctor.demo.etcd_server import EtcdServer
from tests.lock_clients import GoClient
from tests.scenarios.run_scan import PROGRAM

pytestmark = [pytest.mark.etcd, pytest.mark.go, pytest.mark.slow]

TTL_S = 3


def shown(etcd: EtcdServer, *words: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [*PROGRAM, "show", "--endpoints", etcd.endpoint, "--no-history", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def test_the_story_of_a_leaked_lock(
    etcd: EtcdServer, go: GoClient, prefix: bytes, tmp_path: Path
) -> None:
    """By its name and by its lease: who holds, the sawtooth, the verdict; and an HTML page."""
    name = prefix.decode() + "orders"
    html = tmp_path / "orders.html"
    with go.start("leak", name, ttl=TTL_S) as leak:
        lease = leak.wait_for("locked")[0]["lease"]
        status, out, _ = shown(etcd, name, "--max-hold=1s", "--window=8s", f"--html={html}")
        by_lease, document, _ = shown(etcd, lease, "--window=0", "--format=json")

    assert status == 1
    assert out.startswith(f"1 leaked lock: {name}, lease {lease.zfill(16)}")
    assert re.search(rf"holder +{lease.zfill(16)} +at least", out)
    assert "█" in out
    assert "leaked lock" in html.read_text()
    assert by_lease == 0
    (lock,) = json.loads(document)["locks"]
    assert lock["name"] == name


def test_nothing_of_that_name(etcd: EtcdServer, prefix: bytes) -> None:
    """One sentence, and the status of what could not be examined."""
    status, out, err = shown(etcd, prefix.decode() + "nothing")

    assert (status, out) == (3, "")
    assert err.count("\n") == 1
    assert "lockdoctor history show" in err
