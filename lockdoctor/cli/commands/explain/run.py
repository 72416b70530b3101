"""Prints the meaning of a verdict."""

from __future__ import annotations

import difflib
import os
import sys

from lockdoctor.cli.exit_codes import ExitStatus
from lockdoctor.cli.runtime.terminal import in_colour, width
from lockdoctor.errors import ConfigError
from lockdoctor.outputs.table.explain import write_explanation, write_summaries
from lockdoctor.verdict_docs import explanations


def run_explain(verdict: str) -> ExitStatus:
    """
    Explain one verdict, or list all of them.

    Raises:
        ConfigError: There is no such verdict.
    """
    told = {each.verdict: each for each in explanations()}
    columns, colour = width(), in_colour(sys.stdout, os.environ)
    if not verdict:
        write_summaries(told.values(), sys.stdout, width=columns, colour=colour)
    elif verdict in told:
        write_explanation(told[verdict], sys.stdout, width=columns, colour=colour)
    else:
        near = difflib.get_close_matches(verdict, told, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Use one of {', '.join(told)}."
        raise ConfigError(f"{verdict!r} is not a verdict. {hint}")
    return ExitStatus.NOTHING_FOUND
