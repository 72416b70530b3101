"""Words the notes on a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockdoctor.outputs.text.values import safe

if TYPE_CHECKING:
    from lockdoctor.domain.report.notes import Note


def note_text(note: Note) -> str:
    """Return one sentence."""
    if isinstance(note, str):
        return safe(note)
    what = f"{safe(note.where)}: the acceptance of {note.verdict.value}"
    if not note.has_expired:
        return f"{what} until {note.until} matches no finding"
    now = "it still matches a finding" if note.is_found else "it matches no finding"
    return f"{what} expired after {note.until}, and {now}"
