"""The pattern language of recipes: which keys a recipe takes, and their parts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from lockdoctor.domain.model.leases import LeaseId

LOCK = "lock"
"""The name of the lock ends here."""
LEASE = "lease"
"""The ID of the key's own lease."""
REST = "rest"
"""The end of the key, slashes included."""

TYPES: Mapping[str, str] = {
    "segment": r"[^/]+",
    "path": r".*",
    "hex": r"[0-9a-f]+",
    "dec": r"[0-9]+",
    "uuid": r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "ns": r"[0-9]{19}",
}
"""
The types of placeholders, with their regular expressions.

segment: one byte or more, no slash. path: any bytes, also none. ns: a time in nanoseconds since
1970, as Go's UnixNano prints it.
"""

_LEASE_TYPES: Mapping[str, str] = {
    "hex": r"-?[0-9a-f]{1,16}",
    "dec": r"-?[1-9][0-9]{0,18}",
}
_LOST_LEASE: Mapping[str, re.Pattern[bytes]] = {
    "hex": re.compile(rb"[0-9a-f]{12,16}"),
    "dec": re.compile(rb"[1-9][0-9]{0,18}"),
}
"""What the lease of a key without a lease may have looked like; etcd's own IDs are large."""

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_WORDS = re.compile(r"[^{}/:|]+(\|[^{}/:|]+)+")


class PatternError(ValueError):
    """A pattern is invalid; the message is one sentence without a subject."""


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One part of a key that the pattern leaves open."""

    name: str
    type: str
    """A name in TYPES, or words with `|` between them."""

    @property
    def regex(self) -> str:
        """Return the regular expression of its text."""
        if self.name == LEASE:
            return _LEASE_TYPES[self.type]
        if self.type in TYPES:
            return TYPES[self.type]
        return "|".join(map(re.escape, self.type.split("|")))


@dataclass(frozen=True)
class KeyPattern:
    """
    A pattern for whole keys, such as `/jobs/{lock}/{lease:hex}`.

    Text matches itself. `{name}` or `{name:type}` is a placeholder: see TYPES;
    `{mode:read|write}` is one of some words. `{lock}`, `{lease}` and `{rest}` have a meaning of
    their own. A key can be split in one way only: there is at most one placeholder between two
    slashes, and at most one `path`.
    """

    text: str
    parts: tuple[str | Placeholder, ...]

    def __str__(self) -> str:
        """Return the pattern as it was written."""
        return self.text

    def split(self, key: bytes) -> re.Match[bytes] | None:
        """Return the parts of a key, by the names of the placeholders; None if it differs."""
        return self.regex.fullmatch(key)

    @cached_property
    def regex(self) -> re.Pattern[bytes]:
        """Return the regular expression; compiled late, since many patterns meet no key."""
        regex = "".join(
            re.escape(part) if isinstance(part, str) else f"(?P<{part.name}>{part.regex})"
            for part in self.parts
        )
        return re.compile(regex.encode(), re.DOTALL)

    @cached_property
    def literal(self) -> bytes:
        """Return the longest text that every key of the pattern has: a quick test."""
        texts = (part.encode() for part in self.parts if isinstance(part, str))
        return max(texts, key=len, default=b"")

    def render(self, values: Mapping[str, bytes]) -> bytes:
        """Return the key with these parts."""
        return b"".join(
            part.encode() if isinstance(part, str) else values[part.name] for part in self.parts
        )

    def placeholder(self, name: str) -> Placeholder | None:
        """Return the placeholder of this name, if there is one."""
        return next((p for p in self.parts if isinstance(p, Placeholder) and p.name == name), None)

    @property
    def names(self) -> list[str]:
        """Return the names of the placeholders, in order."""
        return [part.name for part in self.parts if isinstance(part, Placeholder)]


@lru_cache(maxsize=512)
def parse_pattern(text: str) -> KeyPattern:
    """
    Return the pattern in a text.

    Raises:
        PatternError: The text is no pattern, or could split one key in two ways.
    """
    parts = tuple(_parts(text))
    _require_one_way(parts)
    return KeyPattern(text, parts)


def lease_text(lease_id: LeaseId, form: str) -> bytes:
    """Return a lease as keys carry it: in decimal, or in hex without padding."""
    return b"%x" % lease_id if form == "hex" else b"%d" % lease_id


def may_be_lost_lease(text: bytes, form: str) -> bool:
    """Return whether a part of a key without a lease looks like a lease that it lost."""
    return _LOST_LEASE[form].fullmatch(text) is not None


def _parts(text: str) -> list[str | Placeholder]:
    if not text:
        raise PatternError("it is empty. Write the whole key, such as /jobs/{lock}/{lease:hex}")
    parts: list[str | Placeholder] = []
    end = 0
    for found in _PLACEHOLDER.finditer(text):
        _add_text(parts, text[end : found.start()])
        parts.append(_placeholder(found[1]))
        end = found.end()
    _add_text(parts, text[end:])
    return parts


def _add_text(parts: list[str | Placeholder], text: str) -> None:
    if "{" in text or "}" in text:
        raise PatternError("it has a single brace. A placeholder is {name} or {name:type}")
    if text:
        parts.append(text)


def _placeholder(inside: str) -> Placeholder:
    name, colon, form = inside.partition(":")
    if not _NAME.fullmatch(name):
        raise PatternError(
            f"{{{inside}}} has no valid name. Use small letters, digits and _, such as {{lock}}"
        )
    if not colon:
        form = {REST: "path", LEASE: "hex"}.get(name, "segment")
    if name == LEASE and form not in _LEASE_TYPES:
        raise PatternError(
            f"{{{inside}}} has the type {form}. A lease is {{lease:hex}} or {{lease:dec}}"
        )
    if form not in TYPES and not _WORDS.fullmatch(form):
        known = ", ".join(TYPES)
        raise PatternError(
            f"{{{inside}}} has the unknown type {form!r}. Use one of {known},"
            " or words with | between them"
        )
    return Placeholder(name, form)


def _require_one_way(parts: tuple[str | Placeholder, ...]) -> None:
    """Refuse a pattern that could split one key in two ways."""
    names = [part.name for part in parts if isinstance(part, Placeholder)]
    if twice := {name for name in names if names.count(name) > 1}:
        raise PatternError(f"{{{min(twice)}}} is there twice. Give each placeholder its own name")
    paths = [p for p in parts if isinstance(p, Placeholder) and p.type == "path"]
    if len(paths) > 1:
        both = " and ".join(f"{{{path.name}}}" for path in paths)
        raise PatternError(f"{both} can both have slashes. Only one placeholder may be a path")
    if REST in names and parts[-1] != Placeholder(REST, "path"):
        raise PatternError("{rest} is not at the end. Use {name:path} elsewhere")
    since_slash: str | None = None
    for part in parts:
        if isinstance(part, str):
            since_slash = None if "/" in part else since_slash
        elif since_slash is not None:
            raise PatternError(
                f"{{{since_slash}}} and {{{part.name}}} have no / between them, so a key could be"
                " split in two ways. Put a / between them"
            )
        else:
            since_slash = part.name
