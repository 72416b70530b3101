"""The options of `revoke`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lockdoctor.cli.options.types import choices, count, duration, one_of, option, words
from lockdoctor.domain.model.actions import Action

if TYPE_CHECKING:
    from lockdoctor.domain.evidence.verdicts import VerdictKind

_WHAT = "What to act on, and how"


_OVERRIDES = "Safety overrides (not implied by --yes)"


_ACTING = "Plan and action"


def _selectable() -> Sequence[VerdictKind]:
    from lockdoctor.domain.evidence.verdicts import VerdictKind as Kind  # noqa: PLC0415  # takes long

    return Kind.LEAKED_LOCK, Kind.SUSPECTED_LEAK, Kind.ETERNAL_LOCK


def _verdict(text: str) -> Any:
    return one_of(*_selectable())(text)


def _complete_verdict(incomplete: str) -> list[str]:
    return words(*_selectable())(incomplete)


@dataclass(frozen=True, kw_only=True)
class SelectionFlags:
    """The targets, and the action."""

    lease: Annotated[
        list[str],
        typer.Argument(
            metavar="LEASE",
            help="Leases, as in etcdctl (default: leaked locks).",
            show_default=False,
            rich_help_panel=_WHAT,
        ),
    ] = field(default_factory=list)
    lock_key: Annotated[
        list[str],
        option("--lock-key KEY", "Key of a holder, as etcdctl prints it; repeatable.", _WHAT),
    ] = field(default_factory=list)
    lock_key_hex: Annotated[
        list[str],
        option("--lock-key-hex HEX", "The same in hexadecimal; repeatable.", _WHAT),
    ] = field(default_factory=list)
    sessions: Annotated[
        bool,
        option("--sessions", "Revoke leaked sessions, in the whole cluster.", _WHAT),
    ] = False
    verdict: Annotated[
        list[Any],
        option(
            "--verdict NAME",
            "leaked-lock (default), suspected-leak, eternal-lock.",
            _WHAT,
            parser=_verdict,
            autocompletion=_complete_verdict,
        ),
    ] = field(default_factory=list)
    min_held_s: Annotated[
        float,
        option(
            "--min-held TIME",
            "Only locks proven to be held for at least TIME.",
            _WHAT,
            parser=duration,
        ),
    ] = 0.0
    most: Annotated[
        int,
        option("--max N", "Maximum targets, the oldest first (default 10).", _WHAT, parser=count),
    ] = 10
    how: Annotated[
        str,  # an Action; typer before 0.29 would convert an enumeration after its parser did
        option(
            "--how ACTION",
            "revoke (default), release or quarantine.",
            _WHAT,
            **choices(Action.REVOKE, Action.RELEASE, Action.QUARANTINE),
        ),
    ] = Action.REVOKE.value
    quarantine_s: Annotated[
        float,
        option(
            "--quarantine-for TIME",
            "Duration of a quarantine (default 60s).",
            _WHAT,
            parser=duration,
        ),
    ] = 60.0


@dataclass(frozen=True, kw_only=True)
class OverrideFlags:
    """The safety overrides."""

    even_if_healthy: Annotated[
        bool,
        option(
            "--even-if-healthy",
            "Also act on named targets not judged leaked, and on other keys on their lease.",
            _OVERRIDES,
        ),
    ] = False
    outside_keys: Annotated[
        bool,
        option(
            "--include-outside-keys",
            "Also delete its lease's keys outside the prefixes.",
            _OVERRIDES,
        ),
    ] = False
    most_keys: Annotated[
        int,
        option(
            "--max-keys N",
            "Maximum keys on a revoked lease (default 10).",
            _OVERRIDES,
            parser=count,
        ),
    ] = 10
    whole_prefix: Annotated[
        bool,
        option("--whole-prefix", "Act on every holder below --prefix, any verdict.", _OVERRIDES),
    ] = False


@dataclass(frozen=True, kw_only=True)
class ExecutionFlags:
    """How the plan is executed."""

    dry_run: Annotated[
        bool,
        option("--dry-run", "Print the plan only, without a question.", _ACTING),
    ] = False
    yes: Annotated[
        bool,
        option("--yes", "Execute the plan without asking.", _ACTING),
    ] = False
    plan: Annotated[
        Path | None,
        option("--plan FILE", "Save the plan to a file, and stop.", _ACTING),
    ] = None
    from_plan: Annotated[
        Path | None,
        option("--from-plan FILE", "Execute a saved plan; changed targets are refused.", _ACTING),
    ] = None
    undo: Annotated[
        str | None,
        option("--undo ENTRY", "Undo a quarantine; `lockdoctor journal` has entries.", _ACTING),
    ] = None
    verify_s: Annotated[
        float | None,
        option(
            "--verify TIME",
            "Then watch for TIME whether the lock leaks again.",
            _ACTING,
            parser=duration,
        ),
    ] = None
    pause_s: Annotated[
        float,
        option(
            "--pause TIME", "Pause between two targets (default 200ms).", _ACTING, parser=duration
        ),
    ] = 0.2
    continue_on_error: Annotated[
        bool,
        option("--continue-on-error", "Continue after an error of etcd.", _ACTING),
    ] = False
