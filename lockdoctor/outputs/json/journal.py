"""Writes the entries of the journal as one JSON document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TextIO

from lockdoctor.domain.model.locks import LockKey
from lockdoctor.domain.treatment.journal_entry import Entry, Outcome
from lockdoctor.outputs.json.values import (
    SCHEMA_VERSION,
    Json,
    dumped,
    lease,
    moment,
    text_and_base64,
)
from lockdoctor.outputs.text.values import safe


def write_entries(
    entries: Sequence[Entry], notes: Iterable[str], out: TextIO, *, with_values: bool
) -> None:
    """Write one document with one line per entry; values only for a single entry."""
    out.write(f'{{\n "schema_version": {SCHEMA_VERSION},\n "entries": [')
    out.writelines(
        f"{',' if number else ''}\n  {dumped(_entry(entry, with_values=with_values))}"
        for number, entry in enumerate(entries)
    )
    out.write(f'],\n "notes": {dumped(list(map(safe, notes)))}\n}}\n')


def _entry(entry: Entry, *, with_values: bool) -> Json:
    intent = entry.intent
    under = text_and_base64("treated_under", intent.treated_under)
    return {
        "entry": safe(intent.entry_id),
        "at": moment(intent.at),
        "user": safe(intent.who.user),
        "host": safe(intent.who.host),
        "pid": intent.who.pid,
        "action": intent.action.value,
        "result": entry.result.value,
        "outcome": _outcome(entry.outcome),
        "verdict": safe(intent.why.verdict) or None,
        "confidence": safe(intent.why.confidence) or None,
        "evidence": list(map(safe, intent.why.evidence)),
        "cluster_id": f"{intent.cluster_id:x}",
        "lease": lease(intent.lease_id),
        "granted_ttl_s": intent.granted_ttl_s,
        "locks": [text_and_base64("lock", lock) for lock in intent.locks],
        "keys": [_key(key, with_value=with_values) for key in intent.keys],
        "new_lease": lease(intent.new_lease_id),
        "new_ttl_s": intent.new_ttl_s,
        "of": None if intent.of is None else safe(intent.of),
        "unattended": intent.treated_under is not None,
        **under,
    }


def _outcome(outcome: Outcome | None) -> Json | None:
    if outcome is None:
        return None
    deleted = outcome.deleted
    return {
        "at": moment(outcome.at),
        "detail": safe(outcome.detail),
        "took_s": round(outcome.took_s, 3),
        "deleted": None if deleted is None else [text_and_base64("key", key) for key in deleted],
    }


def _key(key: LockKey, *, with_value: bool) -> Json:
    return {
        **text_and_base64("key", key.key),
        "create_revision": key.create_revision,
        "mod_revision": key.mod_revision,
        "version": key.version,
        "lease": lease(key.lease_id),
        "value_size": key.value_size,
        "value_kept": len(key.value),
        **(text_and_base64("value", key.value) if with_value else {}),
    }
