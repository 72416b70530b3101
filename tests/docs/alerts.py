"""The alert rules, and what becomes of them on a page of metrics."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.docs.pages import OPERATING

RULES = OPERATING / "prometheus-rules.yaml"
MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')
COMPARISON = re.compile(r"(\w+)(?:\{(.*)\})? (>|==) (\d+)")


@dataclass(frozen=True)
class Sample:
    """One line of a page."""

    name: str
    labels: dict[str, str]
    value: float


def samples(page: str) -> list[Sample]:
    """Read a page as Prometheus does."""
    return [
        Sample(sample.name, dict(sample.labels), sample.value)
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    ]


def rules() -> list[dict[str, Any]]:
    """Give every rule of the file."""
    (group,) = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def fires(expression: str, found: list[Sample]) -> bool:
    """Tell whether a comparison, or one of several, holds for any sample."""
    return any(_holds(part, found) for part in expression.split(" or "))


def _holds(comparison: str, found: list[Sample]) -> bool:
    whole = COMPARISON.fullmatch(comparison)
    assert whole, comparison
    metric, matchers, how, limit = whole.groups()
    wanted = {label: value for label, _, value in MATCHER.findall(matchers or "")}
    return any(
        sample.value > float(limit) if how == ">" else sample.value == float(limit)
        for sample in found
        if sample.name == metric and wanted.items() <= sample.labels.items()
    )
