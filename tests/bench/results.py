"""What the benchmark has found, in the names of build/bench.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.bench.figures import Spread
from tests.bench.scans import Decided
from tests.bench.usage import RunSpread


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookups:
    """Look-ups side by side."""

    missing: Sequence[str]
    """Which contenders this machine lacks, and why."""
    rates: Mapping[str, Spread]
    """Look-ups a second, by contender."""
    cpu_us_per_lookup: Mapping[str, Spread]
    peak_mb: Mapping[str, Spread]
    ratios: Mapping[str, Spread]
    """Our rate by theirs, taken within each repeat."""
    cpu_ratios: Mapping[str, Spread]
    """Our CPU by theirs, likewise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeRuns:
    """Whole processes of lockdoctor."""

    runs: Mapping[str, RunSpread]
    decided: Mapping[str, Decided]
    """Look-ups for each verdict, without a history and with one."""
