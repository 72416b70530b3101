"""Writes values as the file holds them, where the two differ."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from lockdoctor.domain.evidence.verdicts import VerdictKind
from lockdoctor.domain.model.leases import LeaseId
from lockdoctor.domain.model.locks import LockId, Recipe

_RECIPES = {recipe.value: recipe for recipe in Recipe}
_KINDS = {kind.value: kind for kind in VerdictKind}


def id_text(number: int) -> str:
    """Write a cluster or member ID: 64 bits without a sign are too many for SQLite's integers."""
    return f"{number:016x}"


def id_number(text: str) -> int:
    """Read it back."""
    return int(text, 16)


def prefixes_text(prefixes: Sequence[bytes]) -> str:
    """Write prefixes so that the same ones give the same text, in whatever order they came."""
    return json.dumps(sorted({prefix.hex() for prefix in prefixes}))


def prefixes_of(text: str) -> tuple[bytes, ...]:
    """Read them back."""
    return tuple(bytes.fromhex(digits) for digits in json.loads(text))


def leases_text(lease_ids: Iterable[LeaseId]) -> bytes:
    """Write lease IDs, eight bytes each."""
    return b"".join(lease_id.to_bytes(8, "big", signed=True) for lease_id in lease_ids)


def leases_of(raw: bytes | None) -> tuple[LeaseId, ...]:
    """Read them back; none where an earlier layout did not have them."""
    parts = (raw[at : at + 8] for at in range(0, len(raw), 8)) if raw else ()
    return tuple(LeaseId(int.from_bytes(part, "big", signed=True)) for part in parts)


def verdict_kind(text: str) -> VerdictKind | None:
    """Read a verdict; None where another version of lockdoctor knew it, and this one does not."""
    return _KINDS.get(text)


def lock_id(name: bytes, recipe: str) -> LockId | None:
    """Read a lock; None where this version does not know its recipe."""
    return LockId(name, _RECIPES[recipe]) if recipe in _RECIPES else None
