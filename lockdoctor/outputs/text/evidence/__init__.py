"""
Returns the words for each kind of evidence, no stronger than proven.

One module per subject, as in `lockdoctor/domain/evidence`. A test compares the entries with the
union `Evidence`.
"""

from __future__ import annotations

from collections.abc import Mapping

from lockdoctor.domain.evidence import Evidence
from lockdoctor.outputs.text.evidence import (
    age,
    deadlock,
    keys,
    leak_score,
    processes,
    queue,
    renewals,
    sessions,
)
from lockdoctor.outputs.text.evidence.entry import Entry

SUBJECTS = (renewals, age, leak_score, queue, keys, sessions, processes, deadlock)

ENTRIES: Mapping[type[Evidence], Entry] = {
    entry.evidence: entry for subject in SUBJECTS for entry in subject.ENTRIES
}


def kind_of(evidence: Evidence) -> str:
    """Return the `kind` of one piece of evidence in JSON."""
    return ENTRIES[type(evidence)].kind


def sentence(evidence: Evidence) -> str:
    """Return the sentence for one piece of evidence."""
    text = ENTRIES[type(evidence)].sentence
    return text if isinstance(text, str) else text(evidence)


def clause(evidence: Evidence) -> str | None:
    """Return the clause for a headline; None for evidence that is too long there."""
    text = ENTRIES[type(evidence)].clause
    return text(evidence) if callable(text) else text
