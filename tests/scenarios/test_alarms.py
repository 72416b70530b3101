"""Every command on an etcd that has raised an alarm: full, or with members that disagree."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import grpc.aio
import pytest

from lockdoctor.demo.etcd_server import EtcdServer
from lockdoctor.domain.selfcheck.etcd_versions import Version, parse_version
from lockdoctor.etcd.protos import rpc, stubs
from tests.etcd.connections import connected, writing
from tests.etcd.etcd_writer import Writer
from tests.eventually import run
from tests.scenarios.run_revoke import Operator
from tests.scenarios.run_scan import PROGRAM

pytestmark = [pytest.mark.etcd, pytest.mark.slow]

PREFIX = "/my-lock/"
QUOTA_BYTES = 2_000_000
DELETES_WHEN_FULL = Version(3, 5, 7)
"""Older ones may refuse a transaction that only deletes. Source: Available in etcd's quota.go."""


@pytest.fixture(scope="module")
def full(etcd_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EtcdServer]:
    """A server with a lock, whose database is full."""
    folder, flags = tmp_path_factory.mktemp("full"), [f"--quota-backend-bytes={QUOTA_BYTES}"]
    with EtcdServer(folder, binary=etcd_binary, flags=flags) as server:
        run(_take(server, b"orders", b"stock"))
        run(_fill(server))
        yield server


@pytest.fixture(scope="module")
def damaged(etcd_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EtcdServer]:
    """A server with a lock, and with the alarm for members that disagree."""
    with EtcdServer(tmp_path_factory.mktemp("damaged"), binary=etcd_binary) as server:
        run(_take(server, b"orders", b"stock"))
        run(_raise_corrupt(server))
        yield server


async def _take(server: EtcdServer, *names: bytes) -> None:
    async with writing(server.address) as writer:
        for name in names:
            lease = await writer.grant(600)
            await writer.put(PREFIX.encode() + name + b"/%x" % lease, lease_id=lease)


async def _fill(server: EtcdServer) -> None:
    """Write until etcd refuses it: it notices its own size with a delay."""
    async with writing(server.address) as writer:
        for number in range(1000):
            if not await _is_taken(writer, b"/full/%d" % number):
                return
    pytest.fail("it takes far more than its quota")


async def _is_taken(writer: Writer, key: bytes) -> bool:
    try:
        await writer.put(key, b"x" * 300_000)
    except grpc.aio.AioRpcError as error:
        if "database space exceeded" in str(error.details()):
            return False
        raise
    return True


async def _raise_corrupt(server: EtcdServer) -> None:
    async with grpc.aio.insecure_channel(server.address) as channel:
        request = rpc.AlarmRequest(action=rpc.AlarmRequest.ACTIVATE, alarm=2, memberID=0xABC)
        await stubs.MaintenanceStub(channel).Alarm(request)


async def _holder(server: EtcdServer, name: str) -> str | None:
    async with connected(server.endpoint) as cluster:
        keys = (await cluster.keys(f"{PREFIX}{name}/".encode())).keys
        return keys[0].key.decode() if keys else None


async def _version(server: EtcdServer) -> Version:
    async with connected(server.endpoint) as cluster:
        found = parse_version((await cluster.status()).version)
        assert found is not None
        return found


