"""`--verbose`: a line for each call to etcd, and no secret in any of them."""

from __future__ import annotations

import asyncio
import base64
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc.aio
import pytest

from lockdoctor.cli.main import main
from lockdoctor.demo.etcd_server import EtcdServer
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.errors import AccessDeniedError
from lockdoctor.etcd.connection.call_log import LOG, logged_channel
from lockdoctor.etcd.connection.endpoints import Endpoint, parse_endpoint
from lockdoctor.etcd.protos import rpc
from tests.etcd.connections import connected, writing
from tests.eventually import run
from tests.folders import ROOT

pytestmark = pytest.mark.etcd

PASSWORD, VALUE = "root-secret", b"value-secret"
PREFIX = b"/may/"
LINE = re.compile(
    r"lockdoctor: (?P<method>[A-Z]\w*/\w+(?: x \d+)?|GET /version) at 127\.0\.0\.1:\d+: "
    r"(?P<outcome>[\w, ]+) after \d+\.\d ms"
)


@pytest.fixture(scope="module")
def guarded(etcd_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EtcdServer]:
    """A server with users."""
    with EtcdServer(tmp_path_factory.mktemp("guarded"), binary=etcd_binary) as server:
        run(_appoint(server))
        yield server


async def _appoint(server: EtcdServer) -> None:
    async with writing(server.address) as writer:
        await writer.allow("root", PASSWORD, None)
        await writer.allow("reader", PASSWORD, PREFIX)
        await writer.demand_users()


async def _token(server: EtcdServer) -> str:
    async with writing(server.address) as writer:
        request = rpc.AuthenticateRequest(name="root", password=PASSWORD)
        return str((await writer.auth.Authenticate(request)).token)


async def _hold(server: EtcdServer, token: str) -> LeaseId:
    async with writing(server.address, token) as writer:
        lease_id = await writer.grant(600)
        await writer.put(b"%sorders/%x" % (PREFIX, lease_id), VALUE, lease_id)
        return lease_id


