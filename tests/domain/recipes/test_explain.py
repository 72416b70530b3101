"""Why a key has the kind that it has."""

from __future__ import annotations

import pytest

from lockdoctor.domain.model.leases import NO_LEASE
from lockdoctor.domain.model.locks import Kind
from lockdoctor.domain.policy.policy import Policy
from lockdoctor.domain.recipes.conditions import Beside, HasLease, OwnLease, ValueForm, ValueIs
from lockdoctor.domain.recipes.explain import (
    Explanation,
    Outcome,
    Step,
    explain_key,
    explain_name,
    prefix_to_explain,
)
from lockdoctor.domain.recipes.registry import built_in
from tests.domain.recipes.test_built_in import EXAMPLES
from tests.factories.reports import a_key

CONFIG = a_key(b"/service/pg/config", lease_id=NO_LEASE, value=b'{"ttl": 30, "loop_wait": 10}')
LEADER = a_key(b"/service/pg/leader", lease_id=NO_LEASE, value=b"node-a")


def step(found: Explanation, name: str) -> Step:
    return next(each for each in found.steps if each.recipe.name == name)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_explanation_agrees_with_what_a_scan_makes_of_the_key(name: str) -> None:
    """One recipe takes the key, and each other one says why not."""
    key, known = EXAMPLES[name]
    found = explain_key(key, [key], b"", Policy())

    assert found.taken is built_in().named(name)
    assert found.lock is not None
    assert found.lock.known_kind == known
    assert [each.outcome for each in found.steps].count(Outcome.TAKES) == 1
    assert len(found.steps) == len(built_in().in_order)
    for each in found.steps:
        assert bool(each.conditions) == (each.outcome is Outcome.CONDITION)


def test_conditions_that_are_not_met_are_named() -> None:
    """For the recipes whose pattern matches the name."""
    key = a_key(b"/l/q/7", lease_id=8)
    found = explain_key(key, [key], b"", Policy())

    assert step(found, "mutex").conditions == (OwnLease("hex"),)
    assert step(found, "go-zero").conditions == (OwnLease("dec"), ValueIs(ValueForm.NOT_EMPTY))
    assert step(found, "key-without-lease").outcome is Outcome.LATER
    assert step(found, "pd-leader").outcome is Outcome.PATTERN


def test_neighbors_are_taken_into_account() -> None:
    """Patroni's leader is known by the configuration beside it, and by nothing else."""
    proven = explain_key(LEADER, [LEADER, CONFIG], b"/service/pg/", Policy())
    alone = explain_key(LEADER, [LEADER], b"/service/pg/", Policy())

    assert prefix_to_explain(LEADER, built_in()) == b"/service/pg/"
    assert proven.taken is built_in().named("patroni")
    assert step(proven, "key-without-lease").outcome is Outcome.LATER
    assert alone.taken is built_in().named("key-without-lease")
    beside = Beside(("patroni-member", "patroni-config"))
    assert step(alone, "patroni").conditions == (beside,)


def test_a_name_alone_tells_what_must_hold() -> None:
    """No key of that name is in etcd: which recipes could take it, and when."""
    found = explain_name(b"/l/q/694d7aef9c2b3a01", built_in(), "etcd has no such key")

    assert step(found, "mutex").outcome is Outcome.IF
    assert step(found, "mutex").conditions == (HasLease(wanted=True), OwnLease("hex"))
    assert step(found, "vitess").outcome is Outcome.PATTERN
    assert found.steps[-1].outcome is Outcome.IF
    assert (found.taken, found.lock, found.key) == (None, None, None)


def test_a_stated_kind_is_shown_as_stated() -> None:
    """The recipe still says what it would be."""
    key = EXAMPLES["go-zero"][0]
    found = explain_key(key, [key], b"", Policy(overrides={"kind": Kind.LOCK}))

    assert found.lock is not None
    assert (found.lock.kind, found.taken) == (Kind.LOCK, built_in().named("go-zero"))
