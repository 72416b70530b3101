"""Whole runs of lockdoctor, from the start of the process to its end."""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from lockdoctor.demo.etcd_server import EtcdServer
from lockdoctor.demo.lock_client import LockClient, Mutex
from tests.bench.usage import BenchError, Usage, measured
from tests.bench.writes import join_queue, take_locks

LOCKDOCTOR = str(Path(sys.executable).with_name("lockdoctor"))
FORMATS = ("table", "json")
PREFIX = b"/bench/"

EXAMINED = (0, 1, 2)
"""Nothing found, or something; 3 is what could not be examined."""

TIMEOUT = "10m"

KEPT = 200
KEPT_TTL_S = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """How many look-ups it took to judge locks that are renewed."""

    verdicts: dict[str, int]
    """Locks by verdict."""
    lookups: int
    lookups_per_verdict: float
    """Undetermined is none."""
    seconds: float


def snapshots(count: int, repeats: int) -> dict[str, list[Usage]]:
    """
    Look once at so many locks, alone in their etcd.

    Returns:
        How `scan --window 0` does in each format, and `check` with a history.
    """
    with tempfile.TemporaryDirectory() as folder, EtcdServer(Path(folder)) as server:
        take_locks(server.address, PREFIX, count)
        usages = _snapshots(server, repeats)
        check = ["check", "--history", str(Path(folder) / "history"), "--timeout", TIMEOUT]
        usages["check"] = [_run(server, check) for _ in range(repeats)]
    if usages["json"][0].output.count('"holder": {') != count:
        raise BenchError(f"the scan did not see {count} locks")
    return usages


def queues(count: int, repeats: int) -> dict[str, list[Usage]]:
    """The same of one lock for which so many wait."""
    with tempfile.TemporaryDirectory() as folder, EtcdServer(Path(folder)) as server:
        join_queue(server.address, PREFIX + b"job", count + 1)
        usages = _snapshots(server, repeats)
    if usages["json"][0].output.count('"create_revision"') != count + 1:
        raise BenchError(f"the scan did not see {count} waiters")
    return usages


def _snapshots(server: EtcdServer, repeats: int) -> dict[str, list[Usage]]:
    usages: dict[str, list[Usage]] = {form: [] for form in FORMATS}
    for _ in range(repeats):
        for form, found in usages.items():
            found.append(_scan(server, "--window", "0", "--format", form))
    return usages


def starts(repeats: int) -> dict[str, list[Usage]]:
    """Start and do next to nothing, beside what the interpreter and typer take for themselves."""
    commands = {
        "python": [sys.executable, "-c", "pass"],
        "python_typer": [sys.executable, "-c", "import typer"],
        "help": [LOCKDOCTOR, "--help"],
        "version": [LOCKDOCTOR, "--version"],
        "explain": [LOCKDOCTOR, "explain", "leaked-lock"],
    }
    return {name: [measured(command) for _ in range(repeats)] for name, command in commands.items()}


def decided() -> dict[str, Decided]:
    """
    Judge locks that are kept alive, each a third of its TTL.

    Returns:
        How a scan without a history does, and a check that finds an earlier one in it.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        EtcdServer(Path(folder)) as server,
        closing(LockClient(server.address)) as client,
    ):
        for number in range(KEPT):
            Mutex(client.session(KEPT_TTL_S), b"%s%d" % (PREFIX, number)).queue_up()
        check = ["check", "--max-hold", "1s", "--format", "json"]
        check += ["--history", str(Path(folder) / "history")]
        _run(server, check)
        without = _decided(_scan(server, "--format", "json"))  # takes longer than the TTL
        return {"without_history": without, "with_history": _decided(_run(server, check))}


def _decided(usage: Usage) -> Decided:
    report = json.loads(usage.output)
    verdicts = Counter(lock["verdict"] for lock in report["locks"])
    lookups = report["run"]["lookups"]
    return Decided(
        verdicts=dict(verdicts),
        lookups=lookups,
        lookups_per_verdict=lookups / (KEPT - verdicts["undetermined"]),
        seconds=usage.seconds,
    )


def _scan(server: EtcdServer, *flags: str) -> Usage:
    return _run(server, ["scan", "--no-history", "--timeout", TIMEOUT, *flags])


def _run(server: EtcdServer, words: Sequence[str]) -> Usage:
    where = ["--endpoints", server.endpoint, "--prefix", PREFIX.decode()]
    return measured([LOCKDOCTOR, *words, *where], statuses=EXAMINED)
