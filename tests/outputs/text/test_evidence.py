"""Every kind of evidence has its sentence; tests/approved has their words."""

from __future__ import annotations

from typing import get_args

import pytest

from lockdoctor.domain.evidence import Evidence
from lockdoctor.outputs.text.evidence import clause
from tests.factories.evidence import EVIDENCE


def test_no_kind_of_evidence_lacks_an_example() -> None:
    """Whoever adds evidence adds an example, whose sentence is approved."""
    assert {type(evidence) for evidence in EVIDENCE} == set(get_args(Evidence))


@pytest.mark.parametrize("evidence", EVIDENCE)
def test_clauses_fit_into_a_headline(evidence: Evidence) -> None:
    """Where evidence has a short form, it is short and on one line."""
    short = clause(evidence)

    assert short is None or (short.isprintable() and len(short) < 50)
