"""What is accepted, until when, and what is said of an acceptance that does nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from lockdoctor.domain.check.accepted_findings import Acceptance, accept
from lockdoctor.domain.evidence.age import WithinLimit
from lockdoctor.domain.evidence.verdicts import Accepted, Severity, Verdict, VerdictKind
from lockdoctor.domain.model.locks import Recipe
from lockdoctor.domain.report.findings import LockReport
from lockdoctor.domain.report.notes import AcceptanceWithoutEffect
from lockdoctor.domain.report.report import Report
from lockdoctor.domain.report.unseen import Part, Unseen, UnseenReason
from tests.factories.report_examples import a_mentioned_hold
from tests.factories.reports import a_key, a_lock, a_lock_report, a_report, a_verdict

LAST_DAY = date(2026, 3, 31)
DAY_AFTER = date(2026, 4, 1)
ACCEPTED = Accepted(LAST_DAY, "rewritten in March")
OF_SESSIONS = replace(a_verdict(VerdictKind.LEAKED_SESSION), lock=None, key=None)
FAILED = Unseen(what=Part.LEASES, count=3, why="etcd timed out", is_failure=True)
NO_LIST = Unseen(what=Part.KEYLESS_LEASES, count=None, why=UnseenReason.NOT_REQUESTED)


def an_acceptance(**fields: Any) -> Acceptance:
    subject = {} if {"lock", "prefix", "key"} & {*fields} else {"lock": b"/my-lock/orders"}
    common = {"verdict": VerdictKind.LEAKED_LOCK, "until": LAST_DAY, "where": "x.toml line 7"}
    return Acceptance(**{"reason": "rewritten in March", **common, **subject, **fields})


def of_sessions(kind: VerdictKind = VerdictKind.LEAKED_SESSION) -> Acceptance:
    return replace(an_acceptance(verdict=kind), lock=None)


def a_lock_with(*kinds: VerdictKind, name: bytes = b"/my-lock/orders") -> LockReport:
    lock = a_lock(name)
    report = a_lock_report(lock, a_verdict(lock=lock))
    return replace(report, verdicts=tuple(a_verdict(kind, lock=lock) for kind in kinds))


def judged(acceptance: Acceptance, *locks: LockReport, today: date = LAST_DAY) -> Report:
    return accept(a_report(*locks, past_runs=3), [acceptance], today)


def is_accepted(acceptance: Acceptance, kind: VerdictKind, name: bytes) -> bool:
    return judged(acceptance, a_lock_with(kind, name=name)).findings == ()


def a_note(*, has_expired: bool = False, is_found: bool = False) -> AcceptanceWithoutEffect:
    """A note on the acceptance of these tests."""
    return AcceptanceWithoutEffect(
        "x.toml line 7",
        VerdictKind.LEAKED_LOCK,
        LAST_DAY,
        has_expired=has_expired,
        is_found=is_found,
    )


def test_accepted_finding_is_none() -> None:
    """It alarms no more, and says until when and why."""
    report = judged(an_acceptance(), a_lock_with(VerdictKind.LEAKED_LOCK))

    assert report.findings == ()
    assert report.severity is Severity.OK
    assert [finding.verdict.accepted for finding in report.accepted] == [ACCEPTED]
    assert report.notes == ()


def test_last_day_counts_the_next_does_not() -> None:
    """On the day after its last an acceptance accepts nothing, and is told of."""
    lock = a_lock_with(VerdictKind.LEAKED_LOCK)

    assert judged(an_acceptance(), lock, today=LAST_DAY).findings == ()
    expired = judged(an_acceptance(), lock, today=DAY_AFTER)
    assert len(expired.findings) == 1
    assert expired.notes == (a_note(has_expired=True, is_found=True),)


def test_expired_acceptance_that_nothing_needs() -> None:
    """It is told of as well: somebody can remove it."""
    notes = judged(an_acceptance(), today=DAY_AFTER).notes

    assert notes == (a_note(has_expired=True),)


@pytest.mark.parametrize(
    ("acceptance", "name", "fits"),
    [
        (an_acceptance(lock=b"/a/b"), b"/a/b", True),
        (an_acceptance(lock=b"/a/b"), b"/a/bc", False),
        (an_acceptance(prefix=b"/a/"), b"/a/b", True),
        (an_acceptance(prefix=b"/a/"), b"/a", True),
        (an_acceptance(prefix=b"/a/"), b"/ab", False),
        (an_acceptance(prefix=b""), b"/a", True),
        (an_acceptance(key=a_key(lock=b"/a/b").key), b"/a/b", True),
        (an_acceptance(key=b"/a/b"), b"/a/b", False),
        (of_sessions(), b"/a/b", False),
    ],
)
def test_what_it_is_about(acceptance: Acceptance, name: bytes, *, fits: bool) -> None:
    """One lock by its name, all below a prefix, or one key; nothing else."""
    kind = acceptance.verdict

    assert is_accepted(acceptance, kind, name) is fits


@pytest.mark.parametrize(
    ("verdict", "found", "fits"),
    [
        (VerdictKind.LEAKED_LOCK, VerdictKind.SUSPECTED_LEAK, True),
        (VerdictKind.SUSPECTED_LEAK, VerdictKind.LEAKED_LOCK, False),
        (VerdictKind.LEAKED_LOCK, VerdictKind.LONG_TTL, False),
        (VerdictKind.LONG_TTL, VerdictKind.LONG_TTL, True),
    ],
)
def test_which_verdict_it_accepts(verdict: VerdictKind, found: VerdictKind, *, fits: bool) -> None:
    """Its own, and the same with less proof; never more than was accepted."""
    assert is_accepted(an_acceptance(verdict=verdict), found, b"/my-lock/orders") is fits


def test_another_finding_on_the_same_lock_alarms() -> None:
    """A leak that is accepted does not hide that the TTL is too long as well."""
    report = judged(an_acceptance(), a_lock_with(VerdictKind.LEAKED_LOCK, VerdictKind.LONG_TTL))

    assert [finding.kind for finding in report.findings] == [VerdictKind.LONG_TTL]
    assert len(report.accepted) == 1


def test_accepted_locks_come_after_those_with_findings() -> None:
    """The worst stay first."""
    known = a_lock_with(VerdictKind.LEAKED_LOCK)
    other = a_lock_with(VerdictKind.LATE_RENEWAL, name=b"/my-lock/z")

    assert [lock.lock.name for lock in judged(an_acceptance(), known, other).locks] == [
        b"/my-lock/z",
        b"/my-lock/orders",
    ]


@pytest.mark.parametrize(
    ("kind", "found", "fits"),
    [
        (VerdictKind.LEAKED_SESSION, VerdictKind.LEAKED_SESSION, True),
        (VerdictKind.SESSION_PILE_UP, VerdictKind.LEAKED_SESSION, True),
        (VerdictKind.LEAKED_SESSION, VerdictKind.SESSION_PILE_UP, False),
    ],
)
def test_leaked_sessions_can_be_accepted(
    kind: VerdictKind, found: VerdictKind, *, fits: bool
) -> None:
    """They belong to no lock; a leak that has become a pile-up is another matter."""
    verdict: Verdict = replace(OF_SESSIONS, kind=found)
    report = accept(a_report(session_verdicts=(verdict,)), [of_sessions(kind)], LAST_DAY)

    assert (report.findings == ()) is fits


def test_longest_of_several_acceptances_stands() -> None:
    """Where two accept the same, neither is idle, and the later date is told."""
    sooner = an_acceptance(prefix=b"/my-lock/", until=date(2026, 2, 1), reason="sooner")
    report = accept(
        a_report(a_lock_with(VerdictKind.LEAKED_LOCK), past_runs=1),
        [sooner, an_acceptance()],
        date(2026, 1, 1),
    )

    assert [finding.verdict.accepted for finding in report.accepted] == [ACCEPTED]
    assert report.notes == ()


def test_acceptance_of_a_hold_that_is_within_another_limit_is_not_idle() -> None:
    """A check by hand with a longer --max-hold finds no leak; the hold stands all the same."""
    lock = a_lock()
    fine = a_verdict(VerdictKind.HEALTHY, lock=lock, evidence=(WithinLimit(limit_s=86_400.0),))

    assert judged(an_acceptance(), a_lock_report(lock, fine)).notes == ()


def test_acceptance_that_matches_nothing_is_told() -> None:
    """Whoever mended the leak should remove the acceptance."""
    report = judged(an_acceptance(), a_lock_with(VerdictKind.HEALTHY))

    assert report.notes == (a_note(),)


@pytest.mark.parametrize(
    "fields",
    [
        {"past_runs": 0, "window_s": 0.0},
        {"past_runs": None, "window_s": 0.0},
        {"interrupted": "Ctrl-C"},
        {"unseen": (FAILED,)},
        {"prefixes": (b"/other/",)},
        {"prefixes": (b"/my-lock/orders/deeper/",)},
        {"locks": (a_lock_with(VerdictKind.UNDETERMINED),)},
        {"locks": (a_mentioned_hold(b"/my-lock/orders"),)},
    ],
)
def test_run_that_could_not_know_says_nothing_of_it(fields: dict[str, Any]) -> None:
    """A first look, half a run, another prefix or an open case: nobody knows that it is idle."""
    report = a_report(**{"past_runs": 3, **fields})

    assert accept(report, [an_acceptance()], LAST_DAY).notes == ()


def test_sessions_that_were_not_looked_at() -> None:
    """Without the list of leases nobody knows whether sessions still leak."""
    seen, unseen = a_report(past_runs=3), a_report(past_runs=3, unseen=(NO_LIST,))

    assert accept(unseen, [of_sessions()], LAST_DAY).notes == ()
    assert len(accept(seen, [of_sessions()], LAST_DAY).notes) == 1


def test_an_unaccepted_report_stays_as_it_is() -> None:
    """Without acceptances nothing changes, not even the order."""
    report = a_report(
        a_lock_with(VerdictKind.LEAKED_LOCK),
        a_lock_report(a_lock(b"/z", recipe=Recipe.PYTHON_ETCD3)),
    )

    assert accept(report, [], LAST_DAY) is report
