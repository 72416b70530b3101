"""What may be treated unattended: just under, at and over each limit."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockdoctor.domain.age import Age
from lockdoctor.domain.evidence import Standing
from lockdoctor.domain.journal import Action, Entry, Result
from lockdoctor.domain.policy import Policy, Rule, Treatment
from lockdoctor.domain.report import LockReport
from lockdoctor.domain.unattended import DAY_S, HARMLESS, Choice, Spare, choose
from lockdoctor.domain.verdicts import Confidence, VerdictKind
from tests.builders import (
    NOON,
    a_lock,
    a_lock_report,
    a_report,
    a_verdict,
    an_intent,
    an_outcome,
)

PREFIX = b"/my-lock/"
HELD_S = 1800.0


def a_treatment(**fields: Any) -> Treatment:
    return Treatment(**{"how": Action.RELEASE, "min_held_s": HELD_S, **fields})


def a_policy(treatment: Treatment | None, *others: Rule) -> Policy:
    return Policy(rules=(Rule(PREFIX, {}, treatment), *others))


def a_leak(
    name: bytes = b"/my-lock/orders",
    *,
    held_s: float = HELD_S,
    runs: int = 3,
    foreign: bool = False,
    **fields: Any,
) -> LockReport:
    lock = a_lock(name, foreign_holder=foreign)
    standing = Standing(runs=runs, for_s=600.0, since_at=NOON - 600)
    verdict = a_verdict(lock=lock, **{"evidence": (standing,), **fields})
    return a_lock_report(lock, verdict, age=Age(at_least_s=held_s))


def an_entry(at: float = NOON - 60, result: Result | None = Result.DONE, **fields: Any) -> Entry:
    told: dict[str, Any] = {
        "at": at,
        "treated_under": PREFIX,
        "cluster_id": a_report().cluster.cluster_id,
    }
    return Entry(an_intent(**told | fields), an_outcome(result=result) if result else None)


def choice(*leaks: LockReport, journal: tuple[Entry, ...] = (), **treatment: Any) -> Choice:
    return choose(a_report(*leaks), a_policy(a_treatment(**treatment)), journal)


def why(found: Choice) -> list[Spare]:
    assert not found.chosen
    return [spared.why for spared in found.spared]


def test_everything_in_favour_is_chosen() -> None:
    """A proven leak, held for long enough, found in enough runs, with room in the day."""
    (chosen,) = choice(a_leak()).chosen

    assert chosen.finding.verdict.lock == a_lock().id
    assert (chosen.prefix, chosen.treatment) == (PREFIX, a_treatment())


def test_without_a_rule_that_allows_it_nothing_is_treated() -> None:
    """No rule, a rule without a treatment, a longer rule without one: not even spared."""
    strict = Rule(b"/my-lock/orders", {})

    assert choose(a_report(a_leak()), Policy(), ()) == Choice((), ())
    assert choose(a_report(a_leak()), a_policy(None), ()) == Choice((), ())
    assert choose(a_report(a_leak()), a_policy(a_treatment(), strict), ()) == Choice((), ())


@pytest.mark.parametrize(
    "kind", [kind for kind in VerdictKind if kind is not VerdictKind.LEAKED_LOCK]
)
def test_no_other_verdict_is_treated(kind: VerdictKind) -> None:
    """Suspicions, sessions, eternal locks and all that are not called leaked are for people."""
    lock = a_leak()
    verdict = a_verdict(kind, evidence=lock.verdict.evidence)

    assert choice(a_lock_report(lock.lock, verdict, age=lock.age)) == Choice((), ())


@pytest.mark.parametrize("confidence", list(Confidence)[1:])
def test_only_what_is_proven_is_treated(confidence: Confidence) -> None:
    """However likely it is."""
    assert why(choice(a_leak(confidence=confidence))) == [Spare.NOT_PROVEN]


def test_a_hold_must_have_lasted() -> None:
    """A moment less than the least is too brief; the upper bound of an age does not count."""
    assert choice(a_leak(held_s=HELD_S)).chosen
    assert why(choice(a_leak(held_s=HELD_S - 0.1))) == [Spare.HELD_TOO_BRIEFLY]


def test_enough_runs_in_a_row_must_have_found_it() -> None:
    """Without a word on earlier runs there was this one alone."""
    assert choice(a_leak(runs=3)).chosen
    assert why(choice(a_leak(runs=2))) == [Spare.IN_TOO_FEW_RUNS]
    assert why(choice(a_leak(evidence=()), min_runs=2)) == [Spare.IN_TOO_FEW_RUNS]
    assert choice(a_leak(evidence=()), min_runs=1).chosen


def test_a_key_that_merely_lies_below_the_lock_is_left_alone() -> None:
    """It blocks the queue, and is something else's key."""
    assert why(choice(a_leak(foreign=True))) == [Spare.NO_CONTENDER]


