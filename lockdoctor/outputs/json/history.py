"""Writes the history as JSON: one document of runs, or everything as JSON lines."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

from lockdoctor.domain.model.leases import NO_LEASE, hex_id
from lockdoctor.domain.past.stored import StoredRun
from lockdoctor.outputs.json.values import dumped, moment, text_and_base64, texts, write_list
from lockdoctor.outputs.text.values import safe


def write_runs(runs: Sequence[StoredRun], out: TextIO) -> None:
    """Write one document with one line per run, the latest run first."""
    write_list("runs", (_record(_fields(run)) for run in runs), out)


def write_lines(records: Iterable[Mapping[str, Any]], out: TextIO) -> None:
    """Write one line per record, in the given order."""
    out.writelines(f"{dumped(_record(record))}\n" for record in records)


def _fields(value: Any) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def _record(fields: Mapping[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for name, value in fields.items():
        record |= _entries(name, value)
    return record


def _entries(name: str, value: Any) -> dict[str, Any]:
    """Return the JSON fields for a value, as in the report."""
    match name:
        case "cluster_id":
            return {name: f"{value:x}"}
        case "lease_id":
            return {"lease": None if value == NO_LEASE else hex_id(value)}
        case "lock_name":
            return text_and_base64("lock", value)
        case "prefixes":
            return {name: texts("prefix", value)}
        case _:
            return _plain(name, value)


def _plain(name: str, value: Any) -> dict[str, Any]:
    if isinstance(value, bytes):
        return text_and_base64(name, value)
    if isinstance(value, enum.Enum):
        return {name: value.name.lower()}
    if isinstance(value, str):
        return {name: safe(value)}
    if isinstance(value, float) and name.endswith("_at"):
        return {name: moment(value)}
    return {name: value}
