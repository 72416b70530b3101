"""A restore as a person sees it."""

from __future__ import annotations

from typing import Any

from lockdoctor.domain.model.actions import Result
from lockdoctor.domain.treatment.journal_entry import Entry, EntryId
from lockdoctor.domain.treatment.restore_plan import (
    RestorePlan,
    RestoreSkipReason,
    SkippedKey,
)
from lockdoctor.domain.treatment.results import ActionResult
from lockdoctor.outputs.table.journal import MAX_KEYS
from lockdoctor.outputs.table.restore import plan_parts, restored_parts
from tests.factories.pages import page
from tests.factories.reports import a_key, an_intent, an_outcome

CONFIG = a_key(b"/app/\x1b[31mconfig", value=b"v")
DONE = Entry(an_intent(keys=(CONFIG, a_key())), an_outcome())


def planned(*, will_act: bool = False, width: int = 80, **fields: Any) -> str:
    told = {"entry": DONE, "keys": (CONFIG,), "left": (), "ttl_s": None, **fields}
    return page(plan_parts(RestorePlan(**told), will_act=will_act), width)


def test_many_keys_are_counted() -> None:
    """No screen after screen."""
    keys = tuple(a_key(b"/%d" % n) for n in range(MAX_KEYS + 1))

    assert "… and 1 more key\n" in planned(keys=keys)


def test_the_flag_that_acts_is_offered_where_it_would_do_something() -> None:
    """Not in a run that has it, and not where no key can be put back."""
    skipped = (SkippedKey(CONFIG, RestoreSkipReason.CUT),)

    assert "--yes" in planned()
    assert "--yes" not in planned(will_act=True)
    assert "--yes" not in planned(keys=(), left=skipped)


def test_one_key_needs_no_choice() -> None:
    """Other keys are offered alone only where there are others."""
    assert "--only" not in planned(keys=(a_key(),))
    assert "--only" in planned(keys=(a_key(), CONFIG))


def test_names_and_messages_are_only_text() -> None:
    """Neither a key nor what etcd says moves the cursor."""
    failed = ActionResult(
        target=RestorePlan(entry=DONE, keys=(CONFIG,), left=(), ttl_s=None),
        entry_id=EntryId("f00d"),
        result=Result.FAILED,
        skipped=(SkippedKey(CONFIG, RestoreSkipReason.REFUSED),),
        failure="no \x1banswer",
        unrecorded="no \x1broom",
        took_s=0.1,
    )
    for text in (planned(), page(restored_parts(failed))):
        assert all(line.isprintable() for line in text.splitlines())
