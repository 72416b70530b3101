"""Figures of several repeats: their spread, and how contenders compare within one repeat."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """The same thing measured several times."""

    min: float
    median: float
    max: float

    def __format__(self, spec: str) -> str:
        """Write the median, and least and most behind it, each in this form."""
        return f"{self.median:{spec}} ({self.min:{spec}}-{self.max:{spec}})"

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Sum up at least one value."""
        ordered = sorted(values)
        return cls(ordered[0], statistics.median(ordered), ordered[-1])


def spreads(values: Mapping[str, Sequence[float]]) -> dict[str, Spread]:
    """Sum up the values of each name."""
    return {name: Spread.of(found) for name, found in values.items()}


def ratios(values: Mapping[str, Sequence[float]], ours: str) -> dict[str, Spread]:
    """
    Compare one name with each other one, repeat by repeat.

    What slows the whole machine down slows both sides of such a ratio; a ratio of two medians
    would compare one moment with another.
    """
    return {
        name: Spread.of(mine / other for mine, other in zip(values[ours], found, strict=True))
        for name, found in values.items()
        if name != ours
    }
