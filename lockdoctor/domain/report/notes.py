"""Other notes on a run; outputs/text/notes has the sentences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from lockdoctor.domain.evidence.verdicts import VerdictKind


@dataclass(frozen=True, slots=True)
class AcceptanceWithoutEffect:
    """An acceptance of lockdoctor.toml that accepts no finding of this run."""

    where: str
    """File and line."""
    verdict: VerdictKind
    until: date
    has_expired: bool
    is_found: bool = False
    """After it expired: what it accepted is a finding."""


Note: TypeAlias = AcceptanceWithoutEffect | str
"""Text is the message of an adapter, which can quote a server."""
