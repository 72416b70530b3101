"""Two scans with a history between them, of a leak by Go's own client."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockdoctor.demo.etcd_server import EtcdServer
from tests.lock_clients import GoClient, eventually
from tests.scenarios.run_scan import scan
from tests.scenarios.test_check import a_newer_history

pytestmark = [pytest.mark.etcd, pytest.mark.go]


def test_a_second_scan_proves_what_the_first_suspected(
    go: GoClient, etcd: EtcdServer, prefix: bytes, tmp_path: Path
) -> None:
    """With the history of the first scan, one look each proves the leak and its age."""
    history = f"--history={tmp_path / 'history'}"
    with go.start("leak", prefix + b"orders", ttl=3) as leak:
        leak.wait_for("locked")
        first = scan(etcd.endpoint, prefix, history, "--no-sessions")

        def second_is_sure() -> bool:
            again = scan(
                etcd.endpoint, prefix, history, "--no-sessions", "--window=0", "--max-hold=5s"
            )
            return again.findings == ["leaked-lock"]

        assert first.findings == ["suspected-leak"]
        assert eventually(second_is_sure, within_s=30)


def test_a_history_that_cannot_be_used_does_not_stand_in_the_way(
    etcd: EtcdServer, prefix: bytes, tmp_path: Path
) -> None:
    """The scan goes on as a first run, and says what is wrong with the history."""
    a_newer_history(tmp_path / "history")

    found = scan(etcd.endpoint, prefix, f"--history={tmp_path / 'history'}", "--window=0")

    assert found.status == 0
    assert "history of earlier runs" in found.stdout
