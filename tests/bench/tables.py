"""The benchmark's figures as tables: the median, and least and most in brackets."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table

from tests.bench.aged import Aged
from tests.bench.contenders import ETCDCTL_SAMPLE, OURS
from tests.bench.figures import Spread
from tests.bench.scans import KEPT, KEPT_TTL_S, Decided
from tests.bench.usage import RunSpread


def lookups_table(
    rates: Mapping[str, Spread],
    cpu_us_per_lookup: Mapping[str, Spread],
    peak_mb: Mapping[str, Spread],
    ratios: Mapping[str, Spread],
) -> Table:
    """Lay the contenders out, one a row."""
    caption = f"etcdctl: from {ETCDCTL_SAMPLE} look-ups in each repeat, a process for each"
    table = _table("contender", "look-ups/s", "CPU us each", "peak MB", "times as fast")
    table.title = f"Lease look-ups, and how many times as fast as each {OURS} is"
    table.caption = caption if "etcdctl" in rates else None
    for name, rate in rates.items():
        ratio = f"{ratios[name]:.3g}" if name in ratios else ""
        table.add_row(
            name, f"{rate:,.0f}", f"{cpu_us_per_lookup[name]:,.0f}", f"{peak_mb[name]:.0f}", ratio
        )
    return table


def runs_table(runs: Mapping[str, RunSpread], decided: Mapping[str, Decided]) -> Table:
    """Lay the whole runs out, and below them how many look-ups a verdict takes."""
    table = _table("lockdoctor", "seconds", "CPU seconds", "peak MB")
    for name, run in runs.items():
        table.add_row(name, f"{run.seconds:.2f}", f"{run.cpu_s:.2f}", f"{run.peak_mb:.0f}")
    table.title = "Whole processes"
    said = "; ".join(f"{name.replace('_', ' ')} {_said(each)}" for name, each in decided.items())
    table.caption = f"{KEPT} locks on renewed leases of {KEPT_TTL_S} s, {said}"
    return table


def _said(decided: Decided) -> str:
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in decided.verdicts.items())
    return (
        f"{verdicts} after {decided.seconds:.1f} s,"
        f" {decided.lookups_per_verdict:.2f} look-ups for each verdict"
    )


def aged_line(aged: Aged) -> str:
    """Say what a long history costs."""
    return (
        f"A check of {aged.locks:,} locks: {aged.empty.seconds:.2f} s with an empty history,"
        f" {aged.aged.seconds:.2f} s with one of {aged.runs:,} runs ({aged.file_mb:.0f} MB,"
        f" {aged.record_ms:.0f} ms to store a run): {aged.ratio:.2f} times the CPU"
    )


def _table(*columns: str) -> Table:
    table = Table()
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=True)
    return table
