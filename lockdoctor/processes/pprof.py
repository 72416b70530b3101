"""Reads the goroutines of Go processes, at both ends of a run."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from lockdoctor.domain.processes.comparison import ProcessData, ProcessSnapshot
from lockdoctor.domain.report.processes import GoroutineCounts
from lockdoctor.domain.report.unseen import ProcessPart, Unseen
from lockdoctor.errors import ConfigError, ProcessReadError
from lockdoctor.ports import Clock
from lockdoctor.processes.goroutine_profile import MAX_BYTES, counts_of
from lockdoctor.processes.http_client import Address, get, parse_address
from lockdoctor.processes.thread import run_in_thread

TIMEOUT_S = 20.0
"""Maximum seconds for all requests to a process at one end of a run, and parsing."""

MAX_STOPPED = 20_000
"""Maximum goroutines for debug=2: Go pauses the process while it writes each one."""

PAGE = "/debug/pprof/goroutine"


@dataclass(frozen=True, slots=True)
class PprofTarget:
    """A process with a goroutine page."""

    name: str
    address: Address
    is_exact: bool
    """True if the user named the page itself, whose URL is then used unchanged."""


def parse_target(text: str) -> PprofTarget:
    """
    Parse a value of --pprof: URL or NAME=URL, of a process or its goroutine page.

    Raises:
        ConfigError: It has neither form.
    """
    name, equals, url = text.partition("=")
    is_named = bool(equals) and not set(name) & set(":/?@[") and bool(name.strip())
    address = parse_address(url if is_named else text, "--pprof")
    parts = urlsplit(address.url)
    path = parts.path.rstrip("/")
    if path.endswith("/goroutine"):
        return PprofTarget(name if is_named else parts.netloc, address, is_exact=True)
    if path.endswith("/debug/pprof"):
        address = address.without(path="/debug/pprof")
    elif path or parts.query:
        raise ConfigError(
            f"--pprof {address.shown} has another path. Write the process alone, or its {PAGE}."
        )
    return PprofTarget(name if is_named else parts.netloc, address, is_exact=False)


class PprofProcesses:
    """A ProcessSource (see ports): processes that show their goroutines over HTTP."""

    name = "processes"

    def __init__(
        self,
        targets: Sequence[PprofTarget],
        context: ssl.SSLContext | None,
        clock: Clock,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """
        Store the targets; poll() sends the first request.

        Args:
            context: The TLS context, for https.
            timeout_s: Maximum seconds for each process, at each end of the run.
        """
        self._targets = targets
        self._timeout_s = timeout_s
        self._context = context
        self._clock = clock

    async def poll(self, *, is_last: bool) -> ProcessData:
        """Read all processes; at the end of the run, in more detail."""
        results = await asyncio.gather(
            *(self._poll_one(each, is_last=is_last) for each in self._targets)
        )
        return _process_data(results)

    async def _poll_one(self, target: PprofTarget, *, is_last: bool) -> ProcessSnapshot | Unseen:
        try:
            counts = await self._counts(target, is_last=is_last)
        except ProcessReadError as error:
            return _unheard(target.name, target.address.shown, error)
        return ProcessSnapshot(
            name=target.name,
            source=target.address.shown,
            seen_at=self._clock.now(),
            counts=counts,
        )

    async def _counts(self, target: PprofTarget, *, is_last: bool) -> GoroutineCounts:
        until = time.monotonic() + self._timeout_s
        if target.is_exact:
            return await self._read(target.address, until)
        counts = await self._read(target.address.below(f"{PAGE}?debug=1"), until)
        if not is_last or counts.goroutines > MAX_STOPPED:
            return counts
        try:
            closer = await self._read(target.address.below(f"{PAGE}?debug=2"), until)
        except ProcessReadError:
            return counts  # the counts are valid without it
        return closer if closer.is_whole else counts

    async def _read(self, address: Address, until: float) -> GoroutineCounts:
        raw = await get(address, self._context, until=until, max_bytes=MAX_BYTES)
        return await _counts(raw, until)


class SavedProcesses:
    """A ProcessSource: saved profiles in files."""

    name = "saved profiles"

    def __init__(self, files: Sequence[Path]) -> None:
        """
        Read the files; poll() parses their content.

        Raises:
            ConfigError: A file cannot be read.
        """
        self._saved = [(file, _content(file)) for file in files]

    async def poll(self, *, is_last: bool) -> ProcessData:
        """Return the content of the profiles, at the end of the run."""
        if not is_last:
            return ProcessData()
        results = [await _saved(*each) for each in self._saved]
        return _process_data(results)


def _process_data(results: Sequence[ProcessSnapshot | Unseen]) -> ProcessData:
    return ProcessData(
        processes=tuple(each for each in results if isinstance(each, ProcessSnapshot)),
        unseen=tuple(each for each in results if isinstance(each, Unseen)),
    )


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            f"Cannot read the profile {file}: {error.strerror}. Check --pprof-file."
        ) from error


async def _saved(file: Path, raw: bytes) -> ProcessSnapshot | Unseen:
    try:
        if len(raw) > MAX_BYTES:
            raise ProcessReadError(f"it is bigger than {MAX_BYTES >> 20} MiB")  # noqa: TRY301
        counts = await _counts(raw, time.monotonic() + TIMEOUT_S)
    except ProcessReadError as error:
        return _unheard(file.name, str(file), error)
    return ProcessSnapshot(name=file.name, source=str(file), seen_at=None, counts=counts)


async def _counts(raw: bytes, until: float) -> GoroutineCounts:
    return await run_in_thread(
        partial(counts_of, raw), until=until, late="its profile was not read"
    )


def _unheard(name: str, source: str, error: ProcessReadError) -> Unseen:
    return Unseen(what=ProcessPart(name), count=None, why=f"{source}: {error}")
