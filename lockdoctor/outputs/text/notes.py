"""Words the notes on a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockdoctor.domain.report.notes import HistoryNotPruned, KeysLeftOut
from lockdoctor.outputs.text.values import safe

if TYPE_CHECKING:
    from lockdoctor.domain.report.notes import Note


def note_text(note: Note) -> str:
    """Return one sentence."""
    match note:
        case str():
            return safe(note)
        case HistoryNotPruned(why):
            return f"This run is stored, but the history was not pruned: {safe(why)}"
        case KeysLeftOut(count):
            return f"{count:,} more keys of the lease were not examined"
    what = f"{safe(note.where)}: the acceptance of {note.verdict.value}"
    if not note.has_expired:
        return f"{what} until {note.until} matches no finding"
    now = "it still matches a finding" if note.is_found else "it matches no finding"
    return f"{what} expired after {note.until}, and {now}"
