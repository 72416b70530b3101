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

_WHAT = "What to treat, and how"


_DANGERS = "Dangers: each needs its own flag, --yes covers none"


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
            help="Leases as etcdctl prints them. Default: the holders that are judged leaked-lock.",
            show_default=False,
            rich_help_panel=_WHAT,
        ),
    ] = field(default_factory=list)
    lock_key: Annotated[
        list[str],
        typer.Option(
            "--lock-key",
            metavar="KEY",
            help="The key of a holder, as etcdctl shows it; repeatable.",
            rich_help_panel=_WHAT,
        ),
    ] = field(default_factory=list)
    lock_key_hex: Annotated[
        list[str],
        typer.Option(
            "--lock-key-hex",
            metavar="HEX",
            help="The same for keys that are not text; repeatable.",
            rich_help_panel=_WHAT,
        ),
    ] = field(default_factory=list)
    sessions: Annotated[
        bool,
        typer.Option(
            "--sessions",
            help="The leases without keys that are judged leaked, wherever in the cluster.",
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
            help="Only what is proven to be held for so long.",
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
            help="At most so many, the oldest holds first (10).",
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
            help="revoke (the default) deletes the hold and ends its session with every key on it;"
            " release deletes the hold alone; quarantine deletes it too, but later: until then it"
            " keeps its place and can be put back.",
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
            help="How long a quarantine lasts (60s).",
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
            help="Treat what is named, and what hangs on its lease, though nothing of it was judged"
            " leaked.",
            rich_help_panel=_DANGERS,
        ),
    ] = False
    outside_keys: Annotated[
        bool,
        typer.Option(
            "--include-outside-keys",
            help="Delete keys outside the prefixes that are on a lease that is revoked.",
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
            help="Revoke no lease with more keys than this (10).",
            rich_help_panel=_DANGERS,
        ),
    ] = 10
    whole_prefix: Annotated[
        bool,
        typer.Option(
            "--whole-prefix",
            help="Treat every holder below the --prefix, whatever was concluded.",
            rich_help_panel=_DANGERS,
        ),
    ] = False


@dataclass(frozen=True, kw_only=True)
class ExecutionFlags:
    """How the plan is executed."""

    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Plan only, and ask nothing.", rich_help_panel=_ACTING),
    ] = False
    yes: Annotated[
        bool,
        typer.Option(
            "--yes",
            help="Carry the plan out without asking. Without this and without a terminal, the plan"
            " is all that happens.",
            rich_help_panel=_ACTING,
        ),
    ] = False
    plan: Annotated[
        Path | None,
        typer.Option(
            "--plan",
            metavar="FILE",
            help="Save the plan, and do nothing else.",
            rich_help_panel=_ACTING,
        ),
    ] = None
    from_plan: Annotated[
        Path | None,
        typer.Option(
            "--from-plan",
            metavar="FILE",
            help="Carry out exactly that plan, and nothing of it that has changed since.",
            rich_help_panel=_ACTING,
        ),
    ] = None
    undo: Annotated[
        str | None,
        typer.Option(
            "--undo",
            metavar="ENTRY",
            help="Put what is in quarantine back onto its old lease, at once; `lockdoctor journal`"
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
            help="Watch afterwards whether the leak comes back: the same lock, another lease,"
            " renewed.",
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
            help="Between two targets (200ms).",
            rich_help_panel=_ACTING,
        ),
    ] = 0.2
    continue_on_error: Annotated[
        bool,
        typer.Option(
            "--continue-on-error",
            help="Go on with the next target after etcd has failed.",
            rich_help_panel=_ACTING,
        ),
    ] = False
