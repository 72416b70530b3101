"""
Every command with the least role that it needs, whatever etcd keeps for root.

A member stands in between that shows its status and its members to root alone, as etcd 3.4.42 to
3.4.45, 3.5.28 to 3.5.31 and 3.6.0 to 3.6.11 do; `make test-matrix` runs this on real ones, too.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lockdoctor.demo.etcd_server import EtcdServer
from lockdoctor.outputs.text.suggested_commands import role_commands
from tests.etcd.connections import connected, writing
from tests.etcd.guarded_member import ALARM, ONLY_FOR_ROOT, guarded_member
from tests.eventually import run
from tests.scenarios.run_revoke import Run
from tests.scenarios.run_scan import PROGRAM

pytestmark = [pytest.mark.etcd, pytest.mark.slow]

PREFIX = b"/my-lock/"
NAME = "/my-lock/orders"
READER = ("lockdoctor", "reads")
WRITER = ("freer", "writes")
STRANGER = ("stranger", "knows-nothing")

FRONTS = {
    "as it is": None,
    "status for root": ONLY_FOR_ROOT,
    "all for root": ONLY_FOR_ROOT | {ALARM, "/etcdserverpb.Lease/LeaseLeases"},
}
"""What the member in between keeps for root; None for none in between."""

DENIED = {
    "status for root": "leader, etcd version, member list",
    "all for root": "leader, etcd version, alarms, member list",
}


@pytest.fixture(scope="module")
def guarded(
    etcd_binary: Path, etcdctl: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EtcdServer]:
    """A server that demands users, with the very role that selfcheck prints, and a held lock."""
    with EtcdServer(tmp_path_factory.mktemp("guarded"), binary=etcd_binary) as server:
        run(_appoint(server))
        for command in role_commands([PREFIX]):
            _typed(
                command.replace("user add lockdoctor", f"user add {':'.join(READER)}"),
                etcdctl,
                server,
            )
        run(_demand_users(server))
        yield server


async def _appoint(server: EtcdServer) -> None:
    async with writing(server.address) as writer:
        for (name, password), prefix, may in (
            (WRITER, PREFIX, "READWRITE"),
            (STRANGER, b"/elsewhere/", "READ"),
        ):
            await writer.allow(name, password, prefix, may=may)
        lease = await writer.grant(600)
        await writer.put(NAME.encode() + b"/%x" % lease, lease_id=lease)


async def _demand_users(server: EtcdServer) -> None:
    async with writing(server.address) as writer:
        await writer.allow("root", "root", None)
        await writer.demand_users()


def _typed(command: str, etcdctl: Path, server: EtcdServer) -> None:
    """Run a command line in bash, as an operator would who copies it."""
    script = f'etcdctl() {{ {shlex.quote(str(etcdctl))} --endpoints={server.endpoint} "$@"; }}\n'
    done = subprocess.run(
        ["bash", "-c", script + command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stderr}"


@pytest.fixture(params=FRONTS)
def front(request: pytest.FixtureRequest) -> str:
    """What stands in between."""
    name: str = request.param
    return name


@asynccontextmanager
async def _endpoint(server: EtcdServer, front: str) -> AsyncIterator[str]:
    only_for_root = FRONTS[front]
    if only_for_root is None:
        yield server.endpoint
        return
    async with guarded_member(server.address, only_for_root) as (endpoint, member):
        yield endpoint
        assert member.denied


def lockdoctor(
    server: EtcdServer, front: str, folder: Path, user: tuple[str, str], *words: str
) -> Run:
    """Run a command in a process of its own, while the member in between serves it."""
    state = {"XDG_STATE_HOME": str(folder), "LOCKDOCTOR_JOURNAL": str(folder / "journal")}

    async def story() -> Run:
        async with _endpoint(server, front) as endpoint:
            process = await asyncio.create_subprocess_exec(
                *(*PROGRAM, *words, "--endpoints", endpoint, "--user", ":".join(user)),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=os.environ | state,
            )
            out, err = await process.communicate()
        assert b"Traceback" not in err
        return Run(status=process.returncode or 0, stdout=out.decode(), stderr=err.decode())

    return run(story())


def _says_what_is_not_seen(notes: list[str], front: str, server: EtcdServer) -> None:
    if front in DENIED:
        assert f"This etcd user may not see: {DENIED[front]}." in notes
    else:  # it depends on the release
        assert len([note for note in notes if "may not see" in note]) <= 1, server


def test_scan(guarded: EtcdServer, front: str, tmp_path: Path) -> None:
    """The lock is seen, and one line says what is not."""
    words = ("scan", "--prefix", "/my-lock/", "--window=5s", "--format=json")
    found = lockdoctor(guarded, front, tmp_path, READER, *words)

    assert found.status == 0, found.stderr
    (lock,) = found.document["locks"]
    assert lock["name"] == NAME
    assert lock["holder"]["granted_ttl_s"] == 600
    assert int(found.document["cluster"]["cluster_id"], 16)
    assert found.document["cluster"]["raft_term"] > 0
    assert found.document["cluster"]["revision"] > 0
    _says_what_is_not_seen(found.document["notes"], front, guarded)


def test_check_twice(guarded: EtcdServer, front: str, tmp_path: Path) -> None:
    """OK, and the second run builds on the first: the cluster is told from its headers."""
    words = ("check", "--prefix", "/my-lock/", "--format=json")
    first = lockdoctor(guarded, front, tmp_path, READER, *words)
    second = lockdoctor(guarded, front, tmp_path, READER, *words)

    assert (first.status, second.status) == (0, 0), first.stderr + second.stderr
    assert second.document["run"]["past_runs"] == 1
    assert second.document["locks"][0]["name"] == NAME
    _says_what_is_not_seen(second.document["notes"], front, guarded)


def test_show(guarded: EtcdServer, front: str, tmp_path: Path) -> None:
    """By the lock's name."""
    words = ("show", NAME, "--window=0", "--format=json")
    found = lockdoctor(guarded, front, tmp_path, READER, *words)

    assert found.status == 0, found.stderr
    assert found.document["locks"][0]["name"] == NAME


