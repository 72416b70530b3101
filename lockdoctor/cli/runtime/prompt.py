"""Asks the user at the terminal before an action on etcd."""

from __future__ import annotations

import contextlib
import sys
from typing import TextIO

from lockdoctor.cli.runtime.terminal import drop_typed_input, print_message
from lockdoctor.domain.model.leases import hex_id
from lockdoctor.domain.treatment.plan import RevokePlan, Target
from lockdoctor.outputs.table.treatment import VERBS, title
from lockdoctor.outputs.text.values import printable

MAX_NAMES = 10
"""Maximum targets in the question; the plan above it lists all of them."""

MAX_ANSWER = 40
"""Maximum length of a name to type; longer or untypable names get a short answer."""


def is_agreed(plan: RevokePlan, answers: TextIO, questions: TextIO) -> bool:
    """
    Ask whether to execute a plan.

    A plain y is not enough: the answer is the lock's name, or the number of targets.

    Raises:
        KeyboardInterrupt: A signal arrived; a message confirmed that etcd was not changed.
    """
    expected = wanted_answer(plan)
    drop_typed_input(answers)
    questions.writelines(
        f"  {VERBS[target.action][0]} {title(target)}\n" for target in plan.targets[:MAX_NAMES]
    )
    if plan.targets[MAX_NAMES:]:
        questions.write(f"  … and {len(plan.targets) - MAX_NAMES} more\n")
    what = "its name" if len(plan.targets) == 1 else "how many they are"
    try:
        questions.write(
            f"To do this now, type {what} ({expected}); anything else leaves all as it is: "
        )
        questions.flush()
        if answers.readline().strip() == expected:
            return True
    except KeyboardInterrupt:
        with contextlib.suppress(OSError):  # the terminal might be gone
            questions.write("\nNothing was done.\n")  # on its own line after the echo of Ctrl-C
        raise
    questions.write("Nothing was done.\n")
    return False


def wanted_answer(plan: RevokePlan) -> str:
    """Return the required answer."""
    if len(plan.targets) > 1:
        return str(len(plan.targets))
    return _short_name(plan.targets[0])


def _short_name(target: Target) -> str:
    """Return the lock's name; if hard to type, the lease or the number of targets."""
    name = printable(target.stakes[0].lock.name) if target.stakes else ""
    if name and name.isascii() and "\\" not in name and len(name) <= MAX_ANSWER:
        return name
    return hex_id(target.lease_id) if target.lease_id else "1"


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
        print_message("Interrupted. etcd was not changed.")
        raise
