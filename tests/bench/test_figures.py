"""Sums of repeats, and ratios within them."""

from __future__ import annotations

from tests.bench.figures import Spread, ratios


def test_a_spread_names_least_median_and_most() -> None:
    """The order in which the values came does not matter."""
    assert Spread.of([30.0, 10.0, 20.0]) == Spread(10.0, 20.0, 30.0)


def test_a_spread_is_written_with_its_median_first() -> None:
    """The form applies to each of the three."""
    assert f"{Spread(1000.4, 2000.0, 3000.0):,.0f}" == "2,000 (1,000-3,000)"


def test_ratios_are_taken_within_a_repeat() -> None:
    """A repeat in which everything was slow does not change who is faster."""
    rates = {"ours": [200.0, 20.0], "theirs": [100.0, 10.0]}
    assert ratios(rates, "ours") == {"theirs": Spread(2.0, 2.0, 2.0)}
