"""Health checks of clusters to which something happens between two of them."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lockdoctor.demo.etcd_server import EtcdServer
from tests.etcd_servers import EtcdServers
from tests.lock_clients import GoClient, eventually
from tests.scenarios.run_check import Checker, alarming, hold_without_renewal

pytestmark = [pytest.mark.etcd, pytest.mark.slow]

SHORT_S = "--max-hold=2s"
"""Older holds than that are leaked, where they are renewed."""


def reached(moment: float) -> Callable[[], bool]:
    return lambda: time.monotonic() > moment


@pytest.fixture
def own(etcd_binary: Path, tmp_path: Path) -> Iterator[EtcdServer]:
    """A server to which anything may happen."""
    with EtcdServer(tmp_path / "own", binary=etcd_binary) as server:
        yield server


@pytest.mark.go
def test_etcd_restarted_between_two_checks(
    own: EtcdServer, lockclient: Path, prefix: bytes, tmp_path: Path
) -> None:
    """A lease that outlives its deadline because etcd has set it back was not renewed."""
    checker = Checker(endpoint=own.endpoint, prefix=prefix, history=tmp_path / "history")
    with GoClient(lockclient, own.endpoint).start("leak", prefix + b"leak", ttl=9) as leak:
        leak.wait_for("locked")
        ends_at = hold_without_renewal(own.address, prefix, ttl_s=9)
        before = checker.here(SHORT_S)
        eventually(reached(ends_at - 3), within_s=20)  # the later, the longer it outlives its end
        own.kill()  # from 3.6 on an orderly stop waits for clients, and leases end meanwhile
        own.start()
        eventually(reached(ends_at), within_s=20)
        after = checker.here(SHORT_S)
        leaked = eventually(lambda: alarming(checker.here(SHORT_S)), within_s=30)

    assert (before.status, after.status) == (0, 0), after.stdout
    assert "locks=2;" in after.line
    assert leaked is not None
    assert f"1 leaked lock: {prefix.decode()}leak," in leaked.line


def test_leader_changed_between_two_checks(
    etcd_binary: Path, prefix: bytes, tmp_path: Path
) -> None:
    """A new leader's fresh TTLs are no renewals, however many runs saw them."""
    with EtcdServers(tmp_path / "three", binary=etcd_binary) as three:
        checker = Checker(
            endpoint=",".join(three.endpoints), prefix=prefix, history=tmp_path / "history"
        )
        ends_at = hold_without_renewal(three.members[0].address, prefix, ttl_s=6)
        before = checker.here(SHORT_S, "--format=json")
        seen = json.loads(before.stdout)["cluster"]
        leader = next(each for each in three.members if each.endpoint == seen["endpoint"])
        leader.kill()
        eventually(reached(ends_at), within_s=20)
        after = checker.here(SHORT_S, "--format=json")

    found = json.loads(after.stdout)
    assert (before.status, after.status) == (0, 0), after.stdout
    assert found["cluster"]["raft_term"] > seen["raft_term"]
    assert (len(found["locks"]), found["run"]["past_runs"]) == (1, 1)


def test_snapshot_restored_between_two_checks(
    own: EtcdServer, etcdctl: Path, prefix: bytes, tmp_path: Path
) -> None:
    """What is restored has the old keys and fresh leases: another past, another baseline."""
    checker = Checker(endpoint=own.endpoint, prefix=prefix, history=tmp_path / "history")
    snapshot = tmp_path / "snapshot.db"
    ends_at = hold_without_renewal(own.address, prefix, ttl_s=4)
    first = checker.here(SHORT_S)
    tool = [str(etcdctl), "--endpoints", own.endpoint, "snapshot"]
    subprocess.run([*tool, "save", str(snapshot)], check=True, capture_output=True, timeout=30)
    hold_without_renewal(own.address, prefix, ttl_s=4)  # so that the revision goes back
    second = checker.here(SHORT_S)
    own.stop()
    (own.folder / "data").rename(own.folder / "lost")
    member = [f"--name={own.name}", f"--initial-cluster={own.name}={own.peer_url}"]
    member += [f"--initial-advertise-peer-urls={own.peer_url}", f"--data-dir={own.folder / 'data'}"]
    restore = [*tool, "restore", str(snapshot), *member]
    subprocess.run(restore, check=True, capture_output=True, timeout=30)
    own.start()
    eventually(reached(ends_at), within_s=20)
    third = checker.here(SHORT_S)

    assert (first.status, second.status, third.status) == (0, 0, 0), third.stdout
    assert third.line.startswith(
        "LOCKDOCTOR OK - first run: 1 lock recorded; proof needs a later run"
    )


def test_etcd_that_answers_nothing(own: EtcdServer, prefix: bytes, tmp_path: Path) -> None:
    """The time-out holds for the whole check, and names what it was at; nobody waits longer."""
    checker = Checker(endpoint=own.endpoint, prefix=prefix, history=tmp_path / "history")
    textfile = tmp_path / "x.prom"
    own.freeze()
    try:
        found = checker.by_cron("--timeout=2s", "--dial-timeout=20s", f"--textfile={textfile}")
    finally:
        own.thaw()

    assert (found.status, found.stderr) == (3, "")
    assert found.stdout.count("\n") == 1
    assert "stopped by `--timeout 2s` while connecting to etcd" in found.line
    assert "\nlockdoctor_up 0.0\n" in textfile.read_text()
