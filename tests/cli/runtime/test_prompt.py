"""The question before anything is done."""

from __future__ import annotations

import io

import pytest

from lockdoctor.cli.runtime.prompt import asked, plan_question, restore_question
from lockdoctor.domain.treatment.plan import RevokePlan
from tests.factories.plans import (
    a_plan,
    a_session,
    a_target,
    an_approved_hold,
    an_unleased_key,
    hostile_plan,
)

ORDERS = "/my-lock/orders"


def answered(plan: RevokePlan, answer: str) -> tuple[bool, str]:
    questions = io.StringIO()
    is_agreed = asked(*plan_question(plan), io.StringIO(answer), questions)
    return is_agreed, questions.getvalue()


def expected(plan: RevokePlan) -> str:
    return plan_question(plan)[1]


@pytest.mark.parametrize("answer", ["", "\n", "y\n", "yes\n", "1\n", "/my-lock/order\n"])
def test_a_bare_yes_is_not_enough(answer: str) -> None:
    """Nor is silence: whoever agrees knows what it is about."""
    agreed, said = answered(a_plan(), answer)

    assert not agreed
    why = (
        f"you typed '{answer.strip()}', not '{ORDERS}'" if answer.strip() else "no answer was typed"
    )
    assert said.endswith(f"Canceled: {why}. etcd was not changed.\n")
    assert f"revoke {ORDERS}, lease 32698f1c0a1b2c3d" in said
    assert f"Type {ORDERS} to revoke it. Anything else cancels: " in said


def test_ctrl_c_is_no_answer() -> None:
    """Whoever ends the program at the question is told that nothing was done."""

    class Interrupted(io.StringIO):
        def readline(self, *_: object) -> str:  # type: ignore[override]  # as typeshed has it
            raise KeyboardInterrupt

    questions = io.StringIO()
    with pytest.raises(KeyboardInterrupt):
        asked(*plan_question(a_plan()), Interrupted(), questions)

    assert questions.getvalue().endswith("\nInterrupted. etcd was not changed.\n")


def test_the_name_of_the_lock_is_enough() -> None:
    """Blanks around it do not matter."""
    assert answered(a_plan(), f" {ORDERS} \n")[0]


def test_of_several_their_number_is_typed() -> None:
    """Each is named in the question, or counted where they are many."""
    plan = a_plan(*[a_target()] * 12)

    agreed, said = answered(plan, "12\n")
    assert agreed
    assert said.count(ORDERS) == 10
    assert "… and 2 more" in said
    assert "Type 12 to revoke these 12 leases. Anything else cancels: " in said
    assert not answered(plan, "10\n")[0]


def test_a_name_that_nobody_can_type_is_not_asked_for() -> None:
    """The lease stands in for it, or the number one."""
    long = an_approved_hold(b"/" + b"x" * 50)

    assert expected(a_plan(a_target(approved_holds=(long,)))) == "32698f1c0a1b2c3d"
    assert expected(a_plan(a_session())) == "0000000000000051"
    assert expected(a_plan(an_unleased_key())) == "/my-lock/stale"
    for target in hostile_plan().targets:
        assert expected(a_plan(target)).isascii()
    for target in hostile_plan().targets:
        assert answered(a_plan(target), "y\n")[1].replace("\n", "").isprintable()


def test_a_restore_asks_in_the_same_form() -> None:
    """One key by its name, if it can be typed; several by their number."""
    keys = [hold.hold for hold in (an_approved_hold(b"/a"), an_approved_hold(b"/" + b"x" * 50))]
    key = keys[0].key.decode()

    assert restore_question(keys[:1]) == (f"Type {key} to restore it.", key)
    assert restore_question(keys[1:]) == ("Type 1 to restore this key.", "1")
    assert restore_question(keys) == ("Type 2 to restore these 2 keys.", "2")
