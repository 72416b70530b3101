"""Plans as JSON: saved and read again, whole and sound or not at all; and what came of them."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lockdoctor.domain.model.actions import Result
from lockdoctor.domain.treatment.plan import RevokePlan
from lockdoctor.outputs.json.plan import reason_document
from lockdoctor.outputs.json.plan_reading import read_plan
from lockdoctor.outputs.json.treatment import write_plan_file, write_treatment, write_undone
from tests.factories.plans import (
    a_plan,
    a_refusal,
    a_target,
    an_undone,
    everything_planned,
    everything_treated,
    hostile_plan,
)
from tests.factories.reports import a_key


def saved(plan: RevokePlan) -> str:
    out = io.StringIO()
    write_plan_file(plan, out)
    return out.getvalue()


def carried_out(plan: RevokePlan) -> RevokePlan:
    """Leave out what is told but not carried out."""
    return replace(plan, refused=(), too_young=0, beyond_most=0, unnamed=(), unseen=())


@pytest.mark.parametrize(
    "plan", [a_plan(), everything_planned(), hostile_plan(), a_plan(targets=())]
)
def test_a_saved_plan_is_read_as_it_was(plan: RevokePlan) -> None:
    """Every byte of every key, every revision and lease, every sentence."""
    text = saved(plan)

    assert text.isascii()
    assert read_plan(text) == carried_out(plan)


def test_a_plan_holds_no_values() -> None:
    """A value may be a secret; only its size is saved."""
    secret = a_key(b"/services/worker-7", value=b"secret")
    text = saved(a_plan(a_target(others=(secret,))))

    assert "secret" not in text
    assert base64.b64encode(b"secret").decode() not in text
    assert _target(json.loads(text))["other_keys"][0]["value_size"] == 6


Spoil = Callable[[dict[str, Any]], object]

SPOILT: dict[str, tuple[Spoil, str]] = {
    "another version": (lambda plan: plan.update(lockdoctor_plan=2), "another version"),
    "no cluster": (lambda plan: plan.pop("cluster_id"), "the plan lacks cluster_id"),
    "a term in words": (lambda plan: plan.update(raft_term="two"), "raft_term of the plan"),
    "no time": (lambda plan: plan.update(made_at="2026-01-01"), "made_at"),
    "targets that are none": (lambda plan: plan.update(targets={}), "targets of the plan"),
    "a target that is none": (lambda plan: plan.update(targets=[7]), "targets[0] of the plan"),
    "an unknown action": (lambda plan: _target(plan).update(action="undo"), "action of targets[0]"),
    "a lease that is none": (lambda plan: _target(plan).update(lease="0"), "lease of targets[0]"),
    "an unknown verdict": (lambda plan: _target(plan).update(verdict="bad"), "verdict of"),
    "a hold on another lease": (lambda plan: _hold(plan).update(lease="7"), "not on its lease"),
    "a hold without revision": (
        lambda plan: _hold(plan).update(create_revision=0),
        "create_revision of holds[0] of targets[0]",
    ),
    "a key that is no base64": (lambda plan: _hold(plan).update(key_base64="?"), "key_base64"),
    "nothing to revoke": (
        lambda plan: (_target(plan).update(lease=None), _hold(plan).update(lease=None)),
        "no lease to revoke",
    ),
    "no hold to release": (
        lambda plan: _target(plan).update(action="release", holds=[]),
        "has no hold",
    ),
    "neither lease nor hold": (
        lambda plan: _target(plan).update(lease=None, holds=[]),
        "neither a hold nor a lease",
    ),
    "no quarantine": (lambda plan: plan.update(quarantine_s=0), "quarantine_s"),
    "a truth that is none": (lambda plan: _hold(plan).update(is_holder="yes"), "is_holder"),
}


def _target(plan: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = plan["targets"][0]
    return found


def _hold(plan: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = _target(plan)["holds"][0]
    return found


@pytest.mark.parametrize("name", SPOILT)
def test_a_plan_that_was_spoilt_is_refused(name: str) -> None:
    """It is said where it makes no sense; nothing of it is carried out."""
    spoil, says = SPOILT[name]
    document = json.loads(saved(a_plan()))
    spoil(document)

    with pytest.raises(ValueError, match=r".") as caught:
        read_plan(json.dumps(document))
    assert says in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "[]", "{}", '"plan"', "null"])
def test_what_is_no_plan_is_refused(text: str) -> None:
    """Whatever it is, it is no error of ours."""
    with pytest.raises(ValueError, match="it is"):
        read_plan(text)


def test_the_document_of_a_treatment() -> None:
    """The plan, and for each target the result, the queue, the entry in the journal."""
    report, out = everything_treated(), io.StringIO()
    write_treatment(report.plan, report, out)
    document = json.loads(out.getvalue())

    told = document["treatment"]
    assert (document["schema_version"], told["all_done"], told["untouched"]) == (1, False, 1)
    assert [each["result"] for each in told["targets"]][4:] == [
        "done",
        "already-gone",
        "refused",
        "partly",
        "failed",
        "unknown",
    ]
    assert told["targets"][0]["queues"][0]["holder"] == "/my-lock/orders/a1"
    assert told["targets"][6]["changed"][0]["kind"] == "key-taken-anew"
    assert told["targets"][2]["undo_until"] == "2026-01-01T12:01:00.000+00:00"
    assert [each["was_waiting"] for each in told["relapses"]] == [True, False]
    assert document["plan"]["refused"][0]["reasons"][0]["verdict"] == "suspected-leak"


def test_the_document_of_a_plan_alone() -> None:
    """Nothing was carried out: null, not an empty list."""
    out = io.StringIO()
    write_treatment(a_plan(), None, out)

    assert json.loads(out.getvalue())["treatment"] is None


def test_the_document_of_an_undo() -> None:
    """Which quarantine, and what came of it."""
    out = io.StringIO()
    write_undone(an_undone(Result.ALREADY_GONE), out)
    document = json.loads(out.getvalue())

    assert (document["undone"], document["result"]) == ("5f0c1a2b3c4d", "already-gone")


def test_reasons_carry_their_parts() -> None:
    """A program can tell them apart, and need not read the sentence."""
    first, second = map(reason_document, a_refusal().reasons)

    assert (first["kind"], first["verdict"]) == ("not-judged", "suspected-leak")
    assert (second["kind"], second["keys"], second["first"]) == ("outside-keys", 2, "/services/a")
    assert a_target().outside == ()
