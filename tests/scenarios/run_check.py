"""Running `lockdoctor check`, as cron does and within the test's own process."""

from __future__ import annotations

import asyncio
import contextlib
import io
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import grpc.aio

from lockdoctor.cli.main import main
from tests.etcd.etcd_writer import Writer
from tests.scenarios.run_scan import PROGRAM

MAX_CHECK_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What one check left behind."""

    status: int
    stdout: str
    stderr: str

    @property
    def line(self) -> str:
        """The status line."""
        return self.stdout.partition("\n")[0]


@dataclass(frozen=True, kw_only=True)
class Checker:
    """One line of a crontab: a prefix of a cluster, with a history."""

    endpoint: str
    prefix: bytes
    history: Path

    def by_cron(self, *flags: str) -> Checked:
        """Check in a process of its own."""
        return finished(self.started(*flags))

    def started(self, *flags: str) -> subprocess.Popen[str]:
        """Start a check in a process of its own."""
        words = [*PROGRAM, *self._words(*flags)]
        return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def here(self, *flags: str) -> Checked:
        """Check within this process, which saves the start of another."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main(self._words(*flags))
        return Checked(status=status, stdout=out.getvalue(), stderr=err.getvalue())

    def _words(self, *flags: str) -> list[str]:
        where = ("--endpoints", self.endpoint, "--prefix-hex", self.prefix.hex())
        return ["check", *where, "--history", str(self.history), *flags]


def finished(running: subprocess.Popen[str]) -> Checked:
    """Wait for a check."""
    try:
        stdout, stderr = running.communicate(timeout=MAX_CHECK_S)
    finally:
        running.kill()
    return Checked(status=running.returncode, stdout=stdout, stderr=stderr)


def alarming(checked: Checked) -> Checked | None:
    """Give a check back where it is not OK."""
    return checked if checked.status else None


def hold_without_renewal(address: str, prefix: bytes, ttl_s: int) -> float:
    """Take a lock as a process does that then crashes; say when its lease runs out."""

    async def take() -> float:
        async with grpc.aio.insecure_channel(address) as channel:
            writer = Writer(channel)
            lease_id = await writer.grant(ttl_s)
            granted_at = time.monotonic()
            await writer.put(prefix + b"crashed/%x" % lease_id, lease_id=lease_id)
            return granted_at + ttl_s

    return asyncio.run(take())
