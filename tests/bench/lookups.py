"""Benchmark: lease look-ups side by side, whole runs, and how many look-ups a verdict takes."""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from lockdoctor.demo.etcd_server import EtcdServer
from lockdoctor.demo.find_etcd import find_etcd
from tests.bench.aged import aged
from tests.bench.contenders import OURS, Leases, Turn, contenders
from tests.bench.figures import ratios, spreads
from tests.bench.results import Lookups, WholeRuns
from tests.bench.scans import decided, queues, snapshots, starts
from tests.bench.tables import aged_line, lookups_table, runs_table
from tests.bench.usage import RunSpread, Usage
from tests.bench.writes import grant_leases
from tests.etcd_matrix import version_of

RESULT = Path(__file__).parents[2] / "build" / "bench.json"

TABLE_WIDTH = 130

LOCKS = (1_000, 10_000, 100_000)
WAITERS = (100_000,)
AGED_LOCKS = 1_000

said = Console(stderr=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How much to measure."""

    leases: int
    repeats: int
    locks: Sequence[int]
    waiters: Sequence[int]
    scans: int
    days: float


def main() -> None:
    """Measure, print what was found as it comes, and write build/bench.json."""
    chosen, out = options(), Console(width=TABLE_WIDTH)
    lookups = side_by_side(chosen)
    out.print(lookups_table(lookups))
    out.print(*(f"Not measured: {why}" for why in lookups.missing), sep="\n", markup=False)
    whole = whole_runs(chosen)
    out.print(runs_table(whole))
    say(f"storing {chosen.days:g} days of checks, then checking with them and without")
    old = aged(chosen.days, AGED_LOCKS, chosen.repeats)
    out.print(aged_line(old), markup=False, highlight=False)
    results = {
        "machine": machine(),
        "leases": chosen.leases,
        "repeats": chosen.repeats,
        **asdict(lookups),
        **asdict(whole),
        "aged": asdict(old),
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def options() -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leases", type=int, default=20_000, help="to look up side by side")
    parser.add_argument("--repeats", type=int, default=5, help="of everything but the sampling")
    parser.add_argument("--locks", type=int, nargs="*", default=LOCKS, help="to scan")
    parser.add_argument("--waiters", type=int, nargs="*", default=WAITERS, help="on one lock")
    parser.add_argument("--scans", type=int, default=3, help="repeats of each whole scan")
    parser.add_argument("--days", type=float, default=30, help="of checks in the history")
    return Options(**vars(parser.parse_args()))


def side_by_side(options: Options) -> Lookups:
    """Let every contender look up the same leases of one etcd in turn, and all that repeatedly."""
    found, missing = contenders()
    turns: dict[str, list[Turn]] = {name: [] for name in found}
    with tempfile.TemporaryDirectory() as folder, EtcdServer(Path(folder)) as server:
        leases = granted(server, Path(folder) / "leases.txt", options.leases)
        for repeat in range(options.repeats):
            for name, look_up in found.items():
                say(f"repeat {repeat + 1} of {options.repeats}: {name}")
                turns[name].append(look_up(leases))
    rates = {name: [turn.rate for turn in taken] for name, taken in turns.items()}
    cpu_us = {name: [turn.cpu_us_per_lookup for turn in taken] for name, taken in turns.items()}
    return Lookups(
        missing=missing,
        rates=spreads(rates),
        cpu_us_per_lookup=spreads(cpu_us),
        peak_mb=spreads({name: [turn.peak_mb for turn in taken] for name, taken in turns.items()}),
        ratios=ratios(rates, OURS),
        cpu_ratios=ratios(cpu_us, OURS),
    )


def granted(server: EtcdServer, path: Path, count: int) -> Leases:
    """Grant leases, and list them in a file."""
    say(f"granting {count} leases")
    ids = grant_leases(server.address, count)
    path.write_text("\n".join(map(str, ids)), encoding="ascii")
    return Leases(address=server.address, ids=ids, path=path)


def whole_runs(options: Options) -> WholeRuns:
    """Run lockdoctor as people run it."""
    runs = {name: RunSpread.of(usages) for name, usages in _whole_runs(options).items()}
    say("judging with and without a history")
    return WholeRuns(runs=runs, decided=decided())


def _whole_runs(options: Options) -> dict[str, list[Usage]]:
    say("starting and doing next to nothing")
    runs = starts(options.repeats)
    for count in options.locks:
        say(f"scanning {count} locks")
        for form, usages in snapshots(count, options.scans).items():
            runs[f"check_{count}" if form == "check" else f"scan_{count}_{form}"] = usages
    for count in options.waiters:
        say(f"scanning one lock with {count} waiters")
        for form, usages in queues(count, options.scans).items():
            runs[f"queue_{count}_{form}"] = usages
    return runs


def machine() -> dict[str, str | int | None]:
    """Say what the figures were measured on."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "etcd": version_of(find_etcd()),
        "python": platform.python_version(),
        "grpcio": version("grpcio"),
        "protobuf": version("protobuf"),
    }


def say(what: str) -> None:
    """Tell on standard error what is going on."""
    said.print(what, markup=False, highlight=False)


if __name__ == "__main__":
    main()
