"""Health checks of locks that leak and of locks that do not, with histories that fail."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from lockdoctor.clock import SystemClock
from lockdoctor.demo.etcd_server import EtcdServer
from lockdoctor.history.store import open_history
from tests.factories.history import a_clock
from tests.lock_clients import GoClient, eventually
from tests.scenarios.run_check import Checker, alarming, finished, hold_without_renewal

pytestmark = [pytest.mark.etcd, pytest.mark.slow]

TTL_S = 3
SHORT_S = "--max-hold=2s"
"""Older holds than that are leaked, where they are renewed."""


@pytest.fixture
def checker(etcd: EtcdServer, prefix: bytes, tmp_path: Path) -> Checker:
    """Checks a prefix of the shared server; what others leave there is not looked at."""
    return Checker(endpoint=etcd.endpoint, prefix=prefix, history=tmp_path / "history.sqlite3")


@pytest.mark.go
def test_two_checks_apart_prove_the_leak(checker: Checker, go: GoClient, tmp_path: Path) -> None:
    """
    The first check takes the baseline, a later one proves the leak, with one look at each lease.

    The one after it says since when the leak stands, and one with an acceptance does not alarm.
    """
    textfile = tmp_path / "lockdoctor.prom"
    flags = (SHORT_S, "--no-sessions", f"--textfile={textfile}")
    name = checker.prefix + b"orders"
    with go.start("leak", name, ttl=TTL_S) as leak:
        (lost,) = leak.wait_for("locked")
        with go.start("wait", name, ttl=TTL_S) as waiter:
            waiter.wait_for("session")
            first = checker.by_cron(*flags)
            second = eventually(lambda: alarming(checker.here(*flags)), within_s=30)
            third = checker.by_cron(*flags)
            accepted = checker.here(*flags, f"--config={an_acceptance(tmp_path, name)}")

    assert (first.status, first.stderr) == (0, "")
    assert first.line.startswith("LOCKDOCTOR OK - first run: 1 lock recorded; proof needs a later")
    assert second is not None
    assert (second.status, second.stderr) == (2, ""), second.stdout
    assert "CRITICAL - 1 leaked lock blocks 1 waiter:" in second.line
    assert lost["lease"] in second.line
    assert " lookups=2;" in second.line
    assert third.status == 2
    assert ", since 20" in third.line
    assert "\nlockdoctor_up 1.0\n" in textfile.read_text()
    assert (accepted.status, "Accepted until 2999-12-31" in accepted.stdout) == (0, True)


def an_acceptance(folder: Path, name: bytes) -> Path:
    file = folder / "accept.toml"
    file.write_text(
        f'[[accept]]\nlock = "{name.decode()}"\nverdict = "leaked-lock"\nuntil = 2999-12-31\n'
        'reason = "known"\n'
    )
    return file


@pytest.mark.go
def test_fifty_checks_of_a_healthy_worker(checker: Checker, go: GoClient) -> None:
    """A worker that takes the same key with the same lease all the time is never called leaked."""
    with go.start("work", checker.prefix + b"job", ttl=2, hold="150ms", pause="50ms") as worker:
        worker.wait_for("locked")
        found = [checker.here(SHORT_S, "--no-sessions") for _ in range(48)]
        found += [checker.by_cron(SHORT_S, "--no-sessions") for _ in range(2)]
        worker.wait_for("locked", 20)

    assert {checked.status for checked in found} == {0}, [each.line for each in found]


def test_two_checks_at_once(checker: Checker) -> None:
    """Neither stands in the other's way, and both are kept."""
    together = [checker.started("--no-sessions") for _ in range(2)]
    found = [finished(each) for each in together]

    assert [(each.status, each.stderr) for each in found] == [(0, "")] * 2, found
    assert past_runs(checker) == 2


def past_runs(checker: Checker) -> int:
    """Ask another check how many it builds on."""
    document = json.loads(checker.here("--no-sessions", "--format=json").stdout)
    return int(document["run"]["past_runs"])


def a_damaged_history(path: Path) -> None:
    a_newer_history(path)
    path.write_bytes(path.read_bytes()[:100] + b"damage" * 1000)


def a_newer_history(path: Path) -> None:
    with open_history(path, a_clock()):
        pass
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 999")


def test_damaged_history(checker: Checker) -> None:
    """It is set aside and said so; the check begins anew and is well."""
    a_damaged_history(checker.history)
    found = checker.here("--no-sessions")

    assert (found.status, found.stderr) == (0, "")
    assert found.line.startswith("LOCKDOCTOR OK - first run: 0 locks recorded;")
    assert "\nNote: the history " in found.stdout
    assert ".corrupt-" in found.stdout
    assert past_runs(checker) == 1


def test_history_that_cannot_be_used(checker: Checker, etcd: EtcdServer) -> None:
    """The cluster is examined all the same; without a memory the check cannot vouch for it."""
    a_newer_history(checker.history)
    hold_without_renewal(etcd.address, checker.prefix, ttl_s=60)
    found = checker.here("--no-sessions")

    assert (found.status, found.stderr) == (3, "")
    assert found.line.startswith(
        "LOCKDOCTOR UNKNOWN - could not examine history of earlier runs (The history "
    )
    assert "1 lock read once; proof needs a history of earlier runs" in found.line
    assert " locks=1;" in found.line


def test_history_on_a_full_disk(checker: Checker, small_disk: Path) -> None:
    """What cannot be stored is told; what was stored serves again once there is room."""
    on_disk = Checker(
        endpoint=checker.endpoint, prefix=checker.prefix, history=small_disk / "history"
    )
    filler = small_disk / "filler"
    first = on_disk.here("--no-sessions")
    with filler.open("wb", buffering=0) as out, contextlib.suppress(OSError):
        while True:
            out.write(b"x" * 1024)
    full = on_disk.here("--no-sessions")
    filler.unlink()
    after = on_disk.here("--no-sessions")

    assert (first.status, full.status, after.status) == (0, 3, 0), full.stdout
    assert "could not examine " in full.line
    assert past_runs(on_disk) == 2


@pytest.mark.go
@pytest.mark.parametrize("step_s", [86_400.0, -86_400.0])
def test_wall_clock_stepped_between_two_checks(
    checker: Checker, go: GoClient, step_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day more or less on the wall makes no hold older, and hides no leak."""
    if SystemClock().mark().boot_id is None:
        pytest.skip("this system does not name its boots")
    off = vars(time) | {"time": lambda: time.time() + step_s}
    with go.start("leak", checker.prefix + b"orders", ttl=2) as leak:
        leak.wait_for("locked")
        first = checker.here("--no-sessions")
        # seen by our clock alone: gRPC reads the wall clock for its deadlines
        monkeypatch.setattr("lockdoctor.clock.time", SimpleNamespace(**off))
        patient = checker.here("--no-sessions", "--max-hold=1h")
        strict = eventually(lambda: alarming(checker.here("--no-sessions", SHORT_S)), within_s=30)

    assert (first.status, patient.status) == (0, 0), patient.stdout
    assert strict is not None
    assert "held at least" in strict.line
    assert " day" not in strict.line
