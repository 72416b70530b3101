"""Convert values to what the file stores, and back, where the two differ."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from lockdoctor.domain.evidence.verdicts import VerdictKind
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.model.locks import LockId, Recipe

_KINDS = {kind.value: kind for kind in VerdictKind}


def id_text(number: int) -> str:
    """
    Return a cluster or member ID as text.

    SQLite's integers have a sign, so they cannot hold 64 bits without a sign.
    """
    return f"{number:016x}"


def id_number(text: str) -> int:
    """Return the ID that a text stores."""
    return int(text, 16)


def prefixes_text(prefixes: Sequence[bytes]) -> str:
    """Return prefixes as text; the same prefixes in any order give the same text."""
    return json.dumps(sorted({prefix.hex() for prefix in prefixes}))


def prefixes_of(text: str) -> tuple[bytes, ...]:
    """Return the prefixes that a text stores."""
    return tuple(bytes.fromhex(digits) for digits in json.loads(text))


def leases_text(lease_ids: Iterable[LeaseId]) -> bytes:
    """Return lease IDs as bytes, eight bytes each."""
    return b"".join(lease_id.to_bytes(8, "big", signed=True) for lease_id in lease_ids)


def leases_of(raw: bytes | None) -> tuple[LeaseId, ...]:
    """Return the stored lease IDs; empty where an earlier layout did not have them."""
    parts = (raw[at : at + 8] for at in range(0, len(raw), 8)) if raw else ()
    return tuple(LeaseId(int.from_bytes(part, "big", signed=True)) for part in parts)


def verdict_kind(text: str) -> VerdictKind | None:
    """Return the verdict of a slug, or None if this version does not have it."""
    return _KINDS.get(text)


def lock_id(name: bytes, recipe: str) -> LockId:
    """Return a lock's ID; its recipe can be one that this run does not have."""
    return LockId(name, Recipe(recipe))
