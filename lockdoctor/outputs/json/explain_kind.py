"""Writes the explanation of a key's kind as one JSON document."""

from __future__ import annotations

import json
from typing import TextIO

from lockdoctor.domain.recipes.explain import Explanation, Step
from lockdoctor.outputs.json.values import SCHEMA_VERSION, Json, lease, text_and_base64
from lockdoctor.outputs.text.recipes import condition_text, step_text
from lockdoctor.outputs.text.values import safe


def write_json(found: Explanation, out: TextIO) -> None:
    """Write the explanation as one document."""
    key, lock = found.key, found.lock
    document = {
        "schema_version": SCHEMA_VERSION,
        **text_and_base64("key", found.name),
        "is_in_etcd": key is not None,
        "not_read": None if found.unread is None else safe(found.unread),
        "lease": lease(key.lease_id) if key else None,
        "value_size": key.value_size if key else None,
        **text_and_base64("lock", lock.name if lock else None),
        "recipe": lock.recipe.value if lock else None,
        "kind": lock.kind.value if lock else None,
        "kind_basis": lock.basis.value if lock else None,
        "taken_by": found.taken.name if found.taken else None,
        "recipes": [_step(step) for step in found.steps],
    }
    json.dump(document, out, indent=1)
    out.write("\n")


def _step(step: Step) -> Json:
    recipe = step.recipe
    return {
        "name": safe(recipe.name),
        "recipe": safe(recipe.recipe.value),
        "match": safe(recipe.match.text),
        "holder": recipe.holder.value,
        "waiters": recipe.can_wait,
        "kind": recipe.kind.value,
        "kind_basis": recipe.basis.value,
        "outcome": step.outcome.value,
        "conditions": [condition_text(condition) for condition in step.conditions],
        "text": step_text(step),
    }
