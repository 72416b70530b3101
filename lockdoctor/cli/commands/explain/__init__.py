"""The command `explain`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from lockdoctor.cli.options.completion import words

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
            help="For example leaked-lock. Default: all, briefly.",
        ),
    ] = ""


def explain(flags: ExplainFlags) -> int:
    """
    Say what a verdict means, and what to do.

    What it means, the evidence for it, when it may be harmless, and the remedy, with the
    client code that causes it and the code that does not. The same stands in docs/verdicts.md.
    """
    from lockdoctor.cli.commands.explain.run import run_explain  # noqa: PLC0415  # loads rich

    return run_explain(flags.verdict)