def test_selfcheck(guarded: EtcdServer, front: str, tmp_path: Path) -> None:
    """What only root may see is a note, and the status stays 0."""
    words = ("selfcheck", "--prefix", "/my-lock/", "--format=json")
    found = lockdoctor(guarded, front, tmp_path, READER, *words)

    assert found.status == 0, found.stdout + found.stderr
    remarks = {each["about"]: each for each in found.document["remarks"]}
    assert remarks["read the keys"]["state"] == "ok"
    if front in DENIED:
        assert remarks["see the cluster"]["state"] == "note"
        assert DENIED[front] in remarks["see the cluster"]["text"]


def test_revoke(guarded: EtcdServer, front: str, tmp_path: Path) -> None:
    """A user who may write the prefix frees a lock, by its key and by its lease."""
    for name in ("key", "lease"):
        key, lease = run(_take(guarded, f"{NAME}-{name}".encode()))
        what = ["--lock-key", key] if name == "key" else [lease]
        words = (
            "revoke",
            *what,
            "--prefix=/my-lock/",
            "--window=0",
            "--even-if-healthy",
            "--yes",
            "--format=json",
        )
        found = lockdoctor(guarded, front, tmp_path, WRITER, *words)

        assert found.status == 0, found.stdout + found.stderr
        assert [target["result"] for target in found.targets] == ["done"]
        assert key not in run(_keys(guarded))


def test_undo_and_restore(guarded: EtcdServer, front: str, tmp_path: Path) -> None:
    """What was put into quarantine comes back, and so does what was deleted."""
    key, _ = run(_take(guarded, f"{NAME}-restored".encode()))
    words = ("--lock-key", key, "--prefix=/my-lock/", "--even-if-healthy", "--yes")
    more = ("--window=0", "--format=json")

    def entry(how: str) -> str:
        found = lockdoctor(guarded, front, tmp_path, WRITER, "revoke", "--how", how, *words, *more)
        assert found.status == 0, found.stdout + found.stderr
        told: str = found.targets[0]["entry"]
        return told

    undone = lockdoctor(
        guarded, front, tmp_path, WRITER, "revoke", "--undo", entry("quarantine"), "--yes"
    )
    assert undone.status == 0, undone.stdout + undone.stderr
    restored = lockdoctor(
        guarded, front, tmp_path, WRITER, "journal", "restore", entry("release"), "--yes"
    )
    assert restored.status == 0, restored.stdout + restored.stderr
    assert key in run(_keys(guarded))


async def _take(server: EtcdServer, name: bytes) -> tuple[str, str]:
    async with connected(server.endpoint, user="root", password="root") as root:
        token = root.connection.new_attempt("write").token
        async with writing(server.address, token) as writer:
            lease = await writer.grant(600)
            await writer.put(name + b"/%x" % lease, lease_id=lease)
            return f"{name.decode()}/{lease:x}", f"{lease:016x}"


async def _keys(server: EtcdServer) -> list[str]:
    async with connected(server.endpoint, user="root", password="root") as root:
        return [key.key.decode() for key in (await root.keys(b"/")).keys]


@pytest.mark.parametrize("command", ["scan", "check"])
def test_a_user_who_may_not_read_the_prefix(
    guarded: EtcdServer, front: str, command: str, tmp_path: Path
) -> None:
    """The sentence names the user, the prefix and the permission that is wanted."""
    found = lockdoctor(guarded, front, tmp_path, STRANGER, command, "--prefix=/my-lock/")

    assert found.status == 3
    grant = "Run: `etcdctl role grant-permission ROLE read --prefix -- /my-lock/`"
    assert f"etcd user 'stranger' may not read '/my-lock/'. {grant}" in found.stdout + found.stderr


@pytest.mark.parametrize("front", DENIED)
def test_no_user(guarded: EtcdServer, front: str) -> None:
    """It is said that one is missing; tests/etcd/test_auth.py has it of a member as it is."""

    async def story() -> tuple[int | None, bytes]:
        async with _endpoint(guarded, front) as endpoint:
            process = await asyncio.create_subprocess_exec(
                *(*PROGRAM, "scan", "--endpoints", endpoint, "--prefix=/my-lock/"),
                *("--window=0", "--no-history", "--format=json"),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            _, err = await process.communicate()
            return process.returncode, err

    status, err = run(story())
    assert status == 3
    assert b"demands a user" in err
