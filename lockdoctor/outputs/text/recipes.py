"""Sentences on recipes: what a recipe requires of a key, and how a kind is known."""

from __future__ import annotations

from lockdoctor.domain.model.locks import Basis
from lockdoctor.domain.recipes.conditions import (
    Beside,
    Condition,
    HasLease,
    JsonFields,
    JsonLease,
    OwnLease,
    ValueBegins,
    ValueForm,
    ValueIs,
)
from lockdoctor.domain.recipes.explain import Explanation, Outcome, Step
from lockdoctor.outputs.text.values import safe

BASES = {
    Basis.POLICY: "stated by --kind or a [[prefix]]",
    Basis.OWN_RECIPE: "stated by a [[recipe]]",
    Basis.LAYOUT: "proven by its layout",
    Basis.LIKELY: "likely, by its usual name or by how it behaves",
    Basis.UNKNOWN: "unknown",
}
"""How a kind is known."""

_FORMS = {
    ValueForm.EMPTY: "the value is empty",
    ValueForm.NOT_EMPTY: "the value is not empty",
    ValueForm.UUID: "the value is a UUID",
    ValueForm.UUID1_BYTES: "the value is the 16 bytes of a UUID with a time",
    ValueForm.JSON: "the value is a JSON object",
    ValueForm.NUMBER: "the value is a number",
}
_LEASE_FORMS = {"hex": "hex without padding", "dec": "decimal"}


def condition_text(condition: Condition | Beside) -> str:
    """Return what a recipe requires, as a clause."""
    match condition:
        case OwnLease():
            form = _LEASE_FORMS[condition.form]
            return f"{{lease}} is the key's own lease in {form}, or looks like one if it has none"
        case HasLease():
            return "the key has a lease" if condition.wanted else "the key has no lease"
        case ValueIs():
            return _FORMS[condition.form]
        case ValueBegins():
            texts = " or ".join(repr(text) for text in condition.texts)
            return f"the value begins with {texts}"
        case JsonFields():
            fields = ", ".join(map(safe, condition.names))
            return f"the value is a JSON object with {fields}"
        case JsonLease():
            return f"the field {safe(condition.name)} of the JSON value is the key's own lease"
        case Beside():
            names = " or ".join(map(safe, condition.names))
            return f"a key of the recipe {names} is beside it"


def step_text(step: Step) -> str:
    """Return what a recipe makes of the key, in one sentence."""
    clauses = ", and ".join(map(condition_text, step.conditions))
    match step.outcome:
        case Outcome.TAKES:
            return "Takes the key."
        case Outcome.IF:
            return f"Takes the key if {clauses}." if clauses else "Takes the key otherwise."
        case Outcome.PATTERN:
            return "Its pattern does not match the key."
        case Outcome.CONDITION:
            return f"Not met: {clauses}."
        case Outcome.LATER:
            return "It matches, but an earlier recipe takes the key."


def advice(found: Explanation) -> str | None:
    """Return what to do where the kind is not certain; None where it is."""
    if found.lock is None or found.lock.basis.is_certain:
        return None
    return (
        "To state the kind: add a [[recipe]] or a [[prefix]] with kind to lockdoctor.toml,"
        " or add --kind."
    )
