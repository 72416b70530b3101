"""What may be treated unattended: just under, at and over each limit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockdoctor.domain.evidence.age import SeenInEarlierRuns
from lockdoctor.domain.evidence.verdicts import Confidence, VerdictKind
from lockdoctor.domain.inference.hold_age import HoldAge
from lockdoctor.domain.model.actions import Action, Result
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.model.locks import Basis, Kind
from lockdoctor.domain.policy.policy import Policy, Rule, Treatment
from lockdoctor.domain.report.findings import LockReport
from lockdoctor.domain.treatment.journal_entry import Entry
from lockdoctor.domain.treatment.unattended import (
    DAY_S,
    HARMLESS,
    MAX_WATCHED,
    TreatmentChoice,
    TreatmentSkipReason,
    choose,
    to_watch,
)
from tests.factories.reports import (
    HOLDER,
    NOON,
    a_key,
    a_lock,
    a_lock_report,
    a_report,
    a_trace,
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
    lease_id: int = HOLDER,
    **fields: Any,
) -> LockReport:
    lock = a_lock(name, holder=a_key(lock=name, lease_id=lease_id), foreign_holder=foreign)
    standing = SeenInEarlierRuns(runs=runs, for_s=600.0, since_at=NOON - 600)
    verdict = a_verdict(lock=lock, **{"evidence": (standing,), **fields})
    return a_lock_report(lock, verdict, age=HoldAge(at_least_s=held_s))


def an_entry(at: float = NOON - 60, result: Result | None = Result.DONE, **fields: Any) -> Entry:
    told: dict[str, Any] = {
        "at": at,
        "treated_under": PREFIX,
        "cluster_id": a_report().cluster.cluster_id,
    }
    return Entry(an_intent(**told | fields), an_outcome(result=result) if result else None)


def choice(
    *leaks: LockReport, journal: tuple[Entry, ...] = (), **treatment: Any
) -> TreatmentChoice:
    return choose(a_report(*leaks), a_policy(a_treatment(**treatment)), journal)


def why(found: TreatmentChoice) -> list[TreatmentSkipReason]:
    assert not found.chosen
    return [skipped.why for skipped in found.skipped]


def test_everything_in_favour_is_chosen() -> None:
    """A proven leak, held for long enough, found in enough runs, with room in the day."""
    (chosen,) = choice(a_leak()).chosen

    assert chosen.finding.verdict.lock == a_lock().id
    assert (chosen.prefix, chosen.treatment) == (PREFIX, a_treatment())


def test_without_a_rule_that_allows_it_nothing_is_treated() -> None:
    """No rule, a rule without a treatment, a longer rule without one: not even spared."""
    strict = Rule(b"/my-lock/orders", {})

    assert choose(a_report(a_leak()), Policy(), ()) == TreatmentChoice((), ())
    assert choose(a_report(a_leak()), a_policy(None), ()) == TreatmentChoice((), ())
    assert choose(a_report(a_leak()), a_policy(a_treatment(), strict), ()) == TreatmentChoice(
        (), ()
    )


@pytest.mark.parametrize(
    "kind", [kind for kind in VerdictKind if kind is not VerdictKind.LEAKED_LOCK]
)
def test_no_other_verdict_is_treated(kind: VerdictKind) -> None:
    """Suspicions, sessions, eternal locks and all that are not called leaked are for people."""
    lock = a_leak()
    verdict = a_verdict(kind, evidence=lock.verdict.evidence)

    assert choice(a_lock_report(lock.lock, verdict, age=lock.age)) == TreatmentChoice((), ())


@pytest.mark.parametrize("confidence", list(Confidence)[1:])
def test_only_what_is_proven_is_treated(confidence: Confidence) -> None:
    """However likely it is."""
    assert why(choice(a_leak(confidence=confidence))) == [TreatmentSkipReason.NOT_PROVEN]


@pytest.mark.parametrize("basis", list(Basis))
def test_only_a_lock_that_is_known_is_treated(basis: Basis) -> None:
    """A proof of the leak is none where the kind of the key is only likely."""
    leak = a_leak()
    kind = Kind.UNKNOWN if basis is Basis.UNKNOWN else Kind.LOCK
    found = choice(replace(leak, lock=replace(leak.lock, kind=kind, basis=basis)))

    assert bool(found.chosen) is basis.is_certain
    if not basis.is_certain:
        assert why(found) == [TreatmentSkipReason.NOT_PROVEN]


def test_a_hold_must_have_lasted() -> None:
    """A moment less than the least is too brief; the upper bound of an age does not count."""
    assert choice(a_leak(held_s=HELD_S)).chosen
    assert why(choice(a_leak(held_s=HELD_S - 0.1))) == [TreatmentSkipReason.HELD_TOO_BRIEFLY]


def test_enough_runs_in_a_row_must_have_found_it() -> None:
    """Without a word on earlier runs there was this one alone."""
    assert choice(a_leak(runs=3)).chosen
    assert why(choice(a_leak(runs=2))) == [TreatmentSkipReason.IN_TOO_FEW_RUNS]
    assert why(choice(a_leak(evidence=()), min_runs=2)) == [TreatmentSkipReason.IN_TOO_FEW_RUNS]
    assert choice(a_leak(evidence=()), min_runs=1).chosen


def test_a_key_that_merely_lies_below_the_lock_is_left_alone() -> None:
    """It blocks the queue, and is something else's key."""
    assert why(choice(a_leak(foreign=True))) == [TreatmentSkipReason.NO_CONTENDER]


