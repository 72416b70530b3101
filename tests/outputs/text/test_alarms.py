"""An alarm of etcd comes first in whatever people and programs read."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest

from lockdoctor.domain.check.health import CheckResult
from lockdoctor.domain.model.alarms import ClusterAlarm
from lockdoctor.domain.report.findings import LockReport
from lockdoctor.domain.report.report import Report
from lockdoctor.domain.selfcheck.rules import SelfCheckFacts, judge
from lockdoctor.domain.treatment.reasons import AlarmForbids
from lockdoctor.outputs.json.report import JsonOutput
from lockdoctor.outputs.json.treatment import write_treatment
from lockdoctor.outputs.nagios import NagiosOutput
from lockdoctor.outputs.table.parts.layout import write
from lockdoctor.outputs.table.report import TableOutput
from lockdoctor.outputs.table.selfcheck import selfcheck_parts
from lockdoctor.outputs.table.show import show_parts
from lockdoctor.outputs.table.treatment import plan_parts
from tests.factories.checks import a_checkup, a_healthy_lock, a_leak
from tests.factories.pages import page
from tests.factories.plans import a_plan, a_refusal, a_target
from tests.factories.reports import NOON, a_report, a_session
from tests.outputs.test_prometheus import samples, value

FULL = ClusterAlarm("NOSPACE", 0xA1)
SENTENCE = (
    "etcd alarm NOSPACE (member a1): its database is full, so etcd refuses new leases and new keys"
)
TO_DO = "compact and defragment etcd, then run `etcdctl alarm disarm`"


def alarmed(report: Report, *alarms: ClusterAlarm) -> Report:
    return replace(report, cluster=replace(report.cluster, alarms=alarms))


def checked(checkup: CheckResult, *alarms: ClusterAlarm) -> list[str]:
    out = io.StringIO()
    NagiosOutput().render(replace(checkup, report=alarmed(checkup.report, *alarms)), out)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("locks", [(), (a_leak(),), (a_healthy_lock(),)])
def test_a_report_begins_with_it(locks: tuple[LockReport, ...]) -> None:
    """Before any finding; then what to do."""
    out = io.StringIO()
    TableOutput(width=400, colour=False).render(alarmed(a_report(*locks), FULL), out)
    first, second, *_ = out.getvalue().splitlines()

    assert first.startswith(f"{SENTENCE}; ")
    assert second == f"What to do about NOSPACE: {TO_DO}"


def test_the_page_of_a_lease_begins_with_it() -> None:
    """One without keys has a headline of its own."""
    out = io.StringIO()
    report = alarmed(a_report(sessions=(a_session(),)), FULL)
    write(show_parts(report, 200), out, width=200, colour=False)

    assert out.getvalue().startswith(f"{SENTENCE}; Lease ")


@pytest.mark.parametrize("past_runs", [0, 3])
def test_a_status_line_begins_with_it(past_runs: int) -> None:
    """With findings and without, in the first run too; never twice."""
    for locks in ((), (a_leak(),), (a_healthy_lock(),)):
        first, second, third, *_ = checked(a_checkup(*locks, past_runs=past_runs), FULL)

        assert first.startswith(f"LOCKDOCTOR CRITICAL - {SENTENCE}; ")
        assert first.count("NOSPACE") == 1
        assert second == f"CRITICAL: {SENTENCE}"
        assert third == f"  What to do: {TO_DO}"


def test_the_gauge() -> None:
    """1 where it is raised, 0 where it is not, and no sample where it could not be seen."""
    checkup = a_checkup(a_healthy_lock())
    raised = samples(replace(checkup, report=alarmed(checkup.report, FULL)))
    well = samples(replace(checkup, report=alarmed(checkup.report)))

    assert value(raised, "etcd_alarm", alarm="NOSPACE") == 1
    assert value(raised, "etcd_alarm", alarm="CORRUPT") == 0
    assert value(well, "etcd_alarm", alarm="NOSPACE") == 0
    assert value(samples(checkup), "etcd_alarm", alarm="NOSPACE") is None


def test_the_document_of_a_scan() -> None:
    """A list, null where it could not be seen."""

    def document(report: Report) -> object:
        out = io.StringIO()
        JsonOutput().render(report, out)
        return json.loads(out.getvalue())["cluster"]["alarms"]

    corrupt = ClusterAlarm("CORRUPT", 0)
    assert document(a_report()) is None
    assert document(alarmed(a_report())) == []
    assert document(alarmed(a_report(), corrupt, FULL)) == [
        {"alarm": "CORRUPT", "member": None},
        {"alarm": "NOSPACE", "member": "a1"},
    ]


def test_a_self_check_does_not_say_that_everything_works() -> None:
    """The alarm is the problem that the first line names."""
    found = judge(SelfCheckFacts(now=NOON, members=(), alarms=(FULL,)))
    text = page(selfcheck_parts(found, ()), 200)

    assert text.startswith(f"1 problem: cluster: {SENTENCE}\n")


def test_a_plan_begins_with_it() -> None:
    """As text and as JSON; what it forbids says so, and names what is left."""
    refusal = a_refusal(reasons=(AlarmForbids("NOSPACE"),))
    plan = a_plan(a_target(), refused=(refusal,), alarms=(FULL,))
    text, document = page(plan_parts(plan), 200), io.StringIO()
    write_treatment(plan, None, document)

    first, second, *_ = text.splitlines()
    assert (first, second.strip()) == (SENTENCE, f"What to do: {TO_DO}")
    assert (
        "etcd refuses this while its alarm NOSPACE is raised."
        " `--how release` and `--how revoke` are still possible." in text
    )
    told = json.loads(document.getvalue())["plan"]
    assert told["alarms"] == [{"alarm": "NOSPACE", "member": "a1"}]
    (reason,) = told["refused"][0]["reasons"]
    assert (reason["kind"], reason["alarm"]) == ("alarm-forbids", "NOSPACE")
