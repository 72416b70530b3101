"""The sentences of notes, and of what was not seen."""

from __future__ import annotations

from datetime import date

from lockdoctor.domain.evidence.verdicts import VerdictKind
from lockdoctor.domain.report.notes import AcceptanceWithoutEffect
from lockdoctor.domain.report.unseen import Part, UnseenReason
from lockdoctor.outputs.text.report import note_text
from lockdoctor.outputs.text.unseen import PARTS, REASONS

UNUSED = AcceptanceWithoutEffect(
    "x.toml line 7", VerdictKind.LEAKED_LOCK, date(2026, 3, 31), has_expired=False
)
EXPIRED = AcceptanceWithoutEffect(
    "x.toml line 7", VerdictKind.LEAKED_LOCK, date(2026, 3, 31), has_expired=True, is_found=True
)


def test_an_acceptance_without_effect() -> None:
    """It names the place to correct, and the day."""
    for note in (UNUSED, EXPIRED):
        assert note_text(note).startswith("x.toml line 7: ")
        assert "2026-03-31" in note_text(note)
    assert note_text(UNUSED) != note_text(EXPIRED)


def test_each_part_and_each_reason_has_its_words() -> None:
    """The tables are complete."""
    assert set(PARTS) == set(Part)
    assert set(REASONS) == set(UnseenReason)
