"""The sentence that is read first."""

from __future__ import annotations

from lockdoctor.domain.evidence.verdicts import VerdictKind
from lockdoctor.outputs.text.headline import NOUNS, headline
from tests.factories.report_examples import (
    a_leak,
)
from tests.factories.reports import a_report


def test_a_hostile_name_is_short_and_visible() -> None:
    """Ten thousand bytes and an escape sequence fit into the sentence."""
    text = headline(a_report(a_leak(b"\x1b[31m\n" + b"n" * 10_000)))

    assert text.isprintable()
    assert len(text) < 300


def test_every_verdict_has_a_noun() -> None:
    """Whoever adds a verdict says what it is called."""
    assert set(NOUNS) == set(VerdictKind)
