"""Recipes as a TOML file declares them, built-in ones and those of one's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from lockdoctor.domain.model.locks import CONTENDED_FOR, Basis, Kind, Recipe
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
from lockdoctor.domain.recipes.lock_recipe import HolderRule, LockRecipe
from lockdoctor.domain.recipes.pattern import LEASE, LOCK, KeyPattern, PatternError, parse_pattern

OWN_FIELDS = (
    *("name", "match", "kind", "holder", "waiters"),
    *("lease", "value", "value_begins", "json_fields", "json_lease"),
)
"""The keys of a [[recipe]] in lockdoctor.toml."""

BUILT_IN_FIELDS = (*OWN_FIELDS, "recipe", "likely", "beside")
"""
The keys of a built-in recipe.

recipe: the name in outputs, if it is not its own name. likely: the name of the key alone shows the
kind, and others can use it, too. beside: recipes of which a key must lie beside it.
"""

_OWN_KINDS = (Kind.LOCK, Kind.ELECTION, Kind.REGISTRATION, Kind.DATA)
_OWN_HOLDERS = (
    HolderRule.LOWEST_CREATE_REVISION,
    HolderRule.LOWEST_MOD_REVISION,
    HolderRule.ONLY_KEY,
)


class DeclarationError(ValueError):
    """A declaration is invalid; the message is one sentence."""

    def __init__(self, key: str | None, reason: str) -> None:
        """Keep the key of the table that is wrong; None for the table itself."""
        super().__init__(reason)
        self.key = key


def own_recipe(table: Mapping[str, Any], taken: Iterable[str]) -> LockRecipe:
    """
    Return the recipe that an operator declares; it states the kind.

    Args:
        table: One [[recipe]], without unknown keys.
        taken: The names that are in use.

    Raises:
        DeclarationError: It is invalid.
    """
    kind = _kind(table, _OWN_KINDS)
    name = _name(table)
    if name in set(taken):
        _refuse("name", f"there is a recipe {name!r} already. Choose another name")
    return _recipe(table, name, kind, Basis.OWN_RECIPE, _OWN_HOLDERS)


def built_in_recipe(table: Mapping[str, Any]) -> LockRecipe:
    """
    Return a recipe of builtin.toml.

    Raises:
        DeclarationError: It is invalid.
    """
    unknown = sorted(set(table) - set(BUILT_IN_FIELDS))
    if unknown:
        _refuse(unknown[0], f"unknown key {unknown[0]}")
    kind = _kind(table, (*_OWN_KINDS, Kind.UNKNOWN))
    basis = Basis.LIKELY if table.get("likely") else Basis.LAYOUT
    if kind is Kind.UNKNOWN:
        basis = Basis.UNKNOWN
    return _recipe(table, _name(table), kind, basis, tuple(HolderRule))


def _recipe(
    table: Mapping[str, Any],
    name: str,
    kind: Kind,
    basis: Basis,
    holders: tuple[HolderRule, ...],
) -> LockRecipe:
    pattern = _pattern(table)
    holder = _holder(table, pattern, kind, holders)
    return LockRecipe(
        name=name,
        recipe=Recipe(table.get("recipe", name)),
        match=pattern,
        kind=kind,
        basis=basis,
        holder=holder,
        conditions=_conditions(table, pattern),
        beside=Beside(_texts(table, "beside")) if "beside" in table else None,
    )


def _refuse(key: str | None, reason: str) -> NoReturn:
    raise DeclarationError(key, reason)


def _text(table: Mapping[str, Any], key: str) -> str:
    text = table[key]
    if not isinstance(text, str) or not text:
        _refuse(key, "must be a text in quotes, and not empty")
    return text


def _texts(table: Mapping[str, Any], key: str) -> tuple[str, ...]:
    texts = table[key]
    given = [texts] if isinstance(texts, str) else texts
    if not isinstance(given, list) or not given or not all(isinstance(t, str) for t in given):
        _refuse(key, 'must be a text, or a list of texts, like ["conn_url", "api_url"]')
    if not all(given):
        _refuse(key, "has an empty text. Leave it out")
    return tuple(given)


def _switch(table: Mapping[str, Any], key: str) -> bool:
    value = table[key]
    if not isinstance(value, bool):
        _refuse(key, "must be true or false, without quotes")
    return value


def _name(table: Mapping[str, Any]) -> str:
    if "name" not in table:
        _refuse(None, "each [[recipe]] needs a name")
    name = _text(table, "name")
    if not name.isprintable():
        _refuse("name", "has a character that cannot be printed. Use letters, digits and -")
    return name


def _kind(table: Mapping[str, Any], kinds: tuple[Kind, ...]) -> Kind:
    known = {kind.value: kind for kind in kinds}
    if "kind" not in table:
        _refuse(None, f"each [[recipe]] needs a kind: one of {', '.join(known)}")
    if not isinstance(table["kind"], str) or table["kind"] not in known:
        _refuse("kind", f"must be one of {', '.join(known)}")
    return known[table["kind"]]


def _pattern(table: Mapping[str, Any]) -> KeyPattern:
    if "match" not in table:
        _refuse(None, 'each [[recipe]] needs a match, such as "/jobs/{lock}/{lease:hex}"')
    text = table["match"]
    if not isinstance(text, str):
        _refuse("match", 'must be a text in quotes, such as "/jobs/{lock}/{lease:hex}"')
    try:
        return parse_pattern(text)
    except PatternError as error:
        raise DeclarationError("match", str(error)) from error


def _holder(
    table: Mapping[str, Any], pattern: KeyPattern, kind: Kind, holders: tuple[HolderRule, ...]
) -> HolderRule:
    """Return who holds; a pattern that goes on after the name of the lock has a queue."""
    has_queue = _has_queue(pattern)
    holder = HolderRule.ONLY_KEY
    if "holder" in table:
        known = {rule.value: rule for rule in holders}
        given = table["holder"]
        if not isinstance(given, str) or given not in known:
            _refuse("holder", f"must be one of {', '.join(known)}")
        holder = known[given]
    elif has_queue and kind in CONTENDED_FOR:
        holder = HolderRule.LOWEST_CREATE_REVISION
    if holder is not HolderRule.ONLY_KEY:
        _require_queue(pattern, holder, has_queue=has_queue)
    if "waiters" in table:
        _require_waiters(_switch(table, "waiters"), holder)
    return holder


def _has_queue(pattern: KeyPattern) -> bool:
    """Return whether several keys can have one lock's name."""
    names = pattern.names
    return LEASE in names or (LOCK in names and names[-1] != LOCK)


