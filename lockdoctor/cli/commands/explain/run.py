"""Prints the meaning of a verdict."""

from __future__ import annotations

import difflib

from lockdoctor.cli.exit_codes import ExitStatus
from lockdoctor.cli.runtime.terminal import write_page
from lockdoctor.errors import ConfigError
from lockdoctor.outputs.table.explain import explanation_parts, summary_parts
from lockdoctor.verdict_docs import explanations


def run_explain(verdict: str) -> ExitStatus:
    """
    Explain one verdict, or list all of them.

    Raises:
        ConfigError: There is no such verdict.
    """
    told = {each.verdict: each for each in explanations()}
    if not verdict:
        write_page(summary_parts(told.values()), "the verdicts")
    elif verdict in told:
        write_page(explanation_parts(told[verdict]), "the verdict")
    else:
        near = difflib.get_close_matches(verdict, told, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Use one of {', '.join(told)}."
        raise ConfigError(f"{verdict!r} is not a verdict. {hint}")
    return ExitStatus.NOTHING_FOUND
