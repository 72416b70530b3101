"""Converts values to JSON; shared by all documents."""

from __future__ import annotations

import base64
import enum
import json
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any, TextIO

from lockdoctor.domain.model.alarms import ClusterAlarm
from lockdoctor.domain.model.leases import LeaseId, hex_id
from lockdoctor.domain.model.locks import LockId, LockKey
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


def texts(name: str, raws: Iterable[bytes]) -> list[Json]:
    """Return a list of bytes, each as in `text_and_base64`."""
    return [text_and_base64(name, raw) for raw in raws]


def picked(source: object, *names: str) -> Json:
    """Return attributes of an object as fields of the same names."""
    return {name: plain(getattr(source, name)) for name in names}


def lock_json(lock: LockId | None) -> Json:
    """Return the name and the recipe of a lock."""
    return {
        **text_and_base64("lock", lock.name if lock else None),
        "recipe": lock.recipe.value if lock else None,
    }


def key_json(key: LockKey) -> Json:
    """Return a key without its value."""
    return {
        **text_and_base64("key", key.key),
        **picked(key, "create_revision", "mod_revision", "version"),
        "lease": lease(key.lease_id),
        "value_size": key.value_size,
    }


def write_indented(document: Json, out: TextIO) -> None:
    """Write a document with one field per line."""
    out.write(json.dumps(document, indent=1, allow_nan=False) + "\n")


def write_list(name: str, items: Iterable[Json], out: TextIO, **after: Any) -> None:
    """Write a document that is a list, one line per item, and fields after it."""
    out.write(f'{{\n "schema_version": {SCHEMA_VERSION},\n "{name}": [')
    out.writelines(
        f"{',' if number else ''}\n  {dumped(item)}" for number, item in enumerate(items)
    )
    fields = "".join(f",\n {dumped(field)}: {dumped(value)}" for field, value in after.items())
    out.write(f"]{fields}\n}}\n")


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
    """Return a number, a text, a member of an enumeration or None as a JSON value."""
    if isinstance(value, float):
        return rounded(value)
    if isinstance(value, enum.Enum):
        return value.value
    return safe(value) if isinstance(value, str) else value


def rounded(seconds: float | None) -> float | None:
    """Return seconds rounded to 1 ms: no reading of a lease is more precise."""
    return None if seconds is None else round(seconds, 3)
