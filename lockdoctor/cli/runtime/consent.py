"""Asks whoever sits at the terminal before anything is done to etcd."""

from __future__ import annotations

import sys

from lockdoctor.cli.runtime.streams import print_message
from lockdoctor.cli.runtime.terminal import drop_typed_input


def may_ask() -> bool:
    """Say whether somebody can see a question and answer it."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def agreed(question: str, answer: str = "yes") -> bool:
    """
    Ask; only the very word counts, typed out.

    Args:
        question: One that has been made safe to show.
        answer: The word.

    Raises:
        KeyboardInterrupt: A signal was the answer; it was told that nothing was written.
    """
    drop_typed_input(sys.stdin)
    try:
        print(f"{question} Type {answer} to do it: ", end="", file=sys.stderr, flush=True)  # noqa: T201  # a command line talks
        return sys.stdin.readline().strip() == answer
    except KeyboardInterrupt:
        print_message("interrupted: nothing was written to etcd")
        raise
