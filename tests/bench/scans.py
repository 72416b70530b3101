"""Whole runs of lockdoctor, from the start of the process to its end."""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from lockdoctor.demo.clients import Client, Mutex
from lockdoctor.demo.server import EtcdServer
from tests.bench.usage import BenchError, Usage, measured
from tests.bench.writes import take_locks

LOCKDOCTOR = str(Path(sys.executable).with_name("lockdoctor"))
FORMATS = ("table", "json")
PREFIX = b"/bench/"

NOTHING_FOUND, FINDINGS = 0, 1

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
    """Look once at so many locks, alone in their etcd: `scan --window 0`, in each format."""
    with tempfile.TemporaryDirectory() as folder, EtcdServer(Path(folder)) as server:
        take_locks(server.address, PREFIX, count)
        usages: dict[str, list[Usage]] = {form: [] for form in FORMATS}
        for _ in range(repeats):
            for form, found in usages.items():
                found.append(_scan(server, "--window", "0", "--format", form))
    if len(json.loads(usages["json"][0].output)["locks"]) != count:
        raise BenchError(f"the scan did not see {count} locks")
    return usages


def helps(repeats: int) -> list[Usage]:
    """Start and print the help."""
    return [measured([LOCKDOCTOR, "--help"]) for _ in range(repeats)]


def decided() -> Decided:
    """Scan locks that are kept alive, each a third of its TTL, until all are decided."""
    with (
        tempfile.TemporaryDirectory() as folder,
        EtcdServer(Path(folder)) as server,
        closing(Client(server.address)) as client,
    ):
        for number in range(KEPT):
            Mutex(client.session(KEPT_TTL_S), b"%s%d" % (PREFIX, number)).queue_up()
        usage = _scan(server, "--format", "json")
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
    words = [LOCKDOCTOR, "scan", "--endpoints", server.endpoint, "--prefix", PREFIX.decode()]
    return measured([*words, "--no-history", *flags], statuses=(NOTHING_FOUND, FINDINGS))
