"""What a recipe requires of a key besides its name."""

from __future__ import annotations

import enum
import json
import re
import uuid
from dataclasses import dataclass
from typing import Any, TypeAlias

from lockdoctor.domain.model.locks import LockKey
from lockdoctor.domain.recipes.pattern import (
    LEASE,
    lease_text,
    may_be_lost_lease,
)
from lockdoctor.domain.recipes.uuid1 import uuid1_written_at


class ValueForm(enum.Enum):
    """The form of a whole value."""

    EMPTY = "empty"
    NOT_EMPTY = "not-empty"
    UUID = "uuid"
    """A UUID of any version: its 16 bytes, or its usual text."""
    UUID1_BYTES = "uuid1-bytes"
    """The 16 bytes of a UUID with a time, as Python's uuid1().bytes."""
    JSON = "json"
    """One JSON object."""
    NUMBER = "number"
    """Decimal digits."""


@dataclass(frozen=True, slots=True)
class OwnLease:
    """`{lease}` in the pattern is the key's lease; without a lease, it looks like one."""

    form: str

    def holds(self, key: LockKey, found: re.Match[bytes]) -> bool:
        """Return whether the key has this."""
        if key.has_lease:
            return found[LEASE] == lease_text(key.lease_id, self.form)
        return may_be_lost_lease(found[LEASE], self.form)


@dataclass(frozen=True, slots=True)
class HasLease:
    """The key has a lease, or has none."""

    wanted: bool

    def holds(self, key: LockKey, _: re.Match[bytes]) -> bool:
        """Return whether the key has this."""
        return key.has_lease is self.wanted


@dataclass(frozen=True, slots=True)
class ValueIs:
    """The whole value has a form."""

    form: ValueForm

    def holds(self, key: LockKey, _: re.Match[bytes]) -> bool:
        """Return whether the key has this; False where only a part of the value was read."""
        if self.form is ValueForm.NOT_EMPTY:
            return key.value_size > 0
        return key.value_size == len(key.value) and _has_form(key.value, self.form)


@dataclass(frozen=True, slots=True)
class ValueBegins:
    """The value begins with one of some texts."""

    texts: tuple[str, ...]

    def holds(self, key: LockKey, _: re.Match[bytes]) -> bool:
        """Return whether the key has this."""
        return key.value.startswith(tuple(text.encode() for text in self.texts))


@dataclass(frozen=True, slots=True)
class JsonFields:
    """The value is a JSON object with these fields."""

    names: tuple[str, ...]

    def holds(self, key: LockKey, _: re.Match[bytes]) -> bool:
        """Return whether the key has this."""
        if not all(name.encode() in key.value for name in self.names):  # as a quick test
            return False
        return set(self.names) <= json_object(key).keys()


@dataclass(frozen=True, slots=True)
class JsonLease:
    """The value is a JSON object with the key's own lease in one field."""

    name: str

    def holds(self, key: LockKey, _: re.Match[bytes]) -> bool:
        """Return whether the key has this."""
        if not key.has_lease or self.name.encode() not in key.value:
            return False
        return json_object(key).get(self.name) == key.lease_id


@dataclass(frozen=True, slots=True)
class Beside:
    """
    A key of another recipe is beside it: both have the same first placeholder.

    One key alone cannot show this: `grouping` does, which has all of them.
    """

    names: tuple[str, ...]


Condition: TypeAlias = OwnLease | HasLease | ValueIs | ValueBegins | JsonFields | JsonLease


def json_object(key: LockKey) -> dict[str, Any]:
    """Return the value as a dictionary; an empty one unless it is a whole JSON object."""
    if not key.value.startswith(b"{") or key.value_size != len(key.value):
        return {}
    try:
        found = json.loads(key.value)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def is_uuid(value: bytes) -> bool:
    """Return whether the value is a UUID: its 16 bytes, or its usual text."""
    try:
        if len(value) == 16:  # noqa: PLR2004 - the bytes of a UUID
            found = uuid.UUID(bytes=value)
            return found.version is not None and found.variant == uuid.RFC_4122
        return str(uuid.UUID(value.decode("ascii"))) == value.decode("ascii").lower()
    except ValueError:
        return False


_DIGITS = re.compile(rb"[0-9]+")


def _has_form(value: bytes, form: ValueForm) -> bool:
    match form:
        case ValueForm.EMPTY:
            return not value
        case ValueForm.UUID:
            return is_uuid(value)
        case ValueForm.UUID1_BYTES:
            return uuid1_written_at(value) is not None
        case ValueForm.NUMBER:
            return _DIGITS.fullmatch(value) is not None
        case ValueForm.JSON:
            return _is_json(value)
        case _:
            return bool(value)


def _is_json(value: bytes) -> bool:
    try:
        return value.startswith(b"{") and isinstance(json.loads(value), dict)
    except (ValueError, RecursionError):
        return False
