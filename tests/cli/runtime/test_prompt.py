"""The question before anything is done."""

from __future__ import annotations

import io

import pytest

from lockdoctor.cli.runtime.prompt import is_agreed, wanted_answer
from lockdoctor.domain.treatment.plan import RevokePlan
from tests.factories.plans import (
    a_plan,
    a_session,
    a_stake,
    a_target,
    an_unleased_key,
    hostile_plan,
)

ORDERS = "/my-lock/orders"


def asked(plan: RevokePlan, answer: str) -> tuple[bool, str]:
    questions = io.StringIO()
    return is_agreed(plan, io.StringIO(answer), questions), questions.getvalue()


@pytest.mark.parametrize("answer", ["", "\n", "y\n", "yes\n", "1\n", "/my-lock/order\n"])
def test_a_bare_yes_is_not_enough(answer: str) -> None:
    """Nor is silence: whoever agrees knows what it is about."""
    agreed, said = asked(a_plan(), answer)

    assert not agreed
    assert said.endswith("Nothing was done.\n")
    assert f"revoke {ORDERS}, lease 32698f1c0a1b2c3d" in said
    assert f"type its name ({ORDERS})" in said


def test_ctrl_c_is_no_answer() -> None:
    """Whoever ends the program at the question is told that nothing was done."""

    class Interrupted(io.StringIO):
        def readline(self, *_: object) -> str:  # type: ignore[override]  # as typeshed has it
            raise KeyboardInterrupt

    questions = io.StringIO()
    with pytest.raises(KeyboardInterrupt):
        is_agreed(a_plan(), Interrupted(), questions)

    assert questions.getvalue().endswith("\nNothing was done.\n")


def test_the_name_of_the_lock_is_enough() -> None:
    """Blanks around it do not matter."""
    assert asked(a_plan(), f" {ORDERS} \n")[0]


def test_of_several_their_number_is_typed() -> None:
    """Each is named in the question, or counted where they are many."""
    plan = a_plan(*[a_target()] * 12)

    agreed, said = asked(plan, "12\n")
    assert agreed
    assert said.count(ORDERS) == 10
    assert "… and 2 more" in said
    assert not asked(plan, "10\n")[0]


def test_a_name_that_nobody_can_type_is_not_asked_for() -> None:
    """The lease stands in for it, or the number one."""
    long = a_stake(b"/" + b"x" * 50)

    assert wanted_answer(a_plan(a_target(stakes=(long,)))) == "32698f1c0a1b2c3d"
    assert wanted_answer(a_plan(a_session())) == "0000000000000051"
    assert wanted_answer(a_plan(an_unleased_key())) == "/my-lock/stale"
    for target in hostile_plan().targets:
        assert wanted_answer(a_plan(target)).isascii()
    for target in hostile_plan().targets:
        assert asked(a_plan(target), "y\n")[1].replace("\n", "").isprintable()
