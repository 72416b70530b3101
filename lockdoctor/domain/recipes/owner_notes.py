"""Read what a client wrote into its key about itself."""

from __future__ import annotations

import enum
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lockdoctor.domain.model.locks import LockKey
from lockdoctor.domain.recipes.uuid1 import uuid1_written_at

_MULTICAST = 1 << 40
"""Set in a node that is no network card's address. Source: RFC 9562, section 6.10."""

_OWNER_FIELDS = {
    "action": "action",
    "hostname": "host",
    "username": "user",
    "time": "time",
    "comments": "comment",
    "servername": "service",
    "serverid": "number",
    "address": "address",
    "host": "host",
    "pid": "process",
    "user": "user",
    "name": "name",
    "id": "id",
}
"""
The meaning of JSON fields about the owner, by their lower-case names.

Source: lockInfo in Vitess's go/vt/topo/locks.go, Session in Milvus's session_util.go.
"""

MAX_TEXT = 200


class NoteKind(enum.Enum):
    """The kind of a client's note."""

    CREATED_AT = "created at"
    """POSIX seconds by its clock."""
    NETWORK_CARD = "network card"
    """The hardware address of its machine."""
    FIELD = "field"
    TEXT = "text"
    """The whole value: a candidate's name, for example."""


@dataclass(frozen=True, slots=True)
class OwnerNote:
    """One note of a client about itself; it is not verified."""

    what: NoteKind
    value: float | str
    field: str = ""
    """Its name, for FIELD."""


def owner_notes(key: LockKey) -> tuple[OwnerNote, ...]:
    """
    Return the notes in a key's value about the client that wrote it.

    Only the stored part of the value is read; a value that is cut is never taken for whole.
    """
    if not key.value or key.value_size != len(key.value):
        return ()
    return tuple(_uuid(key.value) or _json(key.value) or _text(key.value))


def _uuid(value: bytes) -> list[OwnerNote]:
    """Return the notes in a uuid: python-etcd3 writes its 16 bytes, etcd3gw its text."""
    raw = value
    try:
        if len(value) == 36:  # noqa: PLR2004 - the text of a UUID
            raw = uuid.UUID(value.decode("ascii")).bytes
    except ValueError:
        return []
    written_at = uuid1_written_at(raw)
    if written_at is None:
        return []
    found = [OwnerNote(NoteKind.CREATED_AT, written_at)]
    node = uuid.UUID(bytes=raw).node
    if not node & _MULTICAST:
        address = ":".join(f"{byte:02x}" for byte in node.to_bytes(6, "big"))
        found.append(OwnerNote(NoteKind.NETWORK_CARD, address))
    return found


def _json(value: bytes) -> list[OwnerNote]:
    if not value.lstrip().startswith(b"{"):
        return []
    try:
        said = json.loads(value)
    except (ValueError, RecursionError):
        return []
    return list(_fields(said)) if isinstance(said, dict) else []


def _fields(said: dict[str, Any]) -> Iterator[OwnerNote]:
    for name, text in said.items():
        label = _OWNER_FIELDS.get(name.lower())
        if label and isinstance(text, str | int | float) and text != "":
            yield OwnerNote(NoteKind.FIELD, str(text)[:MAX_TEXT], label)


def _text(value: bytes) -> list[OwnerNote]:
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return []
    return [OwnerNote(NoteKind.TEXT, text)] if len(text) <= MAX_TEXT and text.isprintable() else []
