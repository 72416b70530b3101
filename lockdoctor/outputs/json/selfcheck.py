"""Writes the self-check as one JSON document."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TextIO

from lockdoctor.domain.selfcheck.rules import CheckItem, SelfCheck
from lockdoctor.outputs.json.values import SCHEMA_VERSION
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
    json.dump(document, out, indent=1)
    out.write("\n")


def _remark(remark: CheckItem) -> dict[str, Any]:
    prefix = None if remark.prefix is None else printable(remark.prefix)
    return {
        "about": safe(remark.about),
        "prefix": prefix,
        "state": remark.mark.value,
        "text": fact_text(remark.fact),
    }
