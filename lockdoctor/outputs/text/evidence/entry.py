"""Declares what an output writes of one kind of evidence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

E = TypeVar("E")


class Entry(NamedTuple):
    """The JSON name, the sentence and the headline's clause of one kind of evidence."""

    evidence: type[Any]
    kind: str
    """The `kind` in JSON, which does not change; also its heading in docs/evidence.md."""
    sentence: str | Callable[[Any], str]
    clause: str | Callable[[Any], str | None] | None
    """None for evidence that is too long for a headline."""

    @property
    def anchor(self) -> str:
        """Return the section of the documentation that describes it."""
        return f"docs/evidence.md#{self.kind}"


def entry(
    evidence: type[E],
    kind: str,
    sentence: str | Callable[[E], str],
    clause: str | Callable[[E], str | None] | None = None,
) -> Entry:
    """Return an entry; mypy checks its functions against its class."""
    return Entry(evidence, kind, sentence, clause)
