"""Our dataclasses behave as Python's own, but for the time that they take to make."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockdoctor import values

VALUES = st.none() | st.integers(0, 2) | st.sampled_from(["", "a"]) | st.tuples(st.booleans())
OPTIONS = [
    {"frozen": True},
    {"frozen": True, "slots": True},
    {"frozen": True, "kw_only": True},
    {"frozen": True, "slots": True, "kw_only": True},
    {"slots": True},
]


def classes(make: Callable[..., Any], options: dict[str, bool]) -> list[type]:
    """Classes with several fields, one, none, secret ones, and one that knows better."""

    @make(**options)
    class Pair:
        """Two, the second of which does not count."""

        first: Any
        second: Any = dataclasses.field(default=None, compare=False)

    @make(**options)
    class Heir(Pair):
        """A pair, and a third that is not shown."""

        third: Any = dataclasses.field(default=7, repr=False)

    @make(**options)
    class One:
        """One only."""

        only: Any

    @make(**options)
    class Nothing:
        """No field."""

    @make(**options)
    class Vague:
        """Equal to everything."""

        only: Any

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 1

        def __repr__(self) -> str:
            return "vague"

    return [Pair, Heir, One, Nothing, Vague]


def told(all_of: list[type], first: Any, second: Any) -> list[object]:
    """All that values of these classes say of themselves and of each other."""
    made = []
    for each in all_of:
        names = [field.name for field in dataclasses.fields(each)]
        made += [each(**dict(zip(names, pair, strict=False))) for pair in (first, second)]
    return [
        *map(repr, made),
        *(one == other for one in made for other in made),
        *(
            len({one, other})
            for one in made
            for other in made
            if type(one) is type(other) and isinstance(one, Hashable)
        ),
        *(getattr(each, "__match_args__", None) for each in all_of),
        *(each.__hash__ is None for each in all_of),
    ]


BOTH = [
    pytest.param(
        classes(values.dataclass, each), classes(dataclasses.dataclass, each), id=str(each)
    )
    for each in OPTIONS
]


@pytest.mark.parametrize(("ours", "pythons"), BOTH)
@given(first=st.tuples(VALUES, VALUES, VALUES), second=st.tuples(VALUES, VALUES, VALUES))
def test_values_are_compared_hashed_and_shown_as_pythons_are(
    ours: list[type], pythons: list[type], first: Any, second: Any
) -> None:
    """Whatever the fields are, and whatever the class says for itself."""
    assert told(ours, first, second) == told(pythons, first, second)


def test_they_stay_as_they_are() -> None:
    """Frozen is left to Python, as is a copy with other values."""
    _, _, one, *_ = classes(values.dataclass, {"frozen": True, "slots": True})
    value = one(only=1)

    with pytest.raises(dataclasses.FrozenInstanceError):
        value.only = 2
    assert dataclasses.replace(value, only=2) == one(only=2)
