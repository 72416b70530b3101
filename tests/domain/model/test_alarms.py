"""The alarms of a cluster: which comes first, and what they forbid."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lockdoctor.cli.exit_codes import ExitStatus, scan_status
from lockdoctor.domain.check.health import Health
from lockdoctor.domain.evidence.verdicts import Severity
from lockdoctor.domain.model.actions import Action
from lockdoctor.domain.model.alarms import CORRUPT, NOSPACE, ClusterAlarm, is_raised, worst_first
from lockdoctor.domain.recipes.registry import built_in
from lockdoctor.domain.report.report import Report
from lockdoctor.domain.selfcheck.rules import CheckLevel, SelfCheckFacts, judge
from lockdoctor.domain.treatment.approval import FreshReadings, approve
from lockdoctor.domain.treatment.plan import Refusal, Selection, Target
from lockdoctor.domain.treatment.reasons import AlarmForbids
from lockdoctor.domain.treatment.selection import select
from lockdoctor.outputs.text.alarms import alarm_remedy, alarm_text
from tests.factories.checks import a_checkup, a_healthy_lock
from tests.factories.reports import HOLDER, NOON, a_lock_report, a_report, an_observation

FULL = ClusterAlarm(NOSPACE, 0xA1)
DAMAGED = ClusterAlarm(CORRUPT, 0)


def alarmed(report: Report, *alarms: ClusterAlarm) -> Report:
    return replace(report, cluster=replace(report.cluster, alarms=alarms))


def test_the_worst_comes_first_and_each_once() -> None:
    """CORRUPT stops more than NOSPACE; one that is not known comes last."""
    new = ClusterAlarm("NEW", 1)

    assert worst_first([new, FULL, FULL, DAMAGED]) == (DAMAGED, FULL, new)
    assert is_raised(NOSPACE, [FULL])
    assert not is_raised(CORRUPT, [FULL])
    assert not is_raised(NOSPACE, None)


def test_an_alarm_says_what_etcd_refuses() -> None:
    """With the member where etcd names one; of a new alarm only that it is raised."""
    assert alarm_text(FULL) == (
        "etcd alarm NOSPACE (member a1): its database is full, so etcd refuses new leases and new"
        " keys"
    )
    assert alarm_text(DAMAGED).startswith("etcd alarm CORRUPT: its members disagree")
    assert alarm_text(ClusterAlarm("NEW", 1)) == "etcd alarm NEW (member 1)"
    assert "etcdctl alarm disarm" in alarm_remedy(FULL)


@pytest.mark.parametrize("past_runs", [None, 0, 3])
@pytest.mark.parametrize("alarm", [FULL, DAMAGED, ClusterAlarm("NEW", 1)])
def test_a_check_is_critical(alarm: ClusterAlarm, past_runs: int | None) -> None:
    """Whatever the locks are like, in a first run too."""
    well = a_checkup(a_healthy_lock(), past_runs=past_runs)
    ill = replace(well, report=alarmed(well.report, alarm))

    assert well.health is Health.OK
    assert ill.health is Health.CRITICAL
    assert ill.report.severity is Severity.CRITICAL


def test_a_scan_has_found_something() -> None:
    """The status of a scan and of show."""
    report = a_report()

    assert scan_status(report, by_signal=False) is ExitStatus.NOTHING_FOUND
    assert scan_status(alarmed(report, FULL), by_signal=False) is ExitStatus.FINDINGS


@pytest.mark.parametrize(
    ("action", "alarm", "forbidden"),
    [
        (Action.REVOKE, FULL, None),
        (Action.RELEASE, FULL, None),
        (Action.QUARANTINE, FULL, NOSPACE),
        (Action.REVOKE, DAMAGED, CORRUPT),
        (Action.RELEASE, DAMAGED, CORRUPT),
        (Action.QUARANTINE, DAMAGED, CORRUPT),
        (Action.QUARANTINE, ClusterAlarm("NEW", 1), None),
    ],
)
def test_what_an_alarm_forbids_is_not_planned(
    action: Action, alarm: ClusterAlarm, forbidden: str | None
) -> None:
    """A quarantine grants and writes, which a full etcd refuses; a damaged one refuses all."""
    selection = Selection(action=action)
    (candidate,) = select(a_report(a_lock_report()), selection).candidates
    keys = {each.key.key: each.key for each in candidate.contenders}
    lease = an_observation(lease_id=HOLDER, attached_keys=tuple(keys))
    found = FreshReadings(lease=lease, keys=keys, alarms=(alarm,))
    planned = approve(candidate, found, selection, (b"/my-lock/",), built_in(), lambda _: "why")

    if forbidden is None:
        assert isinstance(planned, Target)
    else:
        assert isinstance(planned, Refusal)
        assert planned.reasons == (AlarmForbids(forbidden),)


def test_a_self_check_has_a_problem() -> None:
    """The first one of all."""
    found = judge(SelfCheckFacts(now=NOON, members=(), alarms=(FULL,)))

    assert found.has_problem
    assert (found.remarks[0].mark, found.remarks[0].fact) == (CheckLevel.PROBLEM, FULL)
