"""Converts values to JSON; shared by all documents."""

from __future__ import annotations

import base64
import enum
import json
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

from lockdoctor.domain.model.alarms import ClusterAlarm
from lockdoctor.domain.model.leases import LeaseId, hex_id
from lockdoctor.outputs.text.values import printable, safe

SCHEMA_VERSION = 1
"""Increases when a field changes its meaning or is removed, not for a new field."""

Json = dict[str, Any]

dumped = json.JSONEncoder(allow_nan=False).encode


def text_and_base64(name: str, raw: bytes | None) -> Json:
    """Return bytes as text (escaped, safe to show) and as base64 (exact)."""
    return {
        name: None if raw is None else printable(raw),
        f"{name}_base64": None if raw is None else base64.b64encode(raw).decode("ascii"),
    }


def alarms_json(alarms: Iterable[ClusterAlarm] | None) -> list[Json] | None:
    """Return the alarms of a cluster; null if they could not be read."""
    if alarms is None:
        return None
    return [
        {"alarm": each.name, "member": f"{each.member_id:x}" if each.member_id else None}
        for each in alarms
    ]


def lease(lease_id: LeaseId | None) -> str | None:
    """Return a lease in etcdctl's form; null without a lease."""
    return hex_id(lease_id) if lease_id else None


def moment(at: float) -> str:
    """Return POSIX seconds as ISO 8601, in UTC."""
    return datetime.fromtimestamp(at, timezone.utc).isoformat(timespec="milliseconds")


def plain(value: Any) -> Any:
    """Return a number, a text or a member of an enumeration as a JSON value."""
    if isinstance(value, float):
        return rounded(value)
    if isinstance(value, enum.Enum):
        return value.value
    return safe(value) if isinstance(value, str) else value


def rounded(seconds: float | None) -> float | None:
    """Return seconds rounded to 1 ms: no reading of a lease is more precise."""
    return None if seconds is None else round(seconds, 3)
