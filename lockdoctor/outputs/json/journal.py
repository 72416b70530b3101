"""Writes the entries of the journal as one JSON document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TextIO

from lockdoctor.domain.model.locks import LockKey
from lockdoctor.domain.treatment.journal_entry import Entry, Outcome
from lockdoctor.outputs.json.values import (
    Json,
    key_json,
    lease,
    moment,
    picked,
    plain,
    text_and_base64,
    texts,
    write_list,
)
from lockdoctor.outputs.text.values import safe


def write_entries(
    entries: Sequence[Entry], notes: Iterable[str], out: TextIO, *, with_values: bool
) -> None:
    """Write one document with one line per entry; values only for a single entry."""
    documents = (_entry(entry, with_values=with_values) for entry in entries)
    write_list("entries", documents, out, notes=list(map(safe, notes)))


def _entry(entry: Entry, *, with_values: bool) -> Json:
    intent = entry.intent
    return {
        "entry": safe(intent.entry_id),
        "at": moment(intent.at),
        **picked(intent.who, "user", "host", "pid"),
        "action": intent.action.value,
        "result": entry.result.value,
        "outcome": _outcome(entry.outcome),
        "verdict": safe(intent.why.verdict) or None,
        "confidence": safe(intent.why.confidence) or None,
        "evidence": list(map(safe, intent.why.evidence)),
        "cluster_id": f"{intent.cluster_id:x}",
        "lease": lease(intent.lease_id),
        "granted_ttl_s": intent.granted_ttl_s,
        "locks": texts("lock", intent.locks),
        "keys": [_key(key, with_value=with_values) for key in intent.keys],
        "new_lease": lease(intent.new_lease_id),
        "new_ttl_s": intent.new_ttl_s,
        "of": plain(intent.of),
        "unattended": intent.treated_under is not None,
        **text_and_base64("treated_under", intent.treated_under),
    }


def _outcome(outcome: Outcome | None) -> Json | None:
    if outcome is None:
        return None
    return {
        "at": moment(outcome.at),
        **picked(outcome, "detail", "took_s"),
        "deleted": None if outcome.deleted is None else texts("key", outcome.deleted),
    }


def _key(key: LockKey, *, with_value: bool) -> Json:
    return {
        **key_json(key),
        "value_kept": len(key.value),
        **(text_and_base64("value", key.value) if with_value else {}),
    }
