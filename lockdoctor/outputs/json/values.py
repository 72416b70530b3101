"""Values as JSON has them."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

from lockdoctor.domain.model.alarms import ClusterAlarm
from lockdoctor.outputs.text.values import printable


def bytes_twice(name: str, raw: bytes | None) -> dict[str, Any]:
    """Give bytes as text (escaped, safe to show) and as base64 (exact)."""
    return {
        name: None if raw is None else printable(raw),
        f"{name}_base64": None if raw is None else base64.b64encode(raw).decode("ascii"),
    }


def alarms_json(alarms: Iterable[ClusterAlarm] | None) -> list[dict[str, Any]] | None:
    """Give the alarms of a cluster; null where they could not be seen."""
    if alarms is None:
        return None
    return [
        {"alarm": each.name, "member": f"{each.member_id:x}" if each.member_id else None}
        for each in alarms
    ]


def moment(at: float) -> str:
    """Give POSIX seconds as ISO 8601, in UTC."""
    return datetime.fromtimestamp(at, timezone.utc).isoformat(timespec="milliseconds")
