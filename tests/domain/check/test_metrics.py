"""The numbers of a run, and limits for them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from lockdoctor.domain.check.metrics import IN_SECONDS, NAMES, MetricLimits, metrics
from lockdoctor.domain.check.ranges import parse_range
from lockdoctor.domain.evidence.verdicts import Accepted, Severity, VerdictKind
from lockdoctor.domain.inference.hold_age import HoldAge
from lockdoctor.domain.model.locks import Kind
from lockdoctor.domain.report.report import Report
from lockdoctor.domain.report.unseen import Part, Unseen
from tests.factories.reports import a_lock, a_lock_report, a_report, a_session, a_verdict

LEAK = a_lock_report(a_lock(waiters=2), age=HoldAge(at_least_s=400.0))
ETERNAL_LOCK = a_lock(b"/my-lock/mail", waiters=1)
ETERNAL = a_lock_report(
    ETERNAL_LOCK,
    a_verdict(VerdictKind.ETERNAL_LOCK, lock=ETERNAL_LOCK),
    age=HoldAge(at_least_s=90.0),
)
LEADER_LOCK = a_lock(b"/my-lock/leader", kind=Kind.ELECTION)
LEADER = a_lock_report(
    LEADER_LOCK, a_verdict(VerdictKind.HEALTHY, lock=LEADER_LOCK), age=HoldAge(at_least_s=9e6)
)
REPORT = a_report(LEAK, ETERNAL, LEADER, sessions=(a_session(1), a_session(2)), past_runs=1)


def limits(*, warning: dict[str, str] | None = None, **critical: str) -> MetricLimits:
    return MetricLimits(
        warning={name: parse_range(text) for name, text in (warning or {}).items()},
        critical={name: parse_range(text) for name, text in critical.items()},
    )


def test_numbers_of_a_run() -> None:
    """Each lock, holder, waiter, leak, finding and session counts once; elections have no age."""
    found = metrics(REPORT, took_s=1.5)

    assert found.by_name == {
        "locks": 3,
        "held": 3,
        "waiters": 3,
        "leaked": 1,
        "findings": 2,
        "accepted": 0,
        "treated": 0,
        "sessions": 2,
        "oldest_hold": 400.0,
        "lookups": 36,
        "seconds": 1.5,
    }


def test_a_key_that_may_be_no_lock_is_not_counted_as_held() -> None:
    """Nor are those behind it counted as waiters, nor is its age that of a hold."""
    guess = a_lock(b"/my-lock/x", waiters=2, kind=Kind.UNKNOWN)
    blocked = a_lock(b"/my-lock/y", waiters=1, foreign_holder=True, foreign_kind=Kind.REGISTRATION)
    reports = (
        a_lock_report(
            lock, a_verdict(VerdictKind.UNDETERMINED, lock=lock), age=HoldAge(at_least_s=9e6)
        )
        for lock in (guess, blocked)
    )
    found = metrics(a_report(*reports), took_s=1.5)

    assert (found.locks, found.held, found.waiters, found.oldest_hold_s) == (2, 1, 1, 0.0)


def test_names_are_those_of_the_metrics() -> None:
    """What can be limited is what is counted."""
    assert tuple(metrics(REPORT, 0.0).by_name) == NAMES
    assert set(NAMES) > IN_SECONDS


def test_an_empty_prefix_has_no_oldest_hold() -> None:
    """Nothing held is 0 seconds, as graphs want it."""
    found = metrics(a_report(past_runs=3), took_s=0.1)

    assert (found.locks, found.held, found.waiters, found.oldest_hold_s) == (0, 0, 0, 0.0)


def test_what_is_accepted_is_counted_apart() -> None:
    """An accepted leak is no leak, no finding and no oldest hold; its waiters still wait."""
    why = Accepted(date(2026, 3, 31), "known")
    known = replace(LEAK, verdicts=tuple(replace(each, accepted=why) for each in LEAK.verdicts))

    found = metrics(a_report(known, ETERNAL, past_runs=1), took_s=1.5)

    assert (found.leaked, found.findings, found.accepted) == (0, 1, 1)
    assert (found.oldest_hold_s, found.waiters) == (90.0, 3)


@pytest.mark.parametrize(
    "report",
    [
        a_report(unseen=(Unseen(what=Part.LEASE_LIST, count=None, why="denied"),), past_runs=1),
        a_report(
            unseen=(Unseen(what=Part.KEYLESS_LEASES, count=None, why="unasked"),), past_runs=1
        ),
        a_report(window_s=0.0, past_runs=0),
        a_report(window_s=0.0, past_runs=None),
    ],
)
def test_sessions_that_were_not_seen_are_not_zero(report: Report) -> None:
    """Where leases could not be listed, or one look alone was taken, nobody knows their number."""
    assert metrics(report, took_s=0.1).sessions is None


def test_nothing_alarms_without_limits() -> None:
    """Numbers alone are no reason to alarm."""
    assert MetricLimits(warning={}, critical={}).alarms(metrics(REPORT, 1.5)) == ()


def test_worst_limit_alarms_once() -> None:
    """A metric outside both of its ranges is critical, and critical ones come first."""
    both = limits(warning={"locks": "2", "waiters": "2"}, waiters="2")

    found = [(alarm.metric, alarm.severity) for alarm in both.alarms(metrics(REPORT, 1.5))]

    assert found == [("waiters", Severity.CRITICAL), ("locks", Severity.WARNING)]


@pytest.mark.parametrize(("limit", "alarms"), [("3", False), ("2", True), ("2.9", True)])
def test_end_of_a_range_is_still_fine(limit: str, *, alarms: bool) -> None:
    """Three waiters are within 3, and beyond 2."""
    assert bool(limits(waiters=limit).alarms(metrics(REPORT, 1.5))) is alarms


def test_what_is_not_known_does_not_alarm() -> None:
    """A number that could not be had is neither too high nor too low."""
    unknown = metrics(a_report(window_s=0.0, past_runs=0), took_s=0.1)

    assert limits(sessions="5:").alarms(unknown) == ()
