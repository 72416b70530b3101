"""Every kind of evidence has its sentence; tests/approved has their words."""

from __future__ import annotations

from typing import get_args

import pytest

from lockdoctor.domain.evidence import Evidence
from lockdoctor.outputs.text.evidence import ENTRIES, clause
from tests.docs.pages import HEADING, anchor
from tests.factories.evidence import EVIDENCE
from tests.folders import ROOT


def test_no_kind_of_evidence_lacks_an_entry_or_an_example() -> None:
    """Each kind has its words, and an example whose sentence is approved."""
    assert set(ENTRIES) == set(get_args(Evidence))
    assert {type(evidence) for evidence in EVIDENCE} == set(get_args(Evidence))


def test_each_kind_of_evidence_is_described_and_no_other() -> None:
    """docs/evidence.md has one section for each kind, in any order."""
    headings = HEADING.findall((ROOT / "docs" / "evidence.md").read_text(encoding="utf-8"))
    sections = [f"docs/evidence.md#{anchor(each)}" for each in headings if each.startswith("`")]

    assert sorted(sections) == sorted(entry.anchor for entry in ENTRIES.values())


@pytest.mark.parametrize("evidence", EVIDENCE)
def test_clauses_fit_into_a_headline(evidence: Evidence) -> None:
    """Where evidence has a short form, it is short and on one line."""
    short = clause(evidence)

    assert short is None or (short.isprintable() and len(short) < 50)
