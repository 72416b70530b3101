"""The question before a plan is carried out: it names the locks, and takes a typed answer."""

from __future__ import annotations

import contextlib
from typing import TextIO

from lockdoctor.cli.runtime.terminal import drop_typed_input
from lockdoctor.domain.model.leases import hex_id
from lockdoctor.domain.treatment.plan import RevokePlan, Target
from lockdoctor.outputs.table.treatment import VERBS, title
from lockdoctor.outputs.text.values import printable

MAX_NAMES = 10
"""So many targets are named in the question; all stand in the plan above it."""

MAX_ANSWER = 40
"""Nobody has to type a longer name, or one that no keyboard writes."""


def is_agreed(plan: RevokePlan, answers: TextIO, questions: TextIO) -> bool:
    """
    Ask whether to carry a plan out.

    A bare y is not enough: whoever agrees types the lock's name, or how many targets there are.

    Raises:
        KeyboardInterrupt: A signal was the answer; it was told that nothing was done.
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
        with contextlib.suppress(OSError):  # the terminal may have gone with it
            questions.write("\nNothing was done.\n")  # on a line after what Ctrl-C echoes
        raise
    questions.write("Nothing was done.\n")
    return False


def wanted_answer(plan: RevokePlan) -> str:
    """Say what has to be typed."""
    if len(plan.targets) > 1:
        return str(len(plan.targets))
    return _short_name(plan.targets[0])


def _short_name(target: Target) -> str:
    """The lock's name; where that is hard to type, the lease, or the number of targets."""
    name = printable(target.stakes[0].lock.name) if target.stakes else ""
    if name and name.isascii() and "\\" not in name and len(name) <= MAX_ANSWER:
        return name
    return hex_id(target.lease_id) if target.lease_id else "1"
