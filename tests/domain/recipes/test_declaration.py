"""Recipes of one's own: what they take, and what of them makes no sense."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockdoctor.domain.model.leases import NO_LEASE, LeaseId
from lockdoctor.domain.model.locks import Basis, Kind, KnownKind, Lock, LockKey
from lockdoctor.domain.policy.policy import Policy, Rule
from lockdoctor.domain.recipes.declaration import DeclarationError, own_recipe
from lockdoctor.domain.recipes.grouping import locks
from lockdoctor.domain.recipes.lock_recipe import HolderRule
from lockdoctor.domain.recipes.registry import built_in
from tests.factories.reports import a_key

JOBS = {"name": "jobs", "match": "/jobs/{lock}/{lease:hex}", "kind": "lock"}


def declared(*tables: dict[str, Any], **policy: Any) -> Policy:
    """A policy with recipes of one's own."""
    own = tuple(own_recipe(table, built_in().names) for table in tables)
    return Policy(recipes=built_in().with_own(own), **policy)


def only(keys: list[LockKey], policy: Policy) -> Lock:
    (lock,) = locks(keys, b"/", policy)
    return lock


def test_a_recipe_of_ones_own_states_the_kind_and_finds_the_queue() -> None:
    """The keys of a client that nobody else knows form one lock with its waiters."""
    policy = declared(
        {
            "name": "tasks",
            "match": "/tasks/{lock}/{worker}",
            "kind": "lock",
            "holder": "lowest-create-revision",
        }
    )
    keys = [
        a_key(b"/tasks/mail/b", lease_id=5, create_revision=9, value=b"x"),
        a_key(b"/tasks/mail/a", lease_id=6, create_revision=11, value=b"x"),
    ]
    lock = only(keys, policy)

    assert (lock.name, lock.recipe.value) == (b"/tasks/mail", "tasks")
    assert lock.known_kind == KnownKind(Kind.LOCK, Basis.OWN_RECIPE)
    assert (lock.holder, lock.waiters) == (keys[0], (keys[1],))


def test_the_first_write_holds_where_the_recipe_says_so() -> None:
    """A later write of the same key loses its place."""
    policy = declared(JOBS | {"holder": "lowest-mod-revision"})
    old = a_key(lock=b"/jobs/x", lease_id=5, create_revision=9, version=4)
    young = a_key(lock=b"/jobs/x", lease_id=6, create_revision=10)
    lock = only([old, young], policy)

    assert old.mod_revision > young.mod_revision
    assert (lock.holder, lock.waiters) == (young, (old,))


def test_a_recipe_of_ones_own_comes_before_the_built_in_ones() -> None:
    """A registration by a mutex's keys is a registration, if the operator says so."""
    key = a_key(lock=b"/jobs/x", lease_id=7)

    assert only([key], Policy()).kind is Kind.LOCK
    policy = declared(JOBS | {"kind": "registration", "holder": "only-key"})
    assert only([key], policy).known_kind == KnownKind(Kind.REGISTRATION, Basis.OWN_RECIPE)


@pytest.mark.parametrize("lease", [7, NO_LEASE])
def test_a_stated_kind_needs_no_lease(lease: int) -> None:
    """A key of it that has lost its lease is a lock all the same: it never expires."""
    lock = only(
        [
            a_key(
                b"/jobs/x/694d7aef9c2b3a01" if not lease else None, lock=b"/jobs/x", lease_id=lease
            )
        ],
        declared(JOBS),
    )

    assert lock.known_kind == KnownKind(Kind.LOCK, Basis.OWN_RECIPE)


def test_a_recipe_precedes_a_prefix_and_a_flag_precedes_both() -> None:
    """The recipe names its keys more exactly than the prefix does."""
    key = a_key(lock=b"/jobs/x", lease_id=7)
    rules = (Rule(b"/jobs/", {"kind": Kind.ELECTION}),)

    assert only([key], declared(JOBS, rules=rules)).kind is Kind.LOCK
    flag = declared(JOBS, rules=rules, overrides={"kind": Kind.REGISTRATION})
    assert only([key], flag).known_kind == KnownKind(Kind.REGISTRATION, Basis.POLICY)


@pytest.mark.parametrize(
    ("fields", "matches", "differs"),
    [
        ({"lease": True}, a_key(b"/k/x"), a_key(b"/k/x", lease_id=NO_LEASE)),
        ({"value": "empty"}, a_key(b"/k/x"), a_key(b"/k/x", value=b"x")),
        ({"value": "not-empty"}, a_key(b"/k/x", value=b"x"), a_key(b"/k/x")),
        ({"value": "number"}, a_key(b"/k/x", value=b"17"), a_key(b"/k/x", value=b"x7")),
        ({"value": "json"}, a_key(b"/k/x", value=b"{}"), a_key(b"/k/x", value=b"[]")),
        ({"value_begins": "v1:"}, a_key(b"/k/x", value=b"v1:7"), a_key(b"/k/x", value=b"v2:7")),
        (
            {"json_fields": ["host", "pid"]},
            a_key(b"/k/x", value=b'{"pid": 1, "host": "a"}'),
            a_key(b"/k/x", value=b'{"pid": 1}'),
        ),
        (
            {"json_lease": "lease"},
            a_key(b"/k/x", lease_id=7, value=b'{"lease": 7}'),
            a_key(b"/k/x", lease_id=8, value=b'{"lease": 7}'),
        ),
    ],
)
def test_conditions_restrict_a_recipe(
    fields: dict[str, Any], matches: LockKey, differs: LockKey
) -> None:
    """All of them must be met."""
    policy = declared({"name": "own", "match": "/k/{lock}", "kind": "election"} | fields)

    assert only([matches], policy).basis is Basis.OWN_RECIPE
    assert only([differs], policy).basis is not Basis.OWN_RECIPE


