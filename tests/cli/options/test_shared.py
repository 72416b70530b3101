"""How single options are read."""

from __future__ import annotations

import dataclasses

import pytest
import typer

from lockdoctor.cli.config.connection import ConnectionValues
from lockdoctor.cli.options.connection import ConnectionFlags
from lockdoctor.cli.options.limits import LimitFlags
from lockdoctor.cli.options.types import count, duration, one_of, switch
from lockdoctor.domain.model.locks import Kind
from lockdoctor.domain.policy.policy import Limits


def names(group: type) -> set[str]:
    return {field.name for field in dataclasses.fields(group)}


def test_flags_bear_the_names_of_what_they_become() -> None:
    """The fields of the flags are those of the limits and of the connection, by name."""
    assert names(LimitFlags) == Limits.__annotations__.keys() - {"pile_up"}
    assert names(ConnectionFlags) == ConnectionValues.__annotations__.keys() - {"auth_jwt_token"}


def test_only_given_limits_count() -> None:
    """A limit that was not given leaves the file's alone; zero was given."""
    assert LimitFlags().limits() == {}
    assert LimitFlags(max_hold_s=0.0, kind=Kind.LOCK).limits() == {
        "max_hold_s": 0,
        "kind": Kind.LOCK,
    }


def test_durations() -> None:
    """A duration becomes seconds; a default that is in seconds already passes."""
    assert duration("1m") == 60
    assert duration(7.0) == 7
    with pytest.raises(typer.BadParameter, match="has no unit"):
        duration("60")


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "x", ""])
def test_counts_begin_at_one(text: str) -> None:
    """A count is a whole number from 1 on."""
    assert count("1") == count(1) == 1
    with pytest.raises(typer.BadParameter, match="is not a whole number, 1 or more"):
        count(text)


@pytest.mark.parametrize("text", ["1", "t", "T", "true", "True", "TRUE"])
def test_switches_as_etcdctl_reads_them(text: str) -> None:
    """True or false in the forms of Go; anything else is refused."""
    opposite = {"1": "0", "t": "f", "T": "F", "true": "false", "True": "False", "TRUE": "FALSE"}
    assert switch(text) is True
    assert switch(opposite[text]) is False
    with pytest.raises(typer.BadParameter, match="'yes' is not true or false"):
        switch("yes")


def test_choices_are_written_as_their_values() -> None:
    """A choice is read by its value; what is not among the choices is refused, naming them."""
    read = one_of(Kind.LOCK, Kind.ELECTION)

    assert read("lock") is Kind.LOCK
    with pytest.raises(typer.BadParameter, match="'ignore' is not one of: lock, election"):
        read("ignore")
