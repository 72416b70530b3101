"""Other notes on a run; outputs/text/report has the sentences."""

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


@dataclass(frozen=True, slots=True)
class HistoryNotPruned:
    """This run is stored, but older ones were not deleted."""

    why: str


@dataclass(frozen=True, slots=True)
class KeysLeftOut:
    """More keys of a shown lease than one page shows."""

    count: int


Note: TypeAlias = AcceptanceWithoutEffect | HistoryNotPruned | KeysLeftOut | str
"""Text is the message of an adapter, which can quote a server."""
