"""The options for limits of holds and TTLs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any, cast

from lockdoctor.cli.options.types import choices, duration, option
from lockdoctor.domain.model.locks import Kind
from lockdoctor.domain.policy.policy import Limits

LIMITS = "Limits (override lockdoctor.toml)"


@dataclass(frozen=True, kw_only=True)
class LimitFlags:
    """Limits for every prefix of this run."""

    kind: Annotated[
        Any,
        option(
            "--kind KIND",
            "lock, election or registration (default by keys).",
            LIMITS,
            **choices(Kind.LOCK, Kind.ELECTION, Kind.REGISTRATION),
        ),
    ] = None
    max_hold_s: Annotated[
        float | None,
        option(
            "--max-hold TIME",
            "Maximum hold, like 5m or 1h30m; a longer one leaks.",
            LIMITS,
            parser=duration,
        ),
    ] = None
    critical_hold_s: Annotated[
        float | None,
        option(
            "--critical-hold TIME",
            "Hold that is CRITICAL even without waiters.",
            LIMITS,
            parser=duration,
        ),
    ] = None
    max_wait_s: Annotated[
        float | None,
        option("--max-wait TIME", "Maximum wait for a lock (default 5m).", LIMITS, parser=duration),
    ] = None
    max_ttl_s: Annotated[
        float | None,
        option(
            "--max-ttl TIME",
            "Maximum TTL of a lock's lease (default 10m).",
            LIMITS,
            parser=duration,
        ),
    ] = None
    max_idle_session_s: Annotated[
        float | None,
        option(
            "--max-idle-session TIME",
            "Maximum time without a key (default: no limit).",
            LIMITS,
            parser=duration,
        ),
    ] = None

    def limits(self) -> Limits:
        """Return the limits that were given."""
        given = {name: value for name, value in asdict(self).items() if value is not None}
        return cast("Limits", given)  # the fields have the names of Limits; a test compares them
