"""Benchmark: lease look-ups side by side, whole runs, and how many look-ups a verdict takes."""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from lockdoctor.demo.server import EtcdServer, find_etcd
from tests.bench.aged import Aged, aged
from tests.bench.contenders import OURS, Contender, Leases, Turn, contenders
from tests.bench.figures import Spread, ratios, spreads
from tests.bench.scans import Decided, decided, queues, snapshots, starts
from tests.bench.tables import aged_line, lookups_table, runs_table
from tests.bench.usage import RunSpread, Usage
from tests.bench.writes import grant_leases
from tests.matrix import version_of

RESULT = Path(__file__).parents[2] / "build" / "bench.json"

TABLE_WIDTH = 110

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What build/bench.json holds."""

    machine: Mapping[str, str | int | None]
    leases: int
    repeats: int
    missing: Sequence[str]
    """Which contenders this machine lacks, and why."""
    rates: Mapping[str, Spread]
    """Look-ups a second, by contender."""
    cpu_us_per_lookup: Mapping[str, Spread]
    peak_mb: Mapping[str, Spread]
    ratios: Mapping[str, Spread]
    """Our rate by theirs, taken within each repeat."""
    runs: Mapping[str, RunSpread]
    """Whole processes of lockdoctor."""
    decided: Mapping[str, Decided]
    """Look-ups for each verdict, without a history and with one."""
    aged: Aged
    """A check with a history of weeks beside one with an empty one."""


def main() -> None:
    """Measure, print two tables, and write build/bench.json."""
    results = measure(options())
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(asdict(results), indent=2) + "\n", encoding="utf-8")
    out = Console(width=TABLE_WIDTH)
    out.print(
        lookups_table(results.rates, results.cpu_us_per_lookup, results.peak_mb, results.ratios)
    )
    out.print(runs_table(results.runs, results.decided))
    out.print(aged_line(results.aged), markup=False, highlight=False)
    out.print(*(f"Not measured: {why}" for why in results.missing), sep="\n", markup=False)


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


def measure(options: Options) -> Results:
    """Do all that is measured, one after the other."""
    found, missing = contenders()
    turns = side_by_side(found, options)
    rates = {name: [turn.rate for turn in taken] for name, taken in turns.items()}
    return Results(
        machine=machine(),
        leases=options.leases,
        repeats=options.repeats,
        missing=missing,
        rates=spreads(rates),
        cpu_us_per_lookup=spreads(
            {name: [turn.cpu_us_per_lookup for turn in taken] for name, taken in turns.items()}
        ),
        peak_mb=spreads({name: [turn.peak_mb for turn in taken] for name, taken in turns.items()}),
        ratios=ratios(rates, OURS),
        runs={name: RunSpread.of(usages) for name, usages in whole_runs(options).items()},
        decided=_decided(),
        aged=_aged(options),
    )


def _decided() -> dict[str, Decided]:
    say("judging with and without a history")
    return decided()


def _aged(options: Options) -> Aged:
    say(f"storing {options.days:g} days of checks, then checking with them and without")
    return aged(options.days, AGED_LOCKS, options.repeats)


def side_by_side(found: Mapping[str, Contender], options: Options) -> dict[str, list[Turn]]:
    """Let every contender look up the same leases of one etcd in turn, and all that repeatedly."""
    turns: dict[str, list[Turn]] = {name: [] for name in found}
    with tempfile.TemporaryDirectory() as folder, EtcdServer(Path(folder)) as server:
        leases = granted(server, Path(folder) / "leases.txt", options.leases)
        for repeat in range(options.repeats):
            for name, look_up in found.items():
                say(f"repeat {repeat + 1} of {options.repeats}: {name}")
                turns[name].append(look_up(leases))
    return turns


def granted(server: EtcdServer, path: Path, count: int) -> Leases:
    """Grant leases, and list them in a file."""
    say(f"granting {count} leases")
    ids = grant_leases(server.address, count)
    path.write_text("\n".join(map(str, ids)), encoding="ascii")
    return Leases(address=server.address, ids=ids, path=path)


def whole_runs(options: Options) -> dict[str, list[Usage]]:
    """Run lockdoctor as people run it."""
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
