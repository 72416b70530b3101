"""Explain the kind of one key: which recipe takes it, and why the others do not."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from lockdoctor.domain.model.locks import Lock, LockKey
from lockdoctor.domain.recipes.conditions import Beside, Condition
from lockdoctor.domain.recipes.grouping import Stated, locks
from lockdoctor.domain.recipes.lock_recipe import LockRecipe
from lockdoctor.domain.recipes.registry import RecipeBook


class Outcome(enum.Enum):
    """What one recipe makes of a key."""

    TAKES = "takes"
    IF = "if"
    """The name matches; etcd was not read, so the conditions are open."""
    PATTERN = "pattern"
    """The name of the key differs."""
    CONDITION = "condition"
    """The name matches; a condition is not met."""
    LATER = "later"
    """All matches; an earlier recipe takes the key."""


@dataclass(frozen=True, slots=True)
class Step:
    """One recipe, and what it makes of the key."""

    recipe: LockRecipe
    outcome: Outcome
    conditions: tuple[Condition | Beside, ...] = ()
    """CONDITION: those that are not met. IF: those that are open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Every recipe in the order in which they are tried, and what came of it."""

    name: bytes
    key: LockKey | None
    """The key in etcd; None where only its name is known."""
    lock: Lock | None
    """The lock that the key belongs to; None where only its name is known."""
    steps: tuple[Step, ...]
    unread: str | None = None
    """Why etcd was not read, or has no such key."""

    @property
    def taken(self) -> LockRecipe | None:
        """Return the recipe that takes the key, if that is known."""
        return next((s.recipe for s in self.steps if s.outcome is Outcome.TAKES), None)


def explain_key(
    key: LockKey, keys: Sequence[LockKey], prefix: bytes, stated: Stated
) -> Explanation:
    """
    Explain a key that etcd has.

    Args:
        key: The key.
        keys: All keys of the prefix, with the key itself.
        prefix: See `prefix_to_explain`.
        stated: The recipes, and the kinds that the operator stated.
    """
    book = stated.recipes
    found = locks(keys, prefix, stated)
    lock = next(each for each in found if key in each.contenders)
    alone, _ = book.claim(key)
    by_neighbors = next((r for r in book.with_neighbors if r.recipe is lock.recipe), None)
    taken = by_neighbors if by_neighbors and by_neighbors.lock_name(key) is not None else alone
    if by_neighbors and taken is by_neighbors:  # data and others can share the name in outputs
        taken = next(r for r in book.with_neighbors if r.lock_name(key) is not None)
    steps = tuple(_step(recipe, key, taken, book) for recipe in book.in_order)
    return Explanation(name=key.key, key=key, lock=lock, steps=steps)


def explain_name(name: bytes, book: RecipeBook, unread: str) -> Explanation:
    """Return the recipes that can take a key of this name, and their conditions."""
    steps: list[Step] = []
    is_taken = False
    for recipe in book.in_order:
        conditions = (*recipe.conditions, *((recipe.beside,) if recipe.beside else ()))
        if recipe.match.split(name) is None:
            steps.append(Step(recipe, Outcome.PATTERN))
        elif is_taken:
            steps.append(Step(recipe, Outcome.LATER))
        elif conditions:
            steps.append(Step(recipe, Outcome.IF, conditions))
        else:
            is_taken = True
            is_only = not any(step.outcome is Outcome.IF for step in steps)
            steps.append(Step(recipe, Outcome.TAKES if is_only else Outcome.IF))
    return Explanation(name=name, key=None, lock=None, steps=tuple(steps), unread=unread)


def prefix_to_explain(key: LockKey, book: RecipeBook) -> bytes:
    """Return the prefix of all keys that decide the kind of a key."""
    recipe, name = book.claim(key)
    prefixes = [recipe.queue_prefix(name)]
    for each in book.with_neighbors:
        found = each.match.split(key.key)
        if found is not None:
            prefixes.append(found[1] + b"/")
    return min(prefixes, key=len)


def _step(recipe: LockRecipe, key: LockKey, taken: LockRecipe, book: RecipeBook) -> Step:
    if recipe is taken:
        return Step(recipe, Outcome.TAKES)
    if recipe.match.split(key.key) is None:
        return Step(recipe, Outcome.PATTERN)
    if failed := tuple(recipe.failed(key)):
        return Step(recipe, Outcome.CONDITION, failed)
    if recipe.beside and taken not in book.with_neighbors:
        return Step(recipe, Outcome.CONDITION, (recipe.beside,))
    return Step(recipe, Outcome.LATER)
