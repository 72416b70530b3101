"""
RecipeBook: the recipes of a run, in the order in which they are tried.

The built-in ones are in builtin.toml, in the form of a [[recipe]] in lockdoctor.toml.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache, cached_property

from lockdoctor.domain.model.locks import LockKey, Recipe
from lockdoctor.domain.recipes.declaration import built_in_recipe
from lockdoctor.domain.recipes.lock_recipe import LockRecipe

_OTHER = b"?"
"""The beginning of a value that is neither empty nor JSON."""


@dataclass(frozen=True)
class RecipeBook:
    """Recipes of one's own, then the built-in ones; the first match takes a key."""

    own: tuple[LockRecipe, ...]
    built_in: tuple[LockRecipe, ...]
    """The last one matches every key."""

    def claim(self, key: LockKey) -> tuple[LockRecipe, bytes]:
        """Return the recipe that takes a key, and the name of its lock."""
        begins = key.value[:1] if key.value[:1] == b"{" or not key.value_size else _OTHER
        text = key.key
        for literal, recipe in self._tests[key.has_lease, begins]:
            if literal in text:
                name = recipe.lock_name(key)
                if name is not None:
                    return recipe, name
        raise AssertionError("the last recipe takes every key")

    def of(self, recipe: Recipe) -> LockRecipe:
        """Return the rules of a recipe; those of one key where it is not known any more."""
        return self._by_recipe.get(recipe, self.built_in[-1])

    def named(self, name: str) -> LockRecipe:
        """Return the recipe of this name."""
        return next(recipe for recipe in self.in_order if recipe.name == name)

    def with_own(self, own: tuple[LockRecipe, ...]) -> RecipeBook:
        """Return the book with other recipes of one's own."""
        return RecipeBook(own, self.built_in) if own else self

    @cached_property
    def in_order(self) -> tuple[LockRecipe, ...]:
        """Return all recipes in the order in which they are tried."""
        return self.own + self.built_in

    @cached_property
    def with_neighbors(self) -> tuple[LockRecipe, ...]:
        """Return the recipes that need a key of another one beside theirs."""
        return tuple(recipe for recipe in self.in_order if recipe.beside)

    @cached_property
    def anchors(self) -> frozenset[str]:
        """Return the names of the recipes that others need beside theirs."""
        return frozenset(
            name for recipe in self.with_neighbors if recipe.beside for name in recipe.beside.names
        )

    @cached_property
    def names(self) -> frozenset[str]:
        """Return all names, those in outputs included."""
        return frozenset(
            name for recipe in self.in_order for name in (recipe.name, recipe.recipe.value)
        ) | {Recipe.GO_ELECTION.value}

    @cached_property
    def _tests(self) -> dict[tuple[bool, bytes], tuple[tuple[bytes, LockRecipe], ...]]:
        """Return the recipes that can take a key alone."""
        alone = [recipe for recipe in self.in_order if not recipe.beside]
        return {
            (has_lease, begins): tuple(
                (recipe.match.literal, recipe)
                for recipe in alone
                if recipe.may_take(has_lease=has_lease, begins=begins)
            )
            for has_lease in (True, False)
            for begins in (b"", b"{", _OTHER)
        }

    @cached_property
    def _by_recipe(self) -> dict[Recipe, LockRecipe]:
        by_recipe = {recipe.recipe: recipe for recipe in reversed(self.in_order)}
        return by_recipe | {Recipe.GO_ELECTION: by_recipe[Recipe.GO_MUTEX]}


@cache
def built_in() -> RecipeBook:
    """Return the built-in recipes alone; the file is read once, at the first call."""
    from importlib import resources  # noqa: PLC0415  # not for a help

    if sys.version_info >= (3, 11):
        import tomllib  # noqa: PLC0415
    else:
        import tomli as tomllib  # noqa: PLC0415
    text = resources.files(__package__).joinpath("builtin.toml").read_text(encoding="utf-8")
    recipes = map(built_in_recipe, tomllib.loads(text)["recipe"])
    return RecipeBook(own=(), built_in=tuple(recipes))
