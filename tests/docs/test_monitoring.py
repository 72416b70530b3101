"""The alert rules and the dashboard: they ask only for what a check writes."""

from __future__ import annotations

import io
import itertools
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from lockdoctor.domain.check.health import AnyCheckResult
from lockdoctor.domain.evidence.verdicts import HARMLESS, VerdictKind
from lockdoctor.outputs.prometheus import PrometheusOutput
from tests.docs.alerts import MATCHER, RULES, Sample, fires, rules, samples
from tests.docs.pages import OPERATING, Page
from tests.factories.checks import FAILED, a_checkup, a_healthy_lock, a_leak
from tests.factories.reports import a_session
from tests.folders import ROOT

DASHBOARD = OPERATING / "grafana-dashboard.json"
OF_THE_SCRAPE = frozenset({"instance", "job"})
"""Labels that Prometheus adds."""

LANGUAGE = frozenset({"absent", "and", "by", "max", "or", "sum", "time", "unless"})
"""Words of PromQL that the expressions use."""

SELECTOR = re.compile(r"([a-zA-Z_:][\w:]*)?\{([^}]*)\}")
LABEL_VALUES = re.compile(r"^label_values\((\w+), (\w+)\)$")
WORD = re.compile(r"[a-zA-Z_:][\w:]*")


def page(checked: AnyCheckResult) -> list[Sample]:
    out = io.StringIO()
    PrometheusOutput().render(checked, out)
    return samples(out.getvalue())


LEAK = page(a_checkup(a_leak(), a_healthy_lock(), sessions=(a_session(),)))
WELL = page(a_checkup(a_healthy_lock(), sessions=(a_session(),)))
LABELS = {sample.name: sample.labels.keys() | OF_THE_SCRAPE for sample in LEAK}
VALUES = {
    (sample.name, label): {other.labels.get(label) for other in LEAK if other.name == sample.name}
    for sample in LEAK
    for label in sample.labels
}


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return found


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in rules())
    for panel in dashboard()["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    for variable in dashboard()["templating"]["list"]:
        if variable["type"] == "query":
            ((metric, label),) = LABEL_VALUES.findall(variable["query"])
            yield f'{metric}{{{label}=~".*"}}'


def unknown(expression: str) -> list[str]:
    """Name what an expression asks for that no check writes."""
    problems = []
    for metric, matchers in SELECTOR.findall(expression):
        for label, how, value in MATCHER.findall(matchers):
            if label not in LABELS.get(metric, ()):
                problems.append(f"{metric} has no label {label}")
            elif how == "=" and value not in VALUES[metric, label]:
                problems.append(f"{metric} has no {label} {value}")
    bare = re.sub(r"\bby \([^)]*\)", "", SELECTOR.sub(r"\1", expression))
    metrics = set(WORD.findall(bare)) - LANGUAGE
    problems += [f"no metric {metric}" for metric in sorted(metrics - LABELS.keys())]
    for names in re.findall(r"\bby \(([^)]*)\)", expression):
        known = set().union(*(LABELS[metric] for metric in metrics & LABELS.keys()))
        problems += [f"no label {name}" for name in names.split(", ") if name not in known]
    return problems


@pytest.mark.parametrize("expression", sorted({*expressions()}))
def test_every_expression_asks_for_what_a_check_writes(expression: str) -> None:
    """Metrics, labels and the values of labels, as they stand on a page of today."""
    assert unknown(expression) == []


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("lockdoctor_down == 0", "no metric lockdoctor_down"),
        ('lockdoctor_up{prefix="/a"} > 0', "lockdoctor_up has no label prefix"),
        ('lockdoctor_findings{severity="bad"} > 0', "lockdoctor_findings has no severity bad"),
        ("sum by (lease) (lockdoctor_locks)", "no label lease"),
    ],
)
def test_what_is_renamed_is_noticed(expression: str, problem: str) -> None:
    """The check above would fail."""
    assert unknown(expression) == [problem]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_a_rule_has_the_fields_of_an_alert(rule: dict[str, Any]) -> None:
    """Those of Prometheus, with a summary, a severity, and labels that its metric has."""
    assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"[A-Z]\w+", rule["alert"])
    assert re.fullmatch(r"\d+[smh]", rule.get("for", "0s"))
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert rule["annotations"]["summary"]
    used = set(re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"])))
    metrics = WORD.findall(SELECTOR.sub(r"\1", rule["expr"]))
    assert used <= set().union(*(LABELS.get(metric, set()) for metric in metrics))


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_the_runbook_of_a_rule_is_there(rule: dict[str, Any]) -> None:
    """For each verdict that the rule can be about."""
    name, _, heading = rule["annotations"]["runbook"].partition("#")
    anchors = Page(ROOT / name).anchors()
    findings = [kind.value for kind in VerdictKind if kind not in HARMLESS]

    for verdict in findings:
        assert heading.replace("{{ $labels.verdict }}", verdict) in anchors


@pytest.mark.parametrize(
    ("alert", "found", "fired"),
    [
        ("EtcdLockFindingCritical", LEAK, True),
        ("EtcdLockFindingCritical", WELL, False),
        ("EtcdLockFindingWarning", WELL, False),
        ("EtcdLockCheckUnknown", page(FAILED), True),
        ("EtcdLockCheckUnknown", LEAK, False),
        ("EtcdLockCheckUnknown", WELL, False),
        ("EtcdLockCheckSlow", WELL, False),
    ],
)
def test_a_rule_fires_where_it_should(alert: str, found: list[Sample], fired: bool) -> None:  # noqa: FBT001  # a case
    """On the page of a leak, of a healthy lock, of a check that failed."""
    (expression,) = (rule["expr"] for rule in rules() if rule["alert"] == alert)

    assert fires(expression, found) is fired


def test_promtool_accepts_the_rules() -> None:
    """Prometheus itself, where it is to be had."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("no promtool here")
    done = subprocess.run(
        [promtool, "check", "rules", str(RULES)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboard_is_laid_out() -> None:
    """Panels have numbers of their own, fit the 24 columns, and do not lie upon each other."""
    panels = dashboard()["panels"]
    taken = [
        (column, row)
        for panel in panels
        for column in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for row in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]

    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len(set(taken)) == len(taken)
    assert max(column for column, _ in taken) < 24
    assert all(panel["title"] and panel["description"] for panel in panels)
    assert {panel["type"] for panel in panels} <= {"stat", "table", "timeseries"}


def test_the_dashboard_uses_the_variables_that_it_has() -> None:
    """The data source is the reader's choice, as are instances and prefixes."""
    found = dashboard()
    variables = {variable["name"] for variable in found["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(found))) - {"__all"}
    places = itertools.chain(found["panels"], *(panel["targets"] for panel in found["panels"]))

    assert used == variables
    assert {place["datasource"]["uid"] for place in places} == {"${datasource}"}


def test_a_legend_names_labels_that_are_left() -> None:
    """After `sum by` only the named ones are."""
    for panel in dashboard()["panels"]:
        for target in panel["targets"]:
            used = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            kept = re.findall(r"by \(([^)]*)\)", target["expr"])
            assert used <= ({*kept[0].split(", ")} if kept else {"instance"}), target
