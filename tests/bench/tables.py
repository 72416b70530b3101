"""The benchmark's figures as tables: the median, and least and most in brackets."""

from __future__ import annotations

from rich.table import Table

from tests.bench.aged import Aged
from tests.bench.contenders import ETCDCTL_SAMPLE, OURS
from tests.bench.results import Lookups, WholeRuns
from tests.bench.scans import KEPT, KEPT_TTL_S, Decided


def lookups_table(lookups: Lookups) -> Table:
    """Lay the contenders out, one a row."""
    caption = f"etcdctl: from {ETCDCTL_SAMPLE} look-ups in each repeat, a process for each"
    table = _table("contender", "look-ups/s", "CPU us each", "MB", "rate", "CPU")
    table.title = f"Lease look-ups, and {OURS}'s rate and CPU, in times of each contender's"
    table.caption = caption if "etcdctl" in lookups.rates else None
    for name, rate in lookups.rates.items():
        compared = [
            f"{ratios[name]:{form}}" if name in ratios else ""
            for ratios, form in ((lookups.ratios, ".2f"), (lookups.cpu_ratios, ".3f"))
        ]
        cpu_us, peak_mb = lookups.cpu_us_per_lookup[name], lookups.peak_mb[name].max
        table.add_row(name, f"{rate:,.0f}", f"{cpu_us:,.1f}", f"{peak_mb:.0f}", *compared)
    return table


def runs_table(whole: WholeRuns) -> Table:
    """Lay the whole runs out, and below them how many look-ups a verdict takes."""
    table = _table("process", "seconds", "CPU seconds", "peak MB")
    for name, run in whole.runs.items():
        table.add_row(name, f"{run.seconds:.2f}", f"{run.cpu_s:.2f}", f"{run.peak_mb:.0f}")
    table.title = "Whole processes"
    said = "; ".join(
        f"{name.replace('_', ' ')} {_said(each)}" for name, each in whole.decided.items()
    )
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
