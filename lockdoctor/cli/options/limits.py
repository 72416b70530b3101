"""The options for limits of holds and TTLs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any, cast

import typer

from lockdoctor.cli.options.completion import words
from lockdoctor.cli.options.types import duration, one_of
from lockdoctor.domain.model.locks import Kind
from lockdoctor.domain.policy.policy import Limits

_LIMITS = "Limits (override lockdoctor.toml)"


@dataclass(frozen=True, kw_only=True)
class LimitFlags:
    """Limits for every prefix of this run."""

    kind: Annotated[
        Any,  # Kind | None; typer before 0.29 would convert an enumeration after its parser did
        typer.Option(
            "--kind",
            parser=one_of(Kind.LOCK, Kind.ELECTION, Kind.REGISTRATION),
            autocompletion=words(Kind.LOCK, Kind.ELECTION, Kind.REGISTRATION),
            metavar="KIND",
            help="Kind of the keys: lock, election or registration. Elections and registrations"
            " are held as long as their process runs (default: from the keys' layout).",
            rich_help_panel=_LIMITS,
        ),
    ] = None
    max_hold_s: Annotated[
        float | None,
        typer.Option(
            "--max-hold",
            parser=duration,
            metavar="DURATION",
            help="Maximum time that a lock may be held, like 90s, 5m, 1h30m. A lock held longer"
            " is proven leaked.",
            rich_help_panel=_LIMITS,
        ),
    ] = None
    critical_hold_s: Annotated[
        float | None,
        typer.Option(
            "--critical-hold",
            parser=duration,
            metavar="DURATION",
            help="A lock held longer than this is CRITICAL even without waiters.",
            rich_help_panel=_LIMITS,
        ),
    ] = None
    max_wait_s: Annotated[
        float | None,
        typer.Option(
            "--max-wait",
            parser=duration,
            metavar="DURATION",
            help="Maximum time that a waiter may wait for a lock (default 5m).",
            rich_help_panel=_LIMITS,
        ),
    ] = None
    max_ttl_s: Annotated[
        float | None,
        typer.Option(
            "--max-ttl",
            parser=duration,
            metavar="DURATION",
            help="Maximum TTL of a lock's lease (default 10m). After a crash, the lock stays"
            " taken for its TTL.",
            rich_help_panel=_LIMITS,
        ),
    ] = None
    max_idle_session_s: Annotated[
        float | None,
        typer.Option(
            "--max-idle-session",
            parser=duration,
            metavar="DURATION",
            help="Maximum time that a session may exist without a key (default: no limit).",
            rich_help_panel=_LIMITS,
        ),
    ] = None

    def limits(self) -> Limits:
        """Return the limits that were given."""
        given = {name: value for name, value in asdict(self).items() if value is not None}
        return cast("Limits", given)  # the fields have the names of Limits; a test compares them