def test_who_holds_follows_from_the_pattern() -> None:
    """A pattern that goes on after the lock's name has a queue; a registration never has one."""

    def holder(**fields: Any) -> HolderRule:
        return own_recipe(JOBS | fields, ()).holder

    assert holder() is HolderRule.LOWEST_CREATE_REVISION
    assert holder(waiters=True) is HolderRule.LOWEST_CREATE_REVISION
    assert holder(match="/jobs/{lock}") is HolderRule.ONLY_KEY
    assert holder(kind="registration") is HolderRule.ONLY_KEY


WRONG: list[tuple[dict[str, Any], str | None, str]] = [
    ({"name": None}, None, "each [[recipe]] needs a name"),
    ({"name": ""}, "name", "must be a text in quotes, and not empty"),
    ({"name": "mutex"}, "name", "there is a recipe 'mutex' already. Choose another name"),
    (
        {"name": "a\nb"},
        "name",
        "has a character that cannot be printed. Use letters, digits and -",
    ),
    (
        {"match": None},
        None,
        'each [[recipe]] needs a match, such as "/jobs/{lock}/{lease:hex}"',
    ),
    (
        {"match": 7},
        "match",
        'must be a text in quotes, such as "/jobs/{lock}/{lease:hex}"',
    ),
    ({"match": "/{a}/{a}"}, "match", "{a} is there twice. Give each placeholder its own name"),
    (
        {"kind": None},
        None,
        "each [[recipe]] needs a kind: one of lock, election, registration, data",
    ),
    ({"kind": "unknown"}, "kind", "must be one of lock, election, registration, data"),
    (
        {"holder": "oldest"},
        "holder",
        "must be one of lowest-create-revision, lowest-mod-revision, only-key",
    ),
    (
        {"match": "/jobs/{lock}", "holder": "lowest-create-revision"},
        "holder",
        (
            "lowest-create-revision needs a queue, and each key of this match is a lock of its"
            " own. Add {lease:hex} or another placeholder after {lock}, or use only-key"
        ),
    ),
    (
        {"match": "/jobs/{lease:hex}/{lock}/x", "holder": "lowest-create-revision"},
        "match",
        "{lease} comes before {lock}; the keys of one queue must begin alike",
    ),
    (
        {"match": "/jobs/a-{lease:hex}"},
        "match",
        "no / before {lease}. Add {lock} where the name of the lock ends",
    ),
    ({"waiters": "yes"}, "waiters", "must be true or false, without quotes"),
    (
        {"match": "/jobs/{lock}", "waiters": True},
        "waiters",
        (
            'true contradicts holder = "only-key": a waiter has a key of its own. Use'
            ' holder = "lowest-create-revision"'
        ),
    ),
    (
        {"waiters": False},
        "waiters",
        (
            'false contradicts holder = "lowest-create-revision": the younger keys of a queue wait.'
            ' Use holder = "only-key"'
        ),
    ),
    ({"lease": 7}, "lease", "must be true or false, without quotes"),
    (
        {"value": "blank"},
        "value",
        "must be one of empty, not-empty, uuid, uuid1-bytes, json, number",
    ),
    ({"value_begins": ""}, "value_begins", "has an empty text. Leave it out"),
    (
        {"json_fields": [7]},
        "json_fields",
        'must be a text, or a list of texts, like ["conn_url", "api_url"]',
    ),
]


@pytest.mark.parametrize(("fields", "key", "reason"), WRONG)
def test_what_makes_no_sense_is_refused(
    fields: dict[str, Any], key: str | None, reason: str
) -> None:
    """The error names the key of the table, and says what to write."""
    table = {name: value for name, value in (JOBS | fields).items() if value is not None}
    with pytest.raises(DeclarationError) as error:
        own_recipe(table, built_in().names)

    assert (error.value.key, str(error.value)) == (key, reason)


OWN = declared(
    JOBS,
    {"name": "a", "match": "{lock:path}/x", "kind": "lock", "json_fields": "a"},
    {"name": "b", "match": "/{lock}/{rest}", "kind": "election", "value": "uuid"},
    {"name": "c", "match": "{lease:dec}", "kind": "registration"},
    {"name": "d", "match": "/{at:ns}", "kind": "data", "json_lease": "l"},
)


@given(
    key=st.binary(max_size=24) | st.sampled_from([b"/jobs/a/7", b"/x", b"/a/", b"7", b"//x"]),
    value=st.binary(max_size=20) | st.sampled_from([b'{"a": 1}', b"{" * 99, b'{"l": 7}']),
    lease=st.integers(-9, 2**63 - 1),
    is_cut=st.booleans(),
)
def test_no_bytes_break_a_recipe(key: bytes, value: bytes, lease: int, is_cut: bool) -> None:  # noqa: FBT001 - hypothesis draws it
    """Whatever a key and its value hold, it stands in exactly one queue."""
    given_key = a_key(key, lease_id=LeaseId(lease), value=value)
    if is_cut:
        given_key = LockKey(
            key=key, create_revision=1, mod_revision=1, version=1, lease_id=LeaseId(lease),
            value=value, value_size=len(value) + 1,
        )  # fmt: skip
    (lock,) = locks([given_key], b"", OWN)

    assert lock.keys == (given_key,)
    assert key.startswith(lock.name)
