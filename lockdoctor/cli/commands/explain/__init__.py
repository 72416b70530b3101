"""The command `explain`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from lockdoctor.cli.options.types import words

EXAMPLES = """\b
Examples:
  lockdoctor explain
  lockdoctor explain leaked-lock

\b
Exit status: 0, 2 bad usage.
"""


def _complete_verdict(incomplete: str) -> list[str]:
    from lockdoctor.domain.evidence.verdicts import VerdictKind  # noqa: PLC0415  # takes long

    return words(*VerdictKind)(incomplete)


@dataclass(frozen=True, kw_only=True)
class ExplainFlags:
    """The verdict to explain."""

    verdict: Annotated[
        str,
        typer.Argument(
            metavar="VERDICT",
            autocompletion=_complete_verdict,
            help="A verdict, like leaked-lock (default: a list of all).",
        ),
    ] = ""


def explain(flags: ExplainFlags) -> int:
    """
    Explain a verdict: its meaning, its evidence and its remedy.

    Also when it can be harmless, the client code that causes it, and the code that does not.
    docs/verdicts.md has the same text.
    """
    from lockdoctor.cli.commands.explain.run import run_explain  # noqa: PLC0415  # loads rich

    return run_explain(flags.verdict)
