"""Asks the user at the terminal before an action on etcd."""

from __future__ import annotations

import sys

from lockdoctor.cli.runtime.streams import print_message
from lockdoctor.cli.runtime.terminal import drop_typed_input


def may_ask() -> bool:
    """Return whether a user can see a question and answer it."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def agreed(question: str, answer: str = "yes") -> bool:
    """
    Ask a question, and return whether the answer is the exact word.

    Args:
        question: A question that is safe to show.
        answer: The required word.

    Raises:
        KeyboardInterrupt: A signal arrived; a message confirmed that etcd was not changed.
    """
    drop_typed_input(sys.stdin)
    try:
        print(f"{question} Type {answer} to do it: ", end="", file=sys.stderr, flush=True)  # noqa: T201  # output for the user
        return sys.stdin.readline().strip() == answer
    except KeyboardInterrupt:
        print_message("interrupted: nothing was written to etcd")
        raise
