"""The options of `revoke`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lockdoctor.cli.options.completion import words
from lockdoctor.cli.options.types import count, duration, one_of
from lockdoctor.domain.model.actions import Action

if TYPE_CHECKING:
    from lockdoctor.domain.evidence.verdicts import VerdictKind

_WHAT = "What to act on, and how"


_DANGERS = "Safety overrides (not implied by --yes)"


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
            help="Leases as etcdctl prints them (default: the holders with the verdict"
            " leaked-lock).",
            show_default=False,
            rich_help_panel=_WHAT,
        ),
    ] = field(default_factory=list)
    lock_key: Annotated[
        list[str],
        typer.Option(
            "--lock-key",
            metavar="KEY",
            help="Key of a holder, as etcdctl prints it; repeatable.",
            rich_help_panel=_WHAT,
        ),
    ] = field(default_factory=list)
    lock_key_hex: Annotated[
        list[str],
        typer.Option(
            "--lock-key-hex",
            metavar="HEX",
            help="Key in hexadecimal, for keys that are not text; repeatable.",
            rich_help_panel=_WHAT,
        ),
    ] = field(default_factory=list)
    sessions: Annotated[
        bool,
        typer.Option(
            "--sessions",
            help="Revoke the leases without keys that have the verdict leaked-session, in the"
            " whole cluster.",
            rich_help_panel=_WHAT,
        ),
    ] = False
    verdict: Annotated[
        list[Any],
        typer.Option(
            "--verdict",
            parser=_verdict,
            autocompletion=_complete_verdict,
            metavar="NAME",
            help="leaked-lock (the default), suspected-leak or eternal-lock; repeatable.",
            rich_help_panel=_WHAT,
        ),
    ] = field(default_factory=list)
    min_held_s: Annotated[
        float,
        typer.Option(
            "--min-held",
            parser=duration,
            metavar="DURATION",
            show_default=False,
            help="Only locks proven to be held for at least DURATION.",
            rich_help_panel=_WHAT,
        ),
    ] = 0.0
    most: Annotated[
        int,
        typer.Option(
            "--max",
            parser=count,
            metavar="N",
            show_default=False,
            help="Maximum number of targets, the oldest holds first (default 10).",
            rich_help_panel=_WHAT,
        ),
    ] = 10
    how: Annotated[
        str,  # an Action; typer before 0.29 would convert an enumeration after its parser did
        typer.Option(
            "--how",
            parser=one_of(Action.REVOKE, Action.RELEASE, Action.QUARANTINE),
            autocompletion=words(Action.REVOKE, Action.RELEASE, Action.QUARANTINE),
            metavar="WAY",
            show_default=False,
            help="revoke (default): delete the hold, and revoke its lease with every key on it."
            " release: delete the hold only. quarantine: move the key to a short lease."
            " Until that lease expires, the key keeps its place in the queue and can be"
            " restored.",
            rich_help_panel=_WHAT,
        ),
    ] = Action.REVOKE.value
    quarantine_s: Annotated[
        float,
        typer.Option(
            "--quarantine-for",
            parser=duration,
            metavar="DURATION",
            show_default=False,
            help="Duration of a quarantine (default 60s).",
            rich_help_panel=_WHAT,
        ),
    ] = 60.0


@dataclass(frozen=True, kw_only=True)
class OverrideFlags:
    """The safety overrides."""

    even_if_healthy: Annotated[
        bool,
        typer.Option(
            "--even-if-healthy",
            help="Also act on named targets that were not judged leaked, and on other keys on"
            " their lease.",
            rich_help_panel=_DANGERS,
        ),
    ] = False
    outside_keys: Annotated[
        bool,
        typer.Option(
            "--include-outside-keys",
            help="Also delete keys outside the prefixes that are on a revoked lease.",
            rich_help_panel=_DANGERS,
        ),
    ] = False
    most_keys: Annotated[
        int,
        typer.Option(
            "--max-keys",
            parser=count,
            metavar="N",
            show_default=False,
            help="Refuse to revoke a lease with more keys than N (default 10).",
            rich_help_panel=_DANGERS,
        ),
    ] = 10
    whole_prefix: Annotated[
        bool,
        typer.Option(
            "--whole-prefix",
            help="Act on every holder below --prefix, whatever its verdict.",
            rich_help_panel=_DANGERS,
        ),
    ] = False


@dataclass(frozen=True, kw_only=True)
class ExecutionFlags:
    """How the plan is executed."""

    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Print the plan only, without a question.", rich_help_panel=_ACTING
        ),
    ] = False
    yes: Annotated[
        bool,
        typer.Option(
            "--yes",
            help="Execute the plan without asking. Without --yes and without a terminal, only"
            " the plan is printed.",
            rich_help_panel=_ACTING,
        ),
    ] = False
    plan: Annotated[
        Path | None,
        typer.Option(
            "--plan",
            metavar="FILE",
            help="Save the plan to a file, and stop.",
            rich_help_panel=_ACTING,
        ),
    ] = None
    from_plan: Annotated[
        Path | None,
        typer.Option(
            "--from-plan",
            metavar="FILE",
            help="Execute a saved plan. Targets that have changed since are refused.",
            rich_help_panel=_ACTING,
        ),
    ] = None
    undo: Annotated[
        str | None,
        typer.Option(
            "--undo",
            metavar="ENTRY",
            help="Undo a quarantine: move the keys back to their old lease. `lockdoctor journal`"
            " lists the entries.",
            rich_help_panel=_ACTING,
        ),
    ] = None
    verify_s: Annotated[
        float | None,
        typer.Option(
            "--verify",
            parser=duration,
            metavar="DURATION",
            help="Afterwards, watch for DURATION whether another lease takes the same lock and"
            " is renewed.",
            rich_help_panel=_ACTING,
        ),
    ] = None
    pause_s: Annotated[
        float,
        typer.Option(
            "--pause",
            parser=duration,
            metavar="DURATION",
            show_default=False,
            help="Pause between two targets (default 200ms).",
            rich_help_panel=_ACTING,
        ),
    ] = 0.2
    continue_on_error: Annotated[
        bool,
        typer.Option(
            "--continue-on-error",
            help="Continue with the next target after an error of etcd.",
            rich_help_panel=_ACTING,
        ),
    ] = False
