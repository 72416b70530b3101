"""What stands since an earlier run, and what stands no more."""

from __future__ import annotations

from lockdoctor.domain.evidence import Evidence, Standing
from lockdoctor.domain.locks import LockId, Recipe
from lockdoctor.domain.past import Past, PastFinding
from lockdoctor.domain.trend import Trend
from lockdoctor.domain.verdicts import VerdictKind
from tests.builders import a_lock_report, a_verdict

ORDERS = LockId(b"/my-lock/orders", Recipe.GO_MUTEX)


def a_trend(*findings: PastFinding) -> Trend:
    return Trend(Past(runs=3, findings=findings), now=1000.0)


def a_past_finding(kind: VerdictKind = VerdictKind.LEAKED_LOCK) -> PastFinding:
    return PastFinding(kind=kind, lock=ORDERS, since_at=400.0, runs=2)


def evidence() -> tuple[Evidence, ...]:
    """The evidence of a leak of orders in this run, as it was in the last."""
    report = a_lock_report(None, a_verdict(VerdictKind.LEAKED_LOCK))
    return a_trend(a_past_finding()).told(report).verdict.evidence


def test_a_finding_of_the_last_run_stands() -> None:
    """The same verdict on the same lock in the last run: it says for how many runs, since when."""
    assert Standing(runs=3, for_s=600.0, since_at=400.0) in evidence()


def test_a_new_finding_has_not_stood() -> None:
    """Another verdict, or another lock, in the last run is no standing finding."""
    verdict = a_verdict(VerdictKind.LEAKED_LOCK)
    other = a_past_finding(VerdictKind.SUSPECTED_LEAK)

    assert a_trend(other).with_standing(verdict) == verdict
    assert a_trend().with_standing(verdict) == verdict


def test_a_lock_without_any_finding_now_is_gone_from_the_findings() -> None:
    """What was found in the last run and is not any more is named."""
    healthy = a_lock_report(None, a_verdict(VerdictKind.HEALTHY))
    worse = a_lock_report(None, a_verdict(VerdictKind.LEAKED_LOCK))
    before = a_past_finding(VerdictKind.SUSPECTED_LEAK)

    assert a_trend(before).gone([healthy], []) == (before,)
    assert a_trend(before).gone([worse], []) == ()
