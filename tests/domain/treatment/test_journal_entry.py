"""Entries: an intent, and what is known of its outcome."""

from __future__ import annotations

import pytest

from lockdoctor.domain.model.actions import Action, Result
from lockdoctor.domain.treatment.journal_entry import (
    MAX_ENTRY_BYTES,
    MAX_VALUE_BYTES,
    Line,
    entries,
    is_cut,
    kept,
)
from tests.factories.reports import a_key, an_intent, an_outcome


def test_an_intent_without_an_outcome_is_of_unknown_outcome() -> None:
    """What was begun and never reported reads neither as done nor as undone."""
    (entry,) = entries([an_intent()])

    assert entry.outcome is None
    assert entry.result is Result.UNKNOWN
    assert entry.perhaps_deleted == entry.intent.keys


def test_the_last_outcome_stands() -> None:
    """A later look may find out what an earlier one could not."""
    (entry,) = entries([an_intent(), an_outcome(result=Result.UNKNOWN), an_outcome()])

    assert entry.result is Result.DONE


def test_entries_of_two_runs_may_be_interleaved() -> None:
    """Outcomes find their intents by the ID; one without an intent is left out."""
    lines: list[Line] = [an_intent("a"), an_intent("b"), an_outcome("b"), an_outcome("c")]

    found = {entry.intent.entry_id: entry.result for entry in entries(lines)}

    assert found == {"a": Result.UNKNOWN, "b": Result.DONE}


@pytest.mark.parametrize("result", [Result.REFUSED, Result.FAILED, Result.ALREADY_GONE])
def test_what_was_not_done_deleted_nothing(result: Result) -> None:
    """Refused, failed, already gone: nothing that a restore could bring back."""
    (entry,) = entries([an_intent(), an_outcome(result=result)])

    assert entry.perhaps_deleted == ()


@pytest.mark.parametrize("action", [Action.UNDO, Action.RESTORE])
def test_what_puts_back_deletes_nothing(action: Action) -> None:
    """The keys of an undo or a restore are put, not deleted."""
    (entry,) = entries([an_intent(action=action), an_outcome()])

    assert entry.perhaps_deleted == ()


def test_an_outcome_may_name_what_was_deleted() -> None:
    """Where only some keys were deleted, only those count."""
    one, other = a_key(b"/one"), a_key(b"/other")
    lines = an_intent(keys=(one, other)), an_outcome(result=Result.PARTLY, deleted=(b"/other",))

    (entry,) = entries(lines)

    assert entry.perhaps_deleted == (other,)


def test_values_are_kept_up_to_a_size() -> None:
    """A value at the limit is whole; a longer one is cut, and known to be."""
    whole, long = kept([a_key(value=bytes(MAX_VALUE_BYTES)), a_key(value=bytes(1 << 21))])

    assert not is_cut(whole)
    assert is_cut(long)
    assert (len(long.value), long.value_size) == (MAX_VALUE_BYTES, 1 << 21)


def test_all_values_of_an_entry_have_a_limit_together() -> None:
    """Values fill the room in turn; one that finds none is cut, an empty one never is."""
    many = [a_key(value=bytes(MAX_VALUE_BYTES)) for _ in range(MAX_ENTRY_BYTES >> 20)]

    *first, last, empty = kept([*many, a_key(value=b"x"), a_key()])

    assert not any(map(is_cut, first))
    assert is_cut(last)
    assert not is_cut(empty)
