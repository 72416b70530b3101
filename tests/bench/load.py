"""Benchmark: what becomes of others' writes while leases are looked up."""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from lockdoctor.demo.etcd_server import EtcdServer
from lockdoctor.etcd.client import MAX_RATE
from tests.bench.contenders import Leases
from tests.bench.figures import Spread
from tests.bench.lookups import granted, machine, say
from tests.bench.usage import BenchError
from tests.go_programs import BuildError, NoGoError, build

RESULT = Path(__file__).parents[2] / "build" / "bench-load.json"
CLIENTS = str(Path(__file__).with_name("load_clients.py"))

NOBODY = "nobody"
MARGIN_S = 1.5
"""Look-ups begin so long before the puts, and go on so long after them."""

ENDS_TIMEOUT_S = 60.0

TABLE_WIDTH = 110


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """How the puts fared in one repeat, and what was looked up meanwhile."""

    p50_ms: float
    p99_ms: float
    puts_per_s: float
    lookups_per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The same several times."""

    p50_ms: Spread
    p99_ms: Spread
    puts_per_s: Spread
    lookups_per_s: Spread

    @classmethod
    def of(cls, turns: Sequence[Turn]) -> Load:
        """Sum up at least one turn."""
        return cls(
            p50_ms=Spread.of(turn.p50_ms for turn in turns),
            p99_ms=Spread.of(turn.p99_ms for turn in turns),
            puts_per_s=Spread.of(turn.puts_per_s for turn in turns),
            lookups_per_s=Spread.of(turn.lookups_per_s for turn in turns),
        )


def main() -> None:
    """Measure, print a table, and write build/bench-load.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leases", type=int, default=20_000, help="to look up again and again")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0, help="of puts in each turn")
    options = parser.parse_args()
    loads, missing = measure(options.leases, options.repeats, options.seconds)
    document = {
        "machine": machine(),
        **vars(options),
        "missing": missing,
        "loads": {name: asdict(load) for name, load in loads.items()},
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    out = Console(width=TABLE_WIDTH)
    out.print(table(loads))
    out.print(*(f"Not measured: {why}" for why in missing), sep="\n", markup=False)


def measure(leases: int, repeats: int, seconds: float) -> tuple[dict[str, Load], list[str]]:
    """Put keys while nobody, or one client after the other, looks leases up; repeatedly."""
    with tempfile.TemporaryDirectory() as folder, EtcdServer(Path(folder)) as server:
        found = granted(server, Path(folder) / "leases.txt", leases)
        readers, missing = commands(found, seconds + 2 * MARGIN_S)
        turns: dict[str, list[Turn]] = {name: [] for name in readers}
        for repeat in range(repeats):
            for name, command in readers.items():
                say(f"repeat {repeat + 1} of {repeats}: puts while {name} looks up")
                turns[name].append(turn(server.address, seconds, command))
    return {name: Load.of(taken) for name, taken in turns.items()}, missing


def commands(leases: Leases, seconds: float) -> tuple[dict[str, list[str]], list[str]]:
    """Say how to run each client for so long, and which this machine lacks."""
    ours = [sys.executable, CLIENTS, "look-ups", leases.address, str(leases.path), f"{seconds}"]
    found = {
        NOBODY: [],
        "lockdoctor": [*ours, f"{MAX_RATE}"],
        "lockdoctor_unpaced": [*ours, f"{math.inf}"],
    }
    try:
        client = str(build("lookups"))
    except (NoGoError, BuildError) as error:
        return found, [str(error)]
    words = ["-endpoint", leases.address, "-leases", str(leases.path), "-goroutines", "64"]
    return found | {"go_64_unpaced": [client, *words, "-for", f"{seconds}s"]}, []


def turn(address: str, seconds: float, command: Sequence[str], margin_s: float = MARGIN_S) -> Turn:
    """
    Put keys for so long, while a command looks leases up.

    Args:
        margin_s: How long before that the command is started.

    Raises:
        BenchError: Either failed.
    """
    with running(command) as reader:
        if reader is not None:
            time.sleep(margin_s)
        puts = [sys.executable, CLIENTS, "puts", address, f"{seconds}"]
        with running(puts) as writer:
            took_ms = sorted(json.loads(output(writer))["took_ms"])
        lookups = json.loads(output(reader))["rate"] if reader is not None else 0.0
    return Turn(
        p50_ms=statistics.median(took_ms),
        p99_ms=took_ms[int(len(took_ms) * 0.99)],
        puts_per_s=len(took_ms) / seconds,
        lookups_per_s=lookups,
    )


@contextmanager
def running(command: Sequence[str]) -> Iterator[subprocess.Popen[str] | None]:
    """Run a command while the block lasts; nothing for no command."""
    if not command:
        yield None
        return
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def output(process: subprocess.Popen[str] | None) -> str:
    """
    Wait for the end of a command, and give what it printed.

    Raises:
        BenchError: It failed.
    """
    if process is None:
        raise BenchError("nothing was run")
    said, _ = process.communicate(timeout=ENDS_TIMEOUT_S)
    if process.returncode:
        raise BenchError(f"it ended with {process.returncode}")
    return said


def table(loads: Mapping[str, Load]) -> Table:
    """Lay the turns out, one client a row."""
    found = Table(title="Puts of others, while leases are looked up")
    for number, column in enumerate(("by", "look-ups/s", "puts/s", "p50 ms", "p99 ms")):
        found.add_column(column, justify="right" if number else "left", no_wrap=True)
    for name, load in loads.items():
        figures = (load.lookups_per_s, load.puts_per_s)
        moments = (load.p50_ms, load.p99_ms)
        found.add_row(name, *(f"{f:,.0f}" for f in figures), *(f"{m:.1f}" for m in moments))
    return found


if __name__ == "__main__":
    main()