def lockdoctor(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lockdoctor", *words],
        env=os.environ | {"XDG_STATE_HOME": str(folder), "PYTHONPATH": str(ROOT)},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def calls(stderr: str) -> dict[str, str]:
    """Return the outcome of each method that was logged; the last one counts."""
    found = map(LINE.fullmatch, stderr.splitlines())
    return {match["method"]: match["outcome"] for match in found if match}


def test_each_call_is_a_line_and_no_line_has_a_secret(guarded: EtcdServer, tmp_path: Path) -> None:
    """Reads and writes of whole runs: no password, token, value, user or key, in no encoding."""
    token = run(_token(guarded))
    lease_id = run(_hold(guarded, token))
    file = tmp_path / "token"
    file.write_text(token)
    where = ("--endpoints", guarded.endpoint)
    as_root = (*where, "--user", "root", "--password", PASSWORD)
    target = [f"{lease_id:x}", "--prefix", PREFIX.decode(), "--window=0", "--yes"]
    target += ["--even-if-healthy", "--kind", "lock"]
    with_token = (
        "scan",
        "--prefix",
        PREFIX.decode(),
        "--window=1s",
        "--auth-token-file",
        str(file),
    )

    scan = lockdoctor(tmp_path, *with_token, *where, "-v")
    revoke = lockdoctor(tmp_path, "--verbose", "revoke", *target, *as_root)
    entry = next(tmp_path.rglob("journal.jsonl")).read_text().split('"entry":"')[1][:12]
    restore = lockdoctor(tmp_path, "journal", "restore", entry, "--yes", *as_root, "-v")
    wrong = lockdoctor(tmp_path, *with_token[:4], *where, "--user", "root:wrong-secret", "-v")

    assert [each.returncode for each in (scan, revoke, restore, wrong)] == [0, 0, 0, 3]
    assert calls(scan.stderr)["KV/Range"] == "OK"
    assert calls(scan.stderr)["Watch/Watch"] == "CANCELLED"
    assert calls(scan.stderr)["Lease/LeaseTimeToLive x 1"] == "1 OK"
    assert calls(revoke.stderr)["Auth/Authenticate"] == "OK"
    assert calls(revoke.stderr)["Lease/LeaseRevoke"] == "OK"
    assert calls(restore.stderr)["KV/Txn"] == "OK"
    assert calls(wrong.stderr)["Auth/Authenticate"] == "INVALID_ARGUMENT"

    secrets = [PASSWORD, "wrong-secret", token, VALUE.decode(), VALUE.hex()]
    secrets += [base64.b64encode(text.encode()).decode().rstrip("=") for text in secrets]
    private = [*secrets, f"{lease_id:x}", "orders", "root"]
    for done in (scan, revoke, restore, wrong):
        lines = [line for line in done.stderr.splitlines() if " ms" in line]
        assert len(lines) >= 2
        assert all(LINE.fullmatch(line) for line in lines)
        assert not [secret for secret in secrets if secret in done.stderr]
        assert not [line for line in lines for each in private if each in line]
    assert VALUE.decode() not in scan.stdout + revoke.stdout + restore.stdout


def test_without_the_flag_no_call_is_logged(guarded: EtcdServer, tmp_path: Path) -> None:
    """Neither by default nor with --debug, which shows failures alone."""
    words = ("scan", "--prefix", "/may/", "--window=0", "--endpoints", guarded.endpoint)
    user = ("--user", "root", "--password", PASSWORD)

    assert calls(lockdoctor(tmp_path, *words, *user).stderr) == {}
    assert calls(lockdoctor(tmp_path, *words, *user, "--debug").stderr) == {}


def test_off_it_is_not_in_the_way(guarded: EtcdServer) -> None:
    """The services of a member call gRPC's own channel."""

    async def story() -> None:
        async with grpc.aio.insecure_channel(guarded.address) as channel:
            endpoint = parse_endpoint(guarded.address, bare_uses_tls=False)
            assert logged_channel(channel, endpoint) is channel

    run(story())


def test_look_ups_are_one_line_a_batch(
    etcd: EtcdServer, prefix: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """However many there are; those of gRPC's own client are a line each."""

    async def story() -> None:
        async with writing(etcd.address) as writer:
            lease_id = await writer.grant(600)
            await writer.put(prefix + b"key", VALUE, lease_id)
        for is_pipelined in (True, False):
            async with connected(etcd.endpoint, is_pipelined=is_pipelined) as cluster:
                caplog.clear()
                ids = [lease_id] * 300
                assert len([r async for r in cluster.read_leases(ids, with_keys=True)]) == 300
            lines = [record.getMessage() for record in caplog.records if record.name == LOG.name]
            look_ups = [line for line in lines if line.startswith("Lease/LeaseTimeToLive")]
            if is_pipelined:
                (line,) = look_ups
                assert re.match(r"Lease/LeaseTimeToLive x 300 at [\d.:]+: 300 OK after ", line)
            else:
                assert len(look_ups) == 300

    with caplog.at_level(logging.INFO, logger=LOG.name):
        run(story())


def test_a_refusal_is_an_outcome(guarded: EtcdServer, caplog: pytest.LogCaptureFixture) -> None:
    """By its gRPC status alone: what a server says may repeat what it was told."""

    async def story() -> None:
        async with connected(guarded.endpoint, user="reader", password=PASSWORD) as cluster:
            with pytest.raises(AccessDeniedError):
                await cluster.keys(b"/not-for-the-reader/")

    with caplog.at_level(logging.INFO, logger=LOG.name):
        run(story())
    assert any(
        re.fullmatch(r"KV/Range at [\d.:]+: PERMISSION_DENIED after [\d.]+ ms", each.getMessage())
        for each in caplog.records
    )
    assert "reader" not in caplog.text


def test_a_password_in_an_endpoint_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The line names host and port, whatever URL a person has written."""

    async def story() -> None:
        async def answers(*_: object, **__: object) -> int:
            await asyncio.sleep(0)
            return 7

        class Channel:
            def unary_unary(self, *_: object, **__: object) -> object:
                return answers

        endpoint = Endpoint("https://ops:hunter2@10.0.0.1:2379", "10.0.0.1", 2379, uses_tls=True)
        ask = logged_channel(Channel(), endpoint).unary_unary("/etcdserverpb.KV/Range")
        assert await ask(rpc.RangeRequest(key=b"secret"), metadata=[("token", "hunter2")]) == 7

    with caplog.at_level(logging.INFO, logger=LOG.name):
        run(story())
    (record,) = caplog.records
    assert record.getMessage().startswith("KV/Range at 10.0.0.1:2379: OK after ")


def test_the_flag_may_stand_anywhere_but_behind_two_dashes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What stands behind `--` is an argument."""
    assert main(["explain", "--", "-v"]) == 2
    assert capsys.readouterr().err.startswith("lockdoctor: '-v' is not a verdict. ")
