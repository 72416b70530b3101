"""The pages of `scan` and `show`, and what `check` prints as a table."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from lockdoctor.domain.model.alarms import ClusterAlarm
from lockdoctor.domain.model.locks import Kind, Recipe
from lockdoctor.domain.report.report import Report
from lockdoctor.outputs.table.check import CheckTable
from lockdoctor.outputs.table.explain import explanation_parts, summary_parts
from lockdoctor.outputs.table.report import TableOutput
from lockdoctor.outputs.table.show import MAX_QUEUED, show_parts
from lockdoctor.verdict_docs import Explanation
from tests.factories.checks import FAILED, a_checkup, a_healthy_lock
from tests.factories.pages import page
from tests.factories.report_examples import (
    a_deadlock,
    a_later_run,
    a_leak,
    a_proven_leak,
    an_election,
    an_undetermined_lock,
    everything,
)
from tests.factories.report_examples import a_healthy_lock as a_released_lock
from tests.factories.reports import (
    NOON,
    a_key,
    a_lock,
    a_lock_report,
    a_report,
    a_session,
    an_observation,
)
from tests.factories.treatment_examples import UNATTENDED

REPORTS: dict[str, Callable[[], Report]] = {
    "leaked_lock": lambda: a_report(a_proven_leak()),
    "nothing_found": lambda: a_report(a_released_lock(), an_election()),
    "everything": everything,
    "empty": a_report,
    "later_run": a_later_run,
    "deadlock": a_deadlock,
    "alarm": lambda: _with_alarms(a_report(a_proven_leak())),
    "interrupted": lambda: a_report(a_proven_leak(), interrupted="ended by SIGINT"),
    "many": lambda: a_report(*(a_leak(b"/my-lock/%d" % n) for n in range(60))),
}


def scan(report: Callable[[], Report], width: int) -> str:
    out = io.StringIO()
    TableOutput(width=width, colour=False).render(report(), out)
    return out.getvalue()


def show(report: Callable[[], Report]) -> str:
    return page(show_parts(report(), 80))


def check() -> str:
    out = io.StringIO()
    table = CheckTable(table=TableOutput(width=80, colour=False))
    for done in UNATTENDED:
        table.render(replace(a_checkup(a_healthy_lock()), unattended=done), out)
        out.write("-" * 80 + "\n")
    table.render(FAILED, out)
    return out.getvalue()


def explain() -> str:
    text = "**Means**: it.\n\n- one\n- two\n\n      a command\n"
    found = Explanation("long-ttl", text)
    return page(explanation_parts(found)) + "-" * 80 + "\n" + page(summary_parts([found]))


def _leak_with_waits() -> Report:
    return a_report(replace(a_leak(waiters=2), waited_s=(45.0, 0.0)))


def _free() -> Report:
    lock = replace(a_lock(), holder=None, waiters=())
    return a_report(a_lock_report(lock, age=None))


def _election() -> Report:
    name = b"/my-lock/leader"
    lock = a_lock(name, holder=a_key(name + b"/1", value=b"node-a"), recipe=Recipe.GO_ELECTION)
    return a_report(a_lock_report(replace(lock, kind=Kind.ELECTION)))


def _seen_earlier() -> Report:
    lock = a_leak(waiters=0)
    trace = lock.holder_trace
    assert trace is not None
    longer = replace(trace, readings=(an_observation(at=NOON - 7200), *trace.readings))
    return a_report(replace(lock, traces={trace.lease_id: longer}))


def _with_alarms(report: Report) -> Report:
    alarms = (ClusterAlarm("CORRUPT", 0), ClusterAlarm("NOSPACE", 0xA1), ClusterAlarm("NEW", 0))
    return replace(report, cluster=replace(report.cluster, alarms=alarms))


SHOWN: dict[str, Callable[[], Report]] = {
    "leak": _leak_with_waits,
    "free": _free,
    "election": _election,
    "earlier_runs": _seen_earlier,
    "session": lambda: a_report(sessions=(a_session(),)),
    "long_queue": lambda: a_report(a_lock_report(a_lock(waiters=MAX_QUEUED + 4))),
    "undetermined": lambda: a_report(an_undetermined_lock()),
}

PAGES: dict[str, Callable[[], str]] = {
    **{f"report/{name}": partial(scan, report, 80) for name, report in REPORTS.items()},
    "report/everything_160": partial(scan, everything, 160),
    "report/deadlock_160": partial(scan, a_deadlock, 160),
    **{f"show/{name}": partial(show, report) for name, report in SHOWN.items()},
    "check/table": check,
    "explain/verdict": explain,
}
