"""Asks the user at the terminal before an action on etcd."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from typing import TextIO

from lockdoctor.cli.runtime.terminal import drop_typed_input
from lockdoctor.domain.model.actions import Action
from lockdoctor.domain.model.leases import NO_LEASE, hex_id
from lockdoctor.domain.model.locks import LockKey
from lockdoctor.domain.treatment.plan import RevokePlan, Target
from lockdoctor.outputs.text.plan import title
from lockdoctor.outputs.text.values import count, name, printable

MAX_NAMES = 10
"""Maximum targets in the question; the plan above it lists all of them."""

MAX_ANSWER = 40
"""Maximum length of a name to type; longer or untypable names get a short answer."""


def may_ask() -> bool:
    """Return whether a user can see a question and answer it."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def asked(question: str, expected: str, answers: TextIO, questions: TextIO) -> bool:
    """
    Ask a question, and return whether the answer is the expected one.

    A plain y is not enough: the answer is a name, or the number of targets.

    Raises:
        KeyboardInterrupt: A signal arrived; a message confirmed that etcd was not changed.
    """
    drop_typed_input(answers)
    try:
        questions.write(f"{question} Anything else cancels: ")
        questions.flush()
        typed = answers.readline().strip()
    except KeyboardInterrupt:
        with contextlib.suppress(OSError):  # the terminal might be gone
            # on its own line after the echo of Ctrl-C
            questions.write("\nInterrupted. etcd was not changed.\n")
        raise
    if typed == expected:
        return True
    shown = name(typed.encode(errors="surrogateescape"))
    why = f"you typed '{shown}', not '{expected}'" if typed else "no answer was typed"
    questions.write(f"Canceled: {why}. etcd was not changed.\n")
    return False


def plan_question(plan: RevokePlan) -> tuple[str, str]:
    """Return the question whether to execute a plan, and the answer that executes it."""
    expected = _plan_answer(plan)
    lines = [f"  {each.action.value} {title(each)}\n" for each in plan.targets[:MAX_NAMES]]
    if plan.targets[MAX_NAMES:]:
        lines.append(f"  … and {len(plan.targets) - MAX_NAMES} more\n")
    what = "it" if len(plan.targets) == 1 else _named(plan.targets)
    return f"{''.join(lines)}Type {expected} to {_verb(plan.targets)} {what}.", expected


def restore_question(keys: Sequence[LockKey]) -> tuple[str, str]:
    """Return the question whether to restore keys, and the answer that restores them."""
    expected = _typable(keys[0].key) if len(keys) == 1 else ""
    if expected:
        return f"Type {expected} to restore it.", expected
    expected = str(len(keys))
    these = "this key" if len(keys) == 1 else f"these {count(len(keys), 'key')}"
    return f"Type {expected} to restore {these}.", expected


def _plan_answer(plan: RevokePlan) -> str:
    """Return the lock's name, its lease, or the number of several targets."""
    target = plan.targets[0]
    if len(plan.targets) > 1:
        return str(len(plan.targets))
    lock = _typable(target.approved_holds[0].lock.name) if target.approved_holds else ""
    return lock or (hex_id(target.lease_id) if target.lease_id else "1")


def _typable(raw: bytes) -> str:
    """Return a name as text if it is easy to type, else an empty text."""
    text = printable(raw)
    return text if text.isascii() and "\\" not in text and len(text) <= MAX_ANSWER else ""


def _verb(targets: Sequence[Target]) -> str:
    actions = {target.action for target in targets}
    return actions.pop().value if len(actions) == 1 else "free"


def _named(targets: Sequence[Target]) -> str:
    leases = all(each.action is Action.REVOKE and each.lease_id != NO_LEASE for each in targets)
    return f"these {count(len(targets), 'lease' if leases else 'target')}"