def lockdoctor(server: EtcdServer, folder: Path, *words: str) -> tuple[int, str]:
    command, *others = words
    done = subprocess.run(
        [*PROGRAM, command, "--endpoints", server.endpoint, f"--history={folder / 'h'}", *others],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout


@pytest.mark.parametrize("alarm", ["NOSPACE", "CORRUPT"])
def test_who_reads_sees_it_first(
    full: EtcdServer, damaged: EtcdServer, alarm: str, tmp_path: Path
) -> None:
    """Scan, check, show and selfcheck; reading works on, whatever the alarm."""
    server = full if alarm == "NOSPACE" else damaged
    below, textfile = f"--prefix={PREFIX}", tmp_path / "lockdoctor.prom"

    status, out = lockdoctor(server, tmp_path, "scan", below, "--window=0")
    assert (status, out.split(" (")[0]) == (1, f"etcd alarm {alarm}")
    assert "2 locks below" in out

    status, out = lockdoctor(server, tmp_path, "check", below, f"--textfile={textfile}")
    assert status == 2
    assert out.startswith(f"LOCKDOCTOR CRITICAL - etcd alarm {alarm} (member ")
    gauges = textfile.read_text()
    for name in ("NOSPACE", "CORRUPT"):
        assert f'lockdoctor_etcd_alarm{{alarm="{name}"}} {float(name == alarm)}' in gauges

    status, out = lockdoctor(server, tmp_path, "show", f"{PREFIX}stock", "--window=0")
    assert (status, out.split(" (")[0]) == (1, f"etcd alarm {alarm}")

    status, out = lockdoctor(server, tmp_path, "selfcheck", below)
    assert (status, out.split(" (")[0]) == (1, f"1 problem: cluster: etcd alarm {alarm}")

    _, out = lockdoctor(server, tmp_path, "scan", below, "--window=0", "--format=json")
    (told,) = json.loads(out)["cluster"]["alarms"]
    assert told["alarm"] == alarm
    assert int(told["member"], 16)


def test_a_quarantine_is_refused_while_etcd_is_full(full: EtcdServer, tmp_path: Path) -> None:
    """It would grant a lease and write; nothing is sent to etcd."""
    key = run(_holder(full, "orders"))
    assert key is not None
    found = Operator(tmp_path, full.endpoint).revoke(*_words(key, "quarantine"))

    assert (found.status, found.refused) == (1, ["alarm-forbids"])
    assert found.planned == []
    assert found.document["plan"]["alarms"][0]["alarm"] == "NOSPACE"
    assert run(_holder(full, "orders")) == key


@pytest.mark.parametrize(("how", "name"), [("release", "orders"), ("revoke", "stock")])
def test_freeing_works_while_etcd_is_full(
    full: EtcdServer, how: str, name: str, tmp_path: Path
) -> None:
    """A deletion makes nothing larger; where an old etcd refuses it, that is said and no more."""
    key = run(_holder(full, name))
    assert key is not None
    found = Operator(tmp_path, full.endpoint).revoke(*_words(key, how))
    (target,) = found.targets

    if target["result"] == "failed":
        assert run(_version(full)) < DELETES_WHEN_FULL
        assert "database space exceeded" in target["failure"]
        assert run(_holder(full, name)) == key
    else:
        assert (found.status, target["result"]) == (0, "done")
        assert run(_holder(full, name)) is None


@pytest.mark.parametrize("how", ["release", "revoke", "quarantine"])
def test_nothing_is_planned_where_members_disagree(
    damaged: EtcdServer, how: str, tmp_path: Path
) -> None:
    """This etcd refuses every write."""
    key = run(_holder(damaged, "orders"))
    assert key is not None
    found = Operator(tmp_path, damaged.endpoint).revoke(*_words(key, how))

    assert (found.status, found.refused) == (1, ["alarm-forbids"])
    assert run(_holder(damaged, "orders")) == key


def test_a_saved_plan_is_certainly_not_carried_out(etcd_binary: Path, tmp_path: Path) -> None:
    """The alarm came after the plan: etcd's refusal is certain, and no outcome is unknown."""
    with EtcdServer(tmp_path / "etcd", binary=etcd_binary) as server:
        run(_take(server, b"orders"))
        key = run(_holder(server, "orders"))
        assert key is not None
        operator, plan = Operator(tmp_path, server.endpoint), str(tmp_path / "plan")
        words = [word for word in _words(key, "revoke") if word != "--yes"]
        assert operator.revoke(*words, f"--plan={plan}").status == 0
        run(_raise_corrupt(server))
        found = operator.revoke(f"--from-plan={plan}", "--yes")

        (target,) = found.targets
        assert (found.status, target["result"]) == (1, "failed")
        assert "corrupt cluster" in target["failure"]
        assert run(_holder(server, "orders")) == key


def _words(key: str, how: str) -> list[str]:
    return [
        *("--lock-key", key, f"--prefix={PREFIX}", "--window=0", "--even-if-healthy", "--yes"),
        *("--how", how),
    ]
