"""`lockdoctor selfcheck` against real servers, and the very role that it advises."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lockdoctor.demo.etcd_server import LOOPBACK, EtcdServer, ServerTls, reserve_port
from lockdoctor.outputs.text.suggested_commands import role_commands
from tests.etcd.certificates import Authority
from tests.etcd.connections import writing
from tests.eventually import run
from tests.scenarios.run_scan import PROGRAM, scan

pytestmark = [pytest.mark.slow]

PREFIXES = (b"/my-lock/", b"/it's got \n in it/")
USER = "--user=lockdoctor:night-shift"
NEVER_SHOWN = "night-shift"


def selfcheck(
    endpoints: str, tmp_path: Path, *flags: str, prefixes: tuple[bytes, ...] = PREFIXES[:1]
) -> tuple[int, dict[str, Any], str]:
    """Run it, and give its status, its document and everything that it printed."""
    words = [*PROGRAM, "selfcheck", "--endpoints", endpoints, "--format", "json"]
    words += [f"--history={tmp_path / 'h'}", f"--journal={tmp_path / 'j'}"]
    words += [word for prefix in prefixes for word in ("--prefix-hex", prefix.hex())]
    done = subprocess.run([*words, *flags], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    document = json.loads(done.stdout) if done.stdout else {}
    return done.returncode, document, done.stdout + done.stderr


def states(document: dict[str, Any]) -> dict[str, str]:
    return {remark["about"]: remark["state"] for remark in document["remarks"]}


@pytest.fixture(scope="module")
def guarded(
    etcd_binary: Path, etcdctl: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EtcdServer]:
    """A server that demands users, with the role that selfcheck advises, and a lock in it."""
    with EtcdServer(tmp_path_factory.mktemp("guarded"), binary=etcd_binary) as server:
        run(_take_locks(server))
        commands = [
            *role_commands(PREFIXES),
            "etcdctl user add root:root",
            "etcdctl user grant-role root root",
            "etcdctl auth enable",
        ]
        for command in commands:
            _typed(
                command.replace("user add lockdoctor", f"user add lockdoctor:{NEVER_SHOWN}"),
                etcdctl,
                server,
            )
        yield server


async def _take_locks(server: EtcdServer) -> None:
    async with writing(server.address) as writer:
        for prefix in (*PREFIXES, b"/others/"):
            lease = await writer.grant(600)
            await writer.put(prefix + b"q/%x" % lease, lease_id=lease)


def _typed(command: str, etcdctl: Path, server: EtcdServer) -> None:
    """Run a command line in bash, as an operator would who copies it."""
    script = f'etcdctl() {{ {shlex.quote(str(etcdctl))} --endpoints={server.endpoint} "$@"; }}\n'
    done = subprocess.run(
        ["bash", "-c", script + command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stderr}"


@pytest.mark.etcd
def test_the_advised_role_suffices(guarded: EtcdServer, tmp_path: Path) -> None:
    """With it selfcheck finds no problem, and a scan sees the locks of every prefix."""
    status, _document, printed = selfcheck(guarded.endpoint, tmp_path, USER, prefixes=PREFIXES)

    assert status == 0, printed
    assert NEVER_SHOWN not in printed
    for prefix in PREFIXES:
        found = scan(guarded.endpoint, prefix, USER, "--window=0", "--no-history")
        assert len(found.document["locks"]) == 1
        assert not [u for u in found.document["unseen"] if u["what"] == "leases"]


@pytest.mark.etcd
def test_the_role_sees_no_more_than_it_must(guarded: EtcdServer, tmp_path: Path) -> None:
    """A prefix that it was not granted is a problem, said for that prefix alone."""
    status, document, printed = selfcheck(
        guarded.endpoint, tmp_path, USER, prefixes=(PREFIXES[0], b"/others/")
    )

    assert status == 1
    (problem,) = (remark for remark in document["remarks"] if remark["state"] == "problem")
    assert problem["prefix"] == "/others/"
    assert "'lockdoctor' may not read '/others/'. Run: `etcdctl role" in problem["text"]
    assert NEVER_SHOWN not in printed


@pytest.mark.etcd
def test_a_wrong_password(guarded: EtcdServer, tmp_path: Path) -> None:
    """Nothing could be read: the login is the problem, and the status says that it was blind."""
    status, _, printed = selfcheck(guarded.endpoint, tmp_path, "--user=lockdoctor:wrong-one")

    assert status == 3
    assert "refused the user name or the password" in printed
    assert "wrong-one" not in printed


@pytest.mark.etcd
def test_one_endpoint_of_several_is_down(etcd: EtcdServer, tmp_path: Path) -> None:
    """It is named, and the rest is looked at all the same."""
    dead = f"{LOOPBACK}:{reserve_port()}"

    status, document, printed = selfcheck(f"{dead},{etcd.endpoint}", tmp_path)

    assert status == 1
    assert states(document)[dead] == "problem"
    assert "connection refused" in printed
    assert states(document)["read the keys"] == "ok"


def test_nothing_answers(tmp_path: Path) -> None:
    """No member at all: it was blind, and says why."""
    status, document, _ = selfcheck(f"{LOOPBACK}:{reserve_port()}", tmp_path)

    assert status == 3
    assert [remark["state"] for remark in document["remarks"]].count("problem") >= 1


@pytest.mark.etcd
def test_certificates_and_clocks_are_told(etcd_binary: Path, tmp_path: Path) -> None:
    """Over TLS the days that are left of the certificate; a clock of the same machine is right."""
    authority = Authority(tmp_path, "ca")
    pair = authority.sign("server")
    tls = ServerTls(cert=pair.cert, key=pair.key)
    with EtcdServer(tmp_path / "etcd", binary=etcd_binary, tls=tls) as server:
        status, _document, printed = selfcheck(
            server.endpoint, tmp_path, f"--cacert={authority.cert}"
        )

    assert status == 0, printed
    assert "its TLS certificate" in printed
    assert "its clock" not in printed


@pytest.mark.etcd
def test_files_are_looked_at_and_never_made(etcd: EtcdServer, tmp_path: Path) -> None:
    """A history that is damaged is a problem and stays as it is; a missing one stays missing."""
    status, _, _ = selfcheck(etcd.endpoint, tmp_path)
    assert status == 0
    assert not list(tmp_path.iterdir())

    (tmp_path / "h").write_bytes(b"no database" * 100)
    status, _document, printed = selfcheck(etcd.endpoint, tmp_path)

    assert status == 1
    assert (tmp_path / "h").read_bytes() == b"no database" * 100
    assert "history" in printed