def _require_queue(pattern: KeyPattern, holder: HolderRule, *, has_queue: bool) -> None:
    names = pattern.names
    if not has_queue:
        _refuse(
            "holder",
            f"{holder.value} needs a queue, and each key of this match is a lock of its own. Add"
            f" {{lease:hex}} or another placeholder after {{lock}}, or use"
            f" {HolderRule.ONLY_KEY.value}",
        )
    if LOCK not in names:
        before = pattern.text.partition("{" + LEASE)[0]
        if not before.endswith("/"):
            _refuse("match", "no / before {lease}. Add {lock} where the name of the lock ends")
    elif LEASE in names and names.index(LEASE) < names.index(LOCK):
        _refuse("match", "{lease} comes before {lock}; the keys of one queue must begin alike")


def _require_waiters(waiters: bool, holder: HolderRule) -> None:  # noqa: FBT001 - its value in the file
    if waiters and holder is HolderRule.ONLY_KEY:
        _refuse(
            "waiters",
            f'true contradicts holder = "{holder.value}": a waiter has a key of its own. Use'
            f' holder = "{HolderRule.LOWEST_CREATE_REVISION.value}"',
        )
    if not waiters and holder is not HolderRule.ONLY_KEY:
        _refuse(
            "waiters",
            f'false contradicts holder = "{holder.value}": the younger keys of a queue wait. Use'
            f' holder = "{HolderRule.ONLY_KEY.value}"',
        )


def _conditions(table: Mapping[str, Any], pattern: KeyPattern) -> tuple[Condition, ...]:
    """Return the conditions; the cheap ones first."""
    found: list[Condition] = []
    if "lease" in table:
        found.append(HasLease(_switch(table, "lease")))
    if lease := pattern.placeholder(LEASE):
        found.append(OwnLease(lease.type))
    if "value" in table:
        forms = {form.value: form for form in ValueForm}
        if not isinstance(table["value"], str) or table["value"] not in forms:
            _refuse("value", f"must be one of {', '.join(forms)}")
        found.append(ValueIs(forms[table["value"]]))
    if "value_begins" in table:
        found.append(ValueBegins(_texts(table, "value_begins")))
    if "json_fields" in table:
        found.append(JsonFields(_texts(table, "json_fields")))
    if "json_lease" in table:
        found.append(JsonLease(_text(table, "json_lease")))
    return tuple(found)
