"""Findings for which different commands are suggested."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from lockdoctor.domain.evidence.verdicts import VerdictKind
from lockdoctor.domain.model.locks import Basis, Kind, Recipe
from lockdoctor.domain.report.findings import Finding
from tests.factories.report_examples import a_deadlock, an_eternal_lock, leaked_sessions
from tests.factories.reports import a_finding, a_key, a_lock, a_lock_report, a_verdict


def findings() -> Iterator[tuple[str, Finding]]:
    """Yield a finding of each verdict, then those whose commands differ; each with a title."""
    for kind in VerdictKind:
        if kind in {VerdictKind.LEAKED_SESSION, VerdictKind.SESSION_PILE_UP}:
            yield kind.value, Finding(dataclasses.replace(leaked_sessions(40), kind=kind), None)
        elif kind is not VerdictKind.DEADLOCK:
            yield kind.value, a_finding(a_lock_report(None, a_verdict(kind)))
    deadlock, stuck = a_deadlock().located_findings
    yield "deadlock", deadlock
    yield "stuck behind a deadlock", stuck
    limited = dataclasses.replace(a_lock_report(), max_hold_s=90.0)
    yield "leaked-lock, over its limit", a_finding(limited)
    yield "a key without a lease", a_finding(an_eternal_lock(b"-it's"))
    yield "a key that no shell can carry", a_finding(an_eternal_lock(b"a\x00b"))
    data = a_lock(b"data", holder=a_key(b"data"), kind=Kind.UNKNOWN, recipe=Recipe.LEASED_KEY)
    yield "what might be data", a_finding(a_lock_report(data, a_verdict(lock=data)))
    stated = a_lock(b"x", holder=a_key(b"x"), recipe=Recipe.SINGLE_KEY, basis=Basis.POLICY)
    yield "a kind that was stated", a_finding(a_lock_report(stated, a_verdict(lock=stated)))
    negative = a_lock(holder=a_key(lease_id=-5))
    yield "a negative lease ID", a_finding(a_lock_report(negative))
