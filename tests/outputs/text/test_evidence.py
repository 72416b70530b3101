"""Every kind of evidence has its sentence."""

from __future__ import annotations

from typing import get_args

import pytest

from lockdoctor.domain.evidence import Evidence
from lockdoctor.outputs.text.evidence import clause, sentence
from tests.factories.report_examples import EVIDENCE


@pytest.mark.parametrize(("evidence", "text"), EVIDENCE)
def test_evidence_in_words(evidence: Evidence, text: str) -> None:
    """The sentence has the numbers and claims no more than they prove."""
    assert sentence(evidence) == text


def test_no_kind_of_evidence_lacks_an_example() -> None:
    """Whoever adds evidence adds its sentence, here and in the JSON Schema."""
    assert {type(evidence) for evidence, _ in EVIDENCE} == set(get_args(Evidence))


@pytest.mark.parametrize(("evidence", "_"), EVIDENCE)
def test_clauses_fit_into_a_headline(evidence: Evidence, _: str) -> None:
    """Where evidence has a short form, it is short and on one line."""
    short = clause(evidence)

    assert short is None or (short.isprintable() and len(short) < 50)