def test_a_run_that_was_cut_short_treats_nothing() -> None:
    """Whoever ended it does not want it to go on."""
    report = a_report(a_leak(), interrupted="Ctrl-C")

    assert why(choose(report, a_policy(a_treatment()), ())) == [Spare.RUN_CUT_SHORT]


def test_the_longest_hold_goes_first_and_no_more_than_allowed() -> None:
    """What a run may not take on is left for the next one."""
    leaks = [a_leak(b"/my-lock/%d" % n, held_s=HELD_S + n) for n in range(5)]

    found = choice(*leaks, max_per_run=2)

    names = [chosen.finding.lock.lock.name for chosen in found.chosen if chosen.finding.lock]
    assert names == [b"/my-lock/4", b"/my-lock/3"]
    assert {spared.why for spared in found.spared} == {Spare.ENOUGH_IN_THIS_RUN}


@pytest.mark.parametrize("result", [None, *Result])
def test_the_budget_of_the_day_counts_what_may_have_been_done(result: Result | None) -> None:
    """An outcome that nobody knows uses it up; what surely wrote nothing does not."""
    found = choice(a_leak(), journal=(an_entry(result=result),), max_per_day=1)

    assert bool(found.chosen) == (result in HARMLESS)


def test_the_budget_is_of_a_day_a_prefix_and_a_cluster() -> None:
    """It is not used up by what was long ago, elsewhere, or done by a person."""
    elsewhere = (
        an_entry(NOON - DAY_S),
        an_entry(treated_under=b"/jobs/"),
        an_entry(treated_under=None),
        an_entry(cluster_id=0xC2),
    )

    assert choice(a_leak(), journal=elsewhere, max_per_day=1).chosen
    for recent in (an_entry(NOON - DAY_S + 1), an_entry(NOON + 3600)):
        assert why(choice(a_leak(), journal=(recent,), max_per_day=1)) == [Spare.ENOUGH_TODAY]


@given(
    leaks=st.lists(st.tuples(st.floats(0, 2 * HELD_S), st.integers(1, 5)), max_size=6),
    done=st.lists(st.tuples(st.floats(-2 * DAY_S, 0), st.none() | st.sampled_from(Result))),
    per_run=st.integers(1, 4),
    per_day=st.integers(1, 4),
)
def test_no_limit_is_ever_exceeded(
    leaks: list[tuple[float, int]],
    done: list[tuple[float, Result | None]],
    per_run: int,
    per_day: int,
) -> None:
    """Whatever was found and done before, each leak is chosen or told why not."""
    reports = [
        a_leak(b"/my-lock/%d" % n, held_s=held, runs=runs) for n, (held, runs) in enumerate(leaks)
    ]
    journal = tuple(an_entry(NOON + ago, result) for ago, result in done)

    found = choice(*reports, journal=journal, max_per_run=per_run, max_per_day=per_day)

    today = [e for e in journal if e.intent.at > NOON - DAY_S and e.result not in HARMLESS]
    assert len(found.chosen) <= min(per_run, max(0, per_day - len(today)))
    assert len(found.chosen) + len(found.spared) == len(leaks)
    for chosen in found.chosen:
        assert chosen.finding.lock is not None
        assert chosen.finding.lock.age is not None
        assert chosen.finding.lock.age.at_least_s >= HELD_S
