"""`lockdoctor scan` against a real etcd: status, streams, and how it ends early."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path

import grpc.aio
import pytest

from lockdoctor.cli.main import main
from lockdoctor.demo.etcd_server import EtcdServer
from tests.etcd.connections import watchers
from tests.etcd.etcd_writer import Writer
from tests.folders import ROOT
from tests.lock_clients import eventually

pytestmark = [pytest.mark.etcd]

ETERNAL = b"lock/694d71ddacfda227"
"""A key like those of Go's mutex, which has lost its lease: it holds up those behind it."""

SLOW_TTL_S = 900
"""Cannot be decided within any window of these tests."""


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the configuration of whoever runs the tests out of them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@pytest.fixture
def snapshot(etcd: EtcdServer, prefix: bytes) -> list[str]:
    """Give the words of a scan that ends at once."""
    return ["scan", "--endpoints", etcd.endpoint, "--prefix", prefix.decode(), "--window", "0"]


def put(etcd: EtcdServer, key: bytes, ttl_s: int | None = None) -> None:
    """Write a key, with a lease of its own where a TTL is given."""

    async def write() -> None:
        async with grpc.aio.insecure_channel(etcd.address) as channel:
            writer = Writer(channel)
            lease_id = 0 if ttl_s is None else await writer.grant(ttl_s)
            await writer.put(key % lease_id if b"%x" in key else key, lease_id=lease_id)

    asyncio.run(write())


def put_eternal_lock(etcd: EtcdServer, prefix: bytes) -> None:
    """Write a lock key without a lease, and the key of one that waits behind it."""
    put(etcd, prefix + ETERNAL)
    put(etcd, prefix + b"lock/%x", 60)


def start_watching(etcd: EtcdServer, prefix: bytes, *flags: str) -> subprocess.Popen[str]:
    """Start a scan that has a reason to go on for an hour."""
    put(etcd, prefix + b"lock/%x", SLOW_TTL_S)
    words = ["scan", "--endpoints", etcd.endpoint, "--prefix", prefix.decode(), "--window", "1h"]
    return subprocess.Popen(
        [sys.executable, "-m", "lockdoctor", *words, *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_nothing_found_is_0(snapshot: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A prefix without locks is 0, and off a terminal stderr stays empty."""
    assert main([*snapshot, "--format", "json"]) == 0

    out, err = capsys.readouterr()
    assert json.loads(out)["findings"] == []
    assert err == ""


def test_findings_are_1(
    etcd: EtcdServer,
    prefix: bytes,
    snapshot: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A finding is 1, in the table as in the document."""
    put_eternal_lock(etcd, prefix)

    assert main([*snapshot, "--format", "json"]) == 1
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert finding["verdict"] == "eternal-lock"

    assert main(snapshot) == 1
    assert "eternal-lock" in capsys.readouterr().out


def test_everything_from_the_file(
    etcd: EtcdServer, prefix: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a configuration file `lockdoctor scan` needs no flag, and a rule to ignore holds."""
    put_eternal_lock(etcd, prefix)
    put_eternal_lock(etcd, prefix + b"mine/")
    name = prefix.decode()
    Path("lockdoctor.toml").write_text(
        f"""
        [clusters.test]
        endpoints = ["{etcd.endpoint}"]
        [[prefix]]
        prefix = "{name}"
        [[prefix]]
        prefix = "{name}mine/"
        kind = "ignore"
        """
    )

    assert main(["scan", "--cluster", "test", "--window", "0", "--format", "json"]) == 1
    locks = json.loads(capsys.readouterr().out)["locks"]
    assert [lock["name"] for lock in locks] == [f"{name}lock"]


def test_scans_remember_one_another(
    snapshot: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a flag a scan builds on the one before it, in the XDG state folder."""
    as_json = [*snapshot, "--format", "json"]
    past_runs = []
    for words in (as_json, as_json, [*as_json, "--no-history"], as_json):
        assert main(words) == 0
        past_runs.append(json.loads(capsys.readouterr().out)["run"]["past_runs"])

    assert past_runs == [0, 1, None, 2]


def test_no_place_for_a_history_is_only_told(
    snapshot: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A user without a home gets a whole scan; what is missing stands at its end."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))

    assert main(snapshot) == 0
    out, err = capsys.readouterr()
    assert out.startswith("No locks found\n")
    assert "\n  - history of earlier runs: The history" in out
    assert err == ""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_brings_a_partial_report_and_130(
    etcd: EtcdServer, prefix: bytes, number: signal.Signals
) -> None:
    """Ctrl-C ends a scan with a report of what was seen until then."""
    before = watchers(etcd)
    running = start_watching(etcd, prefix, "--format", "json")
    eventually(lambda: watchers(etcd) > before, within_s=30)

    running.send_signal(number)
    out, err = running.communicate(timeout=30)

    assert running.returncode == 130
    assert err == ""
    document = json.loads(out)
    assert document["run"]["partial"]
    assert len(document["locks"]) == 1


@pytest.mark.slow
def test_out_of_time_is_not_nothing_found(etcd: EtcdServer, prefix: bytes) -> None:
    """A scan cut short by its time-out reports what it saw, and is 3 where that is no finding."""
    running = start_watching(etcd, prefix, "--format", "json", "--timeout", "5s", "--max-ttl", "1h")

    out, err = running.communicate(timeout=30)

    assert running.returncode == 3
    assert err == ""
    assert "--timeout 5s" in json.dumps(json.loads(out)["run"])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_report_that_cannot_be_written_is_3(snapshot: list[str]) -> None:
    """A full disk is told in one sentence."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "lockdoctor", *snapshot],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )

    assert done.returncode == 3
    assert done.stderr == (
        "lockdoctor: Cannot write the report to standard output: No space left on device.\n"
    )