def test_a_run_that_was_cut_short_treats_nothing() -> None:
    """Whoever ended it does not want it to go on."""
    report = a_report(a_leak(), interrupted="Ctrl-C")

    assert why(choose(report, a_policy(a_treatment()), ())) == [TreatmentSkipReason.RUN_CUT_SHORT]


def test_the_longest_hold_goes_first_and_no_more_than_allowed() -> None:
    """What a run may not take on is left for the next one."""
    leaks = [a_leak(b"/my-lock/%d" % n, held_s=HELD_S + n) for n in range(5)]

    found = choice(*leaks, max_per_run=2)

    names = [chosen.finding.lock.lock.name for chosen in found.chosen if chosen.finding.lock]
    assert names == [b"/my-lock/4", b"/my-lock/3"]
    assert {skipped.why for skipped in found.skipped} == {TreatmentSkipReason.ENOUGH_IN_THIS_RUN}


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
        assert why(choice(a_leak(), journal=(recent,), max_per_day=1)) == [
            TreatmentSkipReason.ENOUGH_TODAY
        ]


def unseen(lock: LockReport, *looks: tuple[float, int], **fields: Any) -> LockReport:
    """The same leak, whose lease was read at these seconds before and after noon."""
    lease_id = next(iter(lock.traces))
    found = a_trace(*(looks or ((-330.0, 44), (1.0, 44))), lease_id=lease_id, **fields)
    return replace(lock, traces={lease_id: found})


@pytest.mark.parametrize(
    ("looks", "seen"),
    [
        (((-330.0, 44), (1.0, 44)), False),  # two checks five minutes apart
        (((-60.0, 44), (0.0, 44)), False),
        (((-59.9, 44), (0.0, 44)), True),  # the last reading of the check before, and this one
        (((-59.9, 44), (-0.1, 44)), False),  # of two checks before this one
    ],
)
def test_a_renewal_must_be_seen_and_not_only_inferred(
    looks: tuple[tuple[float, int], ...],
    seen: bool,  # noqa: FBT001
) -> None:
    """Between two readings less than a TTL apart, the later one of this run."""
    found = choice(unseen(a_leak(), *looks))

    assert bool(found.chosen) is seen
    assert seen or why(found) == [TreatmentSkipReason.RENEWAL_UNSEEN]


def test_a_lease_that_is_about_to_be_treated_is_watched() -> None:
    """What was seen to be renewed since takes the place; what was not leaves it to the next."""
    leaks = [unseen(a_leak(b"/my-lock/%d" % n, held_s=HELD_S + n, lease_id=n)) for n in range(1, 4)]
    report, policy = a_report(*leaks), a_policy(a_treatment(max_per_run=1))

    first = choose(report, policy, ())
    assert to_watch(first) == (3, 2, 1)

    again = choose(report, policy, (), renewed={LeaseId(1), LeaseId(2)})
    (chosen,) = again.chosen
    assert chosen.finding.verdict.leases == (2,)
    assert [skipped.why for skipped in again.skipped] == [
        TreatmentSkipReason.RENEWAL_UNSEEN,
        TreatmentSkipReason.ENOUGH_IN_THIS_RUN,
    ]


def test_nothing_is_watched_that_would_not_be_treated() -> None:
    """A check that treats nothing, or nothing more today, takes no longer for it."""
    skipped = [
        choice(unseen(a_leak(runs=2))),
        choice(unseen(a_leak()), journal=(an_entry(),), max_per_day=1),
        choice(a_leak()),
    ]

    assert [to_watch(each) for each in skipped] == [(), (), ()]


@pytest.mark.parametrize(("granted_ttl_s", "watched"), [(358, True), (359, False), (3600, False)])
def test_a_lease_that_is_renewed_too_seldom_is_not_watched(
    granted_ttl_s: int,
    watched: bool,  # noqa: FBT001
) -> None:
    """Two minutes would not show it; the readings of two checks do, where they are frequent."""
    looks = ((-4000.0, 100), (0.0, 100))
    found = choice(unseen(a_leak(), *looks, granted_ttl_s=granted_ttl_s))

    assert bool(to_watch(found)) is watched


def test_no_more_leases_are_watched_than_a_second_allows() -> None:
    """Those of the longest holds."""
    leaks = [
        unseen(a_leak(b"/my-lock/%d" % n, held_s=HELD_S + n, lease_id=n))
        for n in range(1, MAX_WATCHED + 9)
    ]

    assert to_watch(choice(*leaks)) == tuple(range(MAX_WATCHED + 8, 8, -1))


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
    assert len(found.chosen) + len(found.skipped) == len(leaks)
    for chosen in found.chosen:
        assert chosen.finding.lock is not None
        assert chosen.finding.lock.age is not None
        assert chosen.finding.lock.age.at_least_s >= HELD_S
