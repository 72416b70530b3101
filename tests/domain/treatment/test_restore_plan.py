"""What of an entry can be put back."""

from __future__ import annotations

from lockdoctor.domain.model.actions import Result
from lockdoctor.domain.treatment.journal_entry import MAX_VALUE_BYTES, Entry, kept
from lockdoctor.domain.treatment.restore_plan import RestoreSkipReason, SkippedKey, plan_restoration
from tests.factories.reports import a_key, an_intent, an_outcome

ONE, OTHER = a_key(b"/one", value=b"1"), a_key(b"/other", value=b"2")
ENTRY = Entry(an_intent(keys=(ONE, OTHER)), an_outcome())


def test_keys_that_are_gone_are_planned_and_others_left() -> None:
    """Only what does not exist now is put back, whoever has written what does."""
    plan = plan_restoration(ENTRY, {b"/one"}, (), None)

    assert plan.keys == (OTHER,)
    assert plan.left == (SkippedKey(ONE, RestoreSkipReason.EXISTS),)


def test_only_what_is_wanted_is_planned() -> None:
    """The keys that nobody named are not spoken of."""
    plan = plan_restoration(ENTRY, (), {b"/other"}, 60)

    assert (plan.keys, plan.left, plan.ttl_s) == ((OTHER,), (), 60)


def test_what_was_cut_is_left() -> None:
    """Half a value is worse than none."""
    long = a_key(value=bytes(MAX_VALUE_BYTES + 1))
    entry = Entry(an_intent(keys=kept([long])), an_outcome())

    plan = plan_restoration(entry, (), (), None)

    assert not plan.keys
    assert [left.why for left in plan.left] == [RestoreSkipReason.CUT]


def test_what_was_not_deleted_is_not_planned() -> None:
    """A refused entry deleted nothing, one of unknown outcome may have."""
    refused = Entry(an_intent(), an_outcome(result=Result.REFUSED))
    unknown = Entry(an_intent(), None)

    assert plan_restoration(refused, (), (), None).keys == ()
    assert plan_restoration(unknown, (), (), None).keys == unknown.intent.keys
