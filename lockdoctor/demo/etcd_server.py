"""Runs etcd servers on loopback ports."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, final

from lockdoctor.demo.find_etcd import find_etcd
from lockdoctor.errors import DemoError

LOOPBACK = "127.0.0.1"
READY_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 10.0
PORTS = range(20_000, 32_000)
"""Ports below those that Linux and macOS use for outgoing connections."""

WATCHDOG = 'read -r _; kill -9 "$1" 2>/dev/null'
"""
Kills the server when its pipe to this process closes, however that ends.

Linux's PR_SET_PDEATHSIG would need code between fork and exec, which Python warns about in
processes with threads. It also follows the thread, not the process.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTls:
    """The PEM files for TLS between a server and its clients."""

    cert: Path
    key: Path
    client_ca: Path | None = None
    """The CA of the clients' certificates; None requires no client certificate."""

    @property
    def flags(self) -> list[str]:
        """Return the files as etcd's flags."""
        flags = ["--cert-file", str(self.cert), "--key-file", str(self.key)]
        if self.client_ca is not None:
            flags += ["--client-cert-auth", "--trusted-ca-file", str(self.client_ca)]
        return flags


@final
class EtcdServer:
    """
    One etcd process on free loopback ports, with its own folder for data and log.

    It ends with this process, and a Ctrl-C in the terminal does not reach it.
    The ports stay the same after a restart.
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
        Choose binary and ports; start() starts the process.

        Args:
            folder: Parent of the folder `data` and the file `etcd.log`; created if missing.
            binary: See find_etcd.
            name: The member's name in its cluster.
            tls: The TLS files for clients; None means plain HTTP.
            flags: Further flags of etcd, which override these defaults.
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
        """Return host and port for clients, without a scheme."""
        return f"{LOOPBACK}:{self.client_port}"

    @property
    def endpoint(self) -> str:
        """Return the URL for clients."""
        return f"{'https' if self.tls else 'http'}://{self.address}"

    @property
    def log_path(self) -> Path:
        """Return the path of the server's log."""
        return self.folder / "etcd.log"

    @property
    def pid(self) -> int:
        """Return the process ID of the running server."""
        return self._running().pid

    @property
    def is_running(self) -> bool:
        """Return whether the process exists, frozen or not."""
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
            wait: Return only when the server answers, which requires a quorum.
            initial_cluster: The peer URL of every member by name; by default only this one's.

        Raises:
            DemoError: It did not start, or not in time; the message has the end of the log.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        # Every member needs the same list at its first start; later starts ignore it.
        members = initial_cluster or {self.name: self.peer_url}
        with self.log_path.open("ab") as log:
            self._process = _spawn([str(self.binary), *self._arguments(members)], log)
        self._watchdog = _start_watchdog(self._process.pid)
        if wait:
            self.wait_until_ready()

    def wait_until_ready(self, within_s: float = READY_TIMEOUT_S) -> None:
        """
        Wait until the server has a leader and answers.

        Raises:
            DemoError: The process has ended, or the time is over.
        """
        deadline = time.monotonic() + within_s
        while not self._is_healthy():
            if not self.is_running or time.monotonic() > deadline:
                self.kill()
                raise DemoError(f"{self.binary} did not start: {self._end_of_log()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Shut the server down, and kill it if that takes too long."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the server, like a crash."""
        self._end(signal.SIGKILL)

    def restart(self, *, wait: bool = True) -> None:
        """Stop the server, and start it with the same data and ports."""
        self.stop()
        self.start(wait=wait)

    def freeze(self) -> None:
        """Freeze the process; its sockets stay open without answering."""
        self._running().send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Resume a frozen process."""
        self._running().send_signal(signal.SIGCONT)

    def __enter__(self) -> EtcdServer:
        """Start the server, and wait until it answers."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the server."""
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
        """Return whether the metrics port reports health; it always uses plain HTTP."""
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
        process.send_signal(signal.SIGCONT)  # a frozen process cannot handle the signal
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if watchdog is not None and watchdog.stdin is not None:
            # Killed before its pipe closes: else it might kill a later process with this ID.
            watchdog.kill()
            watchdog.wait()
            watchdog.stdin.close()

    def _end_of_log(self) -> str:
        lines = self.log_path.read_text(encoding="utf-8", errors="replace").splitlines()
        return " / ".join(lines[-3:]) or "it wrote no log"


def reserve_port() -> int:
    """
    Return a free loopback port that stays reserved until the server binds it.

    A connection to itself leaves the port in TIME_WAIT for 60 s. Then only a bind with
    SO_REUSEADDR, as in Go's servers, gets the port; another reserve_port() does not.

    Raises:
        DemoError: No port is free.
    """
    for port in random.sample(PORTS, 200):
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind((LOOPBACK, port))
            # After the bind: this bind must fail at another reservation, the server's must not.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.listen(1)
            with socket.create_connection((LOOPBACK, port)):
                # The side that closes first keeps the TIME_WAIT: the accepted side, with this port.
                listener.accept()[0].close()
            return port
    raise DemoError("No free port on the loopback interface.")


def _spawn(command: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start etcd in its own session, where a terminal's Ctrl-C does not reach it."""
    # etcd reads every flag from ETCD_... too; the user's own settings must not apply here.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ETCD_")}
    environment |= {k: v for k, v in os.environ.items() if k == "ETCD_UNSUPPORTED_ARCH"}
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        raise DemoError(f"{command[0]} could not be started: {error.strerror}.") from error


def _start_watchdog(pid: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["sh", "-c", WATCHDOG, "lockdoctor-watchdog", str(pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
