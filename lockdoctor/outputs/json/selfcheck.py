"""Writes the self-check as one JSON document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from lockdoctor.domain.selfcheck.rules import CheckItem, SelfCheck
from lockdoctor.outputs.json.values import SCHEMA_VERSION, Json, write_indented
from lockdoctor.outputs.text.selfcheck import fact_text
from lockdoctor.outputs.text.suggested_commands import role_commands
from lockdoctor.outputs.text.values import printable, safe


def write_json(found: SelfCheck, prefixes: Sequence[bytes], out: TextIO) -> None:
    """Write the self-check as one document."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "has_problem": found.has_problem,
        "remarks": [_remark(remark) for remark in found.remarks],
        "smallest_role": role_commands(prefixes),
    }
    write_indented(document, out)


def _remark(remark: CheckItem) -> Json:
    return {
        "about": safe(remark.about),
        "prefix": None if remark.prefix is None else printable(remark.prefix),
        "state": remark.mark.value,
        "text": fact_text(remark.fact),
    }
